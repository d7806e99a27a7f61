#!/usr/bin/perl
# t/81-art.t - logos, posters and thumbnails: by size, fetched once, sent while they are renewed.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Test::More;
use App;
use Gateway;
use Resolver;

# --- where pictures come from ------------------------------------------------------------------------
my $dir = File::Temp->newdir;

sub made { my ($name, @how) = @_; system('ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', @how, '-frames:v', 1, "$dir/pic-$name") == 0 or die "$name cannot be made\n"; return }
sub written { my ($name, $bytes) = @_; open my $file, '>:raw', "$dir/pic-$name" or die "$name: $!\n"; print $file $bytes; close $file; return }
made('wide.jpg', -i => 'testsrc2=s=800x300');
made('clear.png', -i => 'testsrc2=s=300x400', -vf => 'format=rgba,colorchannelmixer=aa=0.5');
made('small.webp', -i => 'testsrc2=s=40x30');
made('moving.gif', -i => 'testsrc2=s=320x240');
made('full.png', -i => 'testsrc2=s=300x400', -vf => 'format=rgba');
made('deep.png', -i => 'testsrc2=s=300x400', -pix_fmt => 'rgba64be', -vf => 'format=rgba,colorchannelmixer=aa=0.5');
made('grey.png', -i => 'testsrc2=s=300x400', -pix_fmt => 'gray16be');
# Its upper half is red. A camera that was turned says so: EXIF's Orientation.
made('halves.jpg', -i => 'color=red:s=64x32', -vf => 'pad=64:64:0:0:blue', -q => 1);
{
	my $plain = do { local (@ARGV, $/) = "$dir/pic-halves.jpg"; <> };
	for my $way (1 .. 8) {
		my $exif = "Exif\0\0" . 'MM' . pack 'n N n n n N n n N', 42, 8, 1, 0x112, 3, 1, $way, 0, 0;
		written("held$way.jpg", substr($plain, 0, 2) . "\xff\xe1" . pack('n', 2 + length $exif) . $exif . substr $plain, 2);
	}
}
written('page', '<html>404</html>');
written('empty', '');
written('logo.svg', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
written('bomb.png', "\x89PNG\r\n\x1a\n" . pack('N a4 N N C5 N', 13, 'IHDR', 30_000, 30_000, 8, 2, 0, 0, 0, 0) . "\0" x 200);
written('cut.jpg', substr do { local (@ARGV, $/) = "$dir/pic-wide.jpg"; <> }, 0, 300);

my $listener = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "listen: $!\n";
my $server = fork // die "fork: $!\n";
if (!$server) {
	$SIG{CHLD} = 'IGNORE';
	while (my $client = $listener->accept) {
		my ($name) = (<$client> // '') =~ m{^GET /(pic-[\w.]+)} or next;
		open my $log, '>>', "$dir/log" or die;
		syswrite $log, "$name\n";
		while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
		my $file = -e "$dir/gone" ? undef : "$dir/$name";
		my ($in, $bytes);
		$bytes = do { local $/; <$in> // '' } if defined $file && open $in, '<:raw', $file;
		print $client defined $bytes ? "HTTP/1.1 200 OK\r\nContent-Length: " . length($bytes) . "\r\nConnection: close\r\n\r\n$bytes"
			: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	}
	POSIX::_exit(0);
}
END { kill KILL => $server if $server }
my $port = $listener->sockport;
sub fetched { my ($name) = @_; open my $log, '<', "$dir/log" or return 0; return scalar grep { /^\Q$name\E$/ } <$log> }

my $resolver = Resolver->new(base => "http://127.0.0.1:$port");
my $app = App->new(gateway => Gateway->new, conf => { rate_video_info => 'none', relay_threads => 64 }, sources => [ $resolver->source(allow => ["127.0.0.1/32:$port"]) ]);

# The id of a page whose thumbnail is that.
my %page;
sub page { my ($how) = @_; return $page{$how} //= $app->post('/api/video-info', qq({"url":"https://p.example/$how/x"}))->json->{id} // die "no page $how\n" }

# Width and height of a PNG or a JPEG.
sub size_of {
	my ($bytes) = @_;
	return join 'x', unpack 'N N', substr $bytes, 16, 8 if $bytes =~ /^\x89PNG/;
	my $at = 2;
	while ($at + 9 < length $bytes) {
		my ($marker, $length, undef, $height, $width) = unpack 'n n C n n', substr $bytes, $at, 9;
		return "${width}x$height" if $marker >= 0xffc0 && $marker <= 0xffc2;
		$at += 2 + $length;
	}
	return 'none';
}

# --- what comes ----------------------------------------------------------------------------------------
for my $case (
	[ 'live-1',   256, 'image/jpeg', '256x256' ],
	[ 'live-1',   100, 'image/jpeg', '128x128' ],
	[ 'vod-101',  256, 'image/jpeg', '171x256' ],
	[ 'ser-201',  64,  'image/jpeg' ],
	[ 'pic-wide.jpg',   256, 'image/jpeg', '256x96' ],
	[ 'pic-wide.jpg',  2048, 'image/jpeg', '800x300' ],
	[ 'pic-clear.png',  200, 'image/png',  '192x256' ],
	[ 'pic-small.webp',  64, 'image/jpeg', '40x30' ],
	[ 'pic-moving.gif',  64, 'image/jpeg', '64x48' ],
	[ 'pic-full.png',   200, 'image/jpeg', '192x256' ],
	[ 'pic-deep.png',   200, 'image/png',  '192x256' ],
	[ 'pic-grey.png',   200, 'image/jpeg', '192x256' ],
) {
	my ($id, $size, $type, $pixels) = @$case;
	$id = page($id) if $id =~ /^pic/;
	my $reply = $app->get("/cdn/art/$id?size=$size");
	is $reply->status, 200, "$case->[0] at $size" or diag $reply->body;
	like $reply->header('Content-Type'), qr/^(?:$type)$/, 'is what it is';
	is size_of($reply->body), $pixels, 'of that size' if $pixels;
	is $reply->header('Cache-Control'), 'public, max-age=86400', 'for a day';
}
# Where the red half is: what the values of Orientation mean (JEITA CP-3451, 4.6.4).
my %red = (1 => 'top', 2 => 'top', 3 => 'bottom', 4 => 'bottom', 5 => 'left', 6 => 'right', 7 => 'right', 8 => 'left');
for my $way (sort keys %red) {
	my $file = "$dir/turned";
	open my $out, '>:raw', $file or die "$file: $!\n";
	print $out $app->get('/cdn/art/' . page("pic-held$way.jpg") . '?size=64')->body;
	close $out;
	my @pixels = unpack '(a3)*', `ffmpeg -v error -i '$file' -vf scale=3:3:flags=area -f rawvideo -pix_fmt rgb24 -`;
	my %at = (top => 1, left => 3, right => 5, bottom => 7);
	my ($found) = grep { my ($r, undef, $b) = unpack 'C3', $pixels[ $at{$_} ] // "\0\0\0"; $r > 200 && $b < 50 } sort keys %at;
	is $found, $red{$way}, "a camera that was held in way $way";
}
for my $case (
	[ 'live-999', 404 ], [ 'vod-none', 404 ], [ 'url-0000', 404 ], [ '!', 400 ], [ 'live-1?size=0', 400 ], [ 'live-1?size=3000', 400 ],
	[ 'live-1?size=x', 400 ], [ 'pic-page', 502 ], [ 'pic-empty', 502 ], [ 'pic-logo.svg', 502 ], [ 'pic-bomb.png', 502 ], [ 'pic-cut.jpg', '200|502' ],
	[ 'pic-missing', 502 ], [ 'good', 502 ],
) {
	my ($id, $status) = @$case;
	$id = page($id) if $id =~ /^(?:pic|good)/;
	like $app->get("/cdn/art/$id")->status, qr/^(?:$status)$/, "no picture: $case->[0]";
}

# What would be run by a browser is not sent as that, whatever its source and its resolver call it.
my $picture = $app->get('/cdn/stream/' . page('script'));
is $picture->status, 200, 'a picture that is called a video';
like $picture->body, qr/^<svg /, 'is sent';
is $picture->header('Content-Type'), 'application/octet-stream', 'as bytes';
is scalar(() = glob $app->{dir} . '/*/pub/*.svg'), 0, 'under no name that says otherwise';

# --- once, and again -----------------------------------------------------------------------------------
my $target = '/cdn/art/' . page('pic-wide.jpg') . '?size=512';
my @seen = App::parallel(12, sub { my $reply = $app->get($target); return $reply->status . ' ' . length $reply->body });
is scalar(keys %{ { map { $_ => 1 } @seen } }), 1, "many who ask at once get the same: $seen[0]";
is fetched('pic-wide.jpg'), 3, 'which was fetched once for that size, as for the others before';
my $reply = $app->get($target);
is $reply->header('X-Cache'), 'HIT', 'then it is there';
is $app->get($target, 'If-Modified-Since' => $reply->header('Last-Modified'))->status, 304, 'and need not be sent again';
is length $app->head($target)->body, 0, 'HEAD is the same without it';
is $app->get($target, Range => 'bytes=0-9')->status, 206, 'parts of it can be had';
my ($name) = glob $app->www . '/cdn/art/art-*-512-*.jpg';
is $app->get(substr $name, length $app->www)->body, $reply->body, 'it is a file that the front server can send';
$app->move_clock(25 * 3600);
made('wide.jpg', -i => 'color=red:s=600x600');
is $app->get($target)->header('X-Cache'), 'STALE', 'after a day it is sent as it was';
ok $app->wait_for(sub { size_of($app->get($target)->body) eq '512x512' }, 15), 'and renewed meanwhile';
is $app->get($target)->header('X-Cache'), 'HIT', 'then it is fresh';
symlink '/dev/null', "$dir/gone" or die "gone: $!\n";
$app->move_clock(25 * 3600);
ok $app->wait_for(sub { $app->get($target); fetched('pic-wide.jpg') >= 5 }, 15), 'where it cannot be fetched any more';
is $app->get($target)->status . $app->get($target)->header('X-Cache'), '200STALE', 'the old one is sent on';
unlink glob $app->www . '/cdn/art/*';
unlink "$dir/gone";
$app->move_clock(3600);
$reply = $app->get($target);
is size_of($reply->body), '512x512', 'one that was evicted is made again';
done_testing;
