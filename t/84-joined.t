#!/usr/bin/perl
# t/84-joined.t - a page that offers picture and sound apart: they are joined by HLS, and each byte of them
# comes once.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util ();
use Test::More;
use Apart;
use App;
use Hls;

my $SECONDS = 12;
my $apart = Apart->new(seconds => $SECONDS) or plan skip_all => 'ffmpeg is not installed';
my $gateway = $apart->gateway;
my $app = App->new($apart->app);

# What it is, and a digest of each stream's samples.
sub probe {
	my ($input) = @_;
	return [ sort split /\n/, `ffmpeg -nostdin -v error -i '$input' -map 0 -c copy -f streamhash -hash md5 - 2>&1` =~ s/^\d+,//mgr ];
}
sub hashes { return [ sort map { @{ probe($apart->file("$_.mp4")) } } @_ ] }
sub base { return 'http://127.0.0.1:' . $app->port }
sub slurp { my ($path) = @_; open my $file, '<:raw', $path or die "$path: $!\n"; local $/; return scalar <$file> }

my $reply = $app->get('/cdn/stream/apart?quality=720p');
is $reply->status . ' ' . ($reply->header('Location') // '-') =~ s{^https?://[^/]+}{}r, '302 /cdn/hls/apart/master.m3u8?quality=720p',
	'what is in two parts is played by a list' or diag $reply->body;
my $master = $app->get('/cdn/hls/apart/master.m3u8?quality=720p');
is $master->status . ' ' . $master->header('Content-Type'), '200 application/vnd.apple.mpegurl', 'which there is' or diag $master->body;
is_deeply [ Hls->read($master->body)->faults ], [], 'without a fault';
is_deeply [ $master->body =~ /^picture-(\w+)\.m3u8$/mg ], [qw(720p 240p)], 'with each picture once' or diag $master->body;
like $master->body, qr/BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=464000,CODECS="avc1\.42C01F,mp4a\.40\.2",RESOLUTION=640x360,AUDIO="sound"$/m,
	'what it takes, what is in it, and how large it is';
my $list = $app->get('/cdn/hls/apart/picture-240p.m3u8')->body;
for my $name (qw(picture-720p picture-240p sound)) {
	my $text = $app->get("/cdn/hls/apart/$name.m3u8")->body;
	is_deeply [ Hls->read($text)->faults ], [], "$name.m3u8 is a list without a fault";
	is $text =~ /^#EXT-X-INDEPENDENT-SEGMENTS\n/m ? 1 : 0, $name =~ /720/ ? 1 : 0, 'whose parts need no others where the index says it';
	is_deeply [ parts_faults($text, $name) ], [], 'and are fragments of one file behind the part that all need';
}
my @parts = $list =~ /^#EXT-X-BYTERANGE:(\d+@\d+)$/mg;
is scalar @parts, $SECONDS / 2, 'a list has a part for each two seconds' or diag $list;
my ($peak) = $master->body =~ /BANDWIDTH=(\d+).*\npicture-240p/;
cmp_ok $peak, '>=', peak($list) + peak($app->get('/cdn/hls/apart/sound.m3u8')->body), 'and none takes more than was said';
my ($length, $at) = $parts[-1] =~ /(\d+)@(\d+)/;
is $length + $at, $at ? (-s $apart->file('501.mp4')) - tail($apart->file('501.mp4')) : 0, 'up to the end of the file';
my ($uri) = $list =~ m{^(picture-240p\.mp4)$}m;
my $part = $app->get("/cdn/hls/apart/$uri", Range => "bytes=$at-" . ($at + $length - 1));
is $part->status, 206, 'each of them a part of the object';
ok $part->body eq substr(slurp($apart->file('501.mp4')), $at, $length), 'with its bytes';
is_deeply probe(base() . '/cdn/hls/apart/picture-240p.m3u8'), hashes(501), 'ffmpeg reads the picture, sample for sample';
is_deeply probe(base() . '/cdn/hls/apart/sound.m3u8'), hashes(503), 'and the sound';
my $seen = `ffprobe -v error -show_entries stream=codec_name,height -of csv=p=0 '@{[ base() ]}/cdn/stream/apart?quality=360p' 2>&1`;
my %seen = map { s/,?$//r => 1 } grep { length } split /\n/, $seen;
is_deeply [ sort keys %seen ], [ 'aac', 'h264,180', 'h264,360' ], 'a player that follows the address gets both' or diag $seen;
is $app->get('/cdn/stream/apart?quality=720p&format=auto', Accept => $_)->status, 302, "so does one that plays $_" for '*/*', 'audio/webm', 'audio/mp4';
is $app->head('/cdn/hls/apart/master.m3u8')->status, 200, 'a head of a list is one';
is_deeply probe(base() . '/cdn/hls/apart/master.m3u8?quality=240p'), hashes(501, 503), 'ffmpeg reads all of it, sample for sample';
is_deeply [ $app->get('/cdn/hls/apart/master.m3u8')->body =~ /^picture-(\w+)\.m3u8$/mg ], [qw(720p 240p)], 'the usual quality stands first';

# --- prefetch: both parts --------------------------------------------------------------------------------
sub asked { return join ' ', map { $gateway->title($_)->{streams} } 501 .. 503 }
sub warm { my ($v) = @_; return $app->wait_for(sub { $app->get("/prefetch?v=$v")->json->{status} eq 'warm' }, 20, "$v to be warm") }
my $before = asked();
$reply = $app->get('/prefetch?v=apart-next&quality=720p');
is $reply->status . ' ' . $reply->json->{status}, '202 warming', 'what is in two parts is made ready';
ok warm('apart-next&quality=720p'), 'and then it is';
my @before = split / /, $before;
is join(' ', map { $_ > shift @before ? 1 : 0 } split / /, asked()), '0 1 1', 'its picture and its sound were asked for';
$before = asked();
ok $app->wait_for(sub { $app->get('/health')->json->{cache}{prefetchCacheSize} == 1 }, 20), 'as one stream';
$app->get("/cdn/hls/apart-next/$_") for 'master.m3u8?quality=720p', 'picture-720p.m3u8', 'sound.m3u8';
for my $name (qw(picture-720p sound)) {
	my $bytes = $app->get("/cdn/hls/apart-next/$name.mp4", Range => 'bytes=0-99999');
	is $bytes->status . $bytes->header('X-Cache'), '206HIT', "the first of $name.mp4 is there";
}
is asked(), $before, 'nothing more is asked for when it is played';
ok warm('apart-next'), 'that is also what who names no quality is given';
is $app->get('/prefetch?v=apart-next&quality=240p')->json->{status}, 'warming', 'a lower picture has other bytes';
ok warm('silent-next'), 'a picture without sound is made ready alone';
is $app->get('/prefetch?v=plain&quality=low')->status, 202, 'and sound alone by itself';
is $app->get('/cdn/hls/apart-next/picture-720p.mp4', Range => 'bytes=0-9')->header('X-Cache'), 'HIT', 'what is kept of it';
is $app->post('/api/cache/purge', '{"id":"apart-next"}')->status, 200, 'is dropped when that is wished';
is $app->get("/cdn/hls/apart-next/$_.mp4", Range => 'bytes=0-9')->header('X-Cache'), 'MISS', "$_ too" for qw(picture-720p sound);

# --- what browsers cannot join, and what is no video --------------------------------------------------------
for my $case (
	[ '/cdn/stream/webm?quality=720p', qr/in no MP4 \(webm\), so that HLS cannot join/ ],
	[ '/cdn/stream/webm?quality=720p&format=auto', qr/in no MP4 \(webm\), so that HLS cannot join/ ],
	[ '/cdn/hls/webm/master.m3u8', qr/in no MP4 \(webm\), so that HLS cannot join/ ],
	[ '/prefetch?v=webm', qr/in no MP4 \(webm\), so that HLS cannot join/ ],
	[ '/cdn/stream/opus?quality=720p', qr/sound is in no MP4/ ],
	[ '/cdn/stream/live', qr/lists of segments \(HLS\).* channel of a source of type m3u/ ],
	[ '/cdn/stream/silent?quality=high', qr/only pictures without sound/ ],
) {
	my ($path, $why) = @$case;
	$app->wait_for(sub { $app->get($path)->status == 502 }, 20, "$path to fail");
	my $answer = $app->get($path);
	is $answer->status, 502, "$path cannot be had";
	like $answer->json->{error}{message}, $why, 'in words';
}
is $app->get("/cdn/$_")->status, 400, "no id: $_" for 'hls/a%20b/master.m3u8', 'hls/a%20b/sound.m3u8', 'hls/a%2Fb/picture-720p.mp4', 'stream/a%20b';

my $silent = $app->get('/cdn/hls/silent/master.m3u8')->body;
like $silent, qr/CODECS="avc1\.42C01F",RESOLUTION=320x180$/m, 'a picture without sound plays without' or diag $silent;
is $app->get('/cdn/stream/whole?quality=720p')->status, 200, 'one that is there in one part is sent as that';
my $plain = $app->get('/cdn/hls/plain/picture-240p.m3u8');
is $plain->status, 502, 'what has no index cannot be joined';
like $plain->json->{error}{message}, qr/no index/, 'and that is said';
for my $case ([ 'apart/other.m3u8', 404 ], [ 'apart/picture-.m3u8', 404 ], [ 'apart/picture-720p.ts', 404 ], [ 'apart/master.mp4', 404 ], [ 'apart/master.m3u8?quality=best', 400 ], [ 'sound/master.m3u8', 404 ], [ 'none.x/master.m3u8', 404 ]) {
	is $app->get("/cdn/hls/$case->[0]")->status, $case->[1], "$case->[0] is $case->[1]";
}
# --- a program that is told what is wished ------------------------------------------------------------------
my $told = App->new($apart->app(words => ['--quality={quality}']));
is $told->get('/cdn/stream/apart?quality=720p')->status, 302, 'where picture and sound are asked for apart, too';
my $both = $told->get('/cdn/hls/apart/master.m3u8?quality=720p')->body;
like $both, qr/AUDIO="sound"\npicture-720p\.m3u8$/m, 'both are there' or diag $both;

# --- what is too large to be kept --------------------------------------------------------------------------
my $small = App->new($apart->app(conf => { stream_quota => '1M' }));
is_deeply probe('http://127.0.0.1:' . $small->port . '/cdn/hls/apart/master.m3u8?quality=720p'), [ sort @{ hashes(501 .. 503) } ], 'is joined all the same';
is $small->get('/cdn/hls/apart/picture-720p.mp4', Range => 'bytes=0-9')->header('X-Cache'), 'MISS', 'though it is passed';

unlike $app->log . $told->log . $small->log, qr/must failed|Sanitizer|status=139/, 'no process has died of a fault of ours';
done_testing;

# Bits a second of the part that takes most.
sub peak {
	my ($text) = @_;
	return List::Util::max(map { /^([\d.]+).*?:(\d+)@/s ? $2 * 8 / $1 : 0 } split /#EXTINF:/, $text);
}

# What section 3.3 of RFC 8216 asks of fragmented MP4: the map is ftyp and moov, each part begins with a
# moof (or a styp before it), and they lie one behind the other.
sub parts_faults {
	my ($text, $name) = @_;
	my $file = slurp($apart->file({ 'picture-720p' => '502.mp4', 'picture-240p' => '501.mp4', sound => '503.mp4' }->{$name}));
	my ($length) = $text =~ /^#EXT-X-MAP:URI="$name\.mp4",BYTERANGE="(\d+)\@0"$/m or return 'there is no map';
	my @faults;
	push @faults, 'the map is none' if substr($file, 4, 4) ne 'ftyp' || substr($file, 0, $length) !~ /moov/ || substr($file, 0, $length) =~ /moof/;
	my $end;
	for my $range ($text =~ /^#EXT-X-BYTERANGE:(\d+\@\d+)$/mg) {
		my ($bytes, $at) = split /\@/, $range;
		push @faults, "a hole before $at" if defined $end && $end != $at;
		push @faults, "no fragment at $at" if substr($file, $at + 4, 4) !~ /^(?:moof|styp)$/;
		$end = $at + $bytes;
	}
	return @faults;
}

# Bytes behind the last part of the media: an index of another kind.
sub tail {
	my ($path) = @_;
	my ($bytes, $at, $after) = (slurp($path), 0, 0);
	while ($at + 8 <= length $bytes) {
		my ($length, $type) = unpack 'Na4', substr $bytes, $at, 8;
		$after = $type eq 'mfra' ? $length : $after;
		$at += $length;
	}
	return $after;
}
