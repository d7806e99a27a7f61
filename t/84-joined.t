#!/usr/bin/perl
# t/84-joined.t - a page that offers picture and sound apart: they are joined by HLS, and each byte of them
# comes once.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use Test::More;
use App;
use Gateway;
use Resolver;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
my ($SECONDS, $dir) = (12, File::Temp->newdir);

# Fragmented MP4 with an index at its beginning, as pages offer it.
sub made {
	my ($file, $flags, @how) = @_;
	system('ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', @how, '-movflags', $flags, '-f', 'mp4', "$dir/$file") == 0 or die "$file cannot be made\n";
	return;
}
my @x264 = ('-c:v', 'libx264', '-preset', 'ultrafast', '-g', 50, '-sc_threshold', 0, '-pix_fmt', 'yuv420p');
my $indexed = '+dash+global_sidx+delay_moov';
made("$_->[0].mp4", "$indexed+frag_keyframe", '-i', "testsrc=size=$_->[1]:rate=25:duration=$SECONDS", @x264) for [ 501, '320x180' ], [ 502, '640x360' ];
made('503.mp4', $indexed, '-i', "sine=frequency=440:duration=$SECONDS:sample_rate=44100", '-c:a', 'aac', '-b:a', '64k', '-frag_duration', 2_000_000);
made('504.mp4', '+faststart', '-i', "testsrc=size=320x180:rate=25:duration=2", @x264);

my $gateway = Gateway->new(dir => "$dir");
my ($port, $edge) = ($gateway->port, $gateway->edge_port);
my %url = map { $_ => $gateway->vod_url("$_.mp4") } 501 .. 504;
open my $program, '>', "$dir/resolver" or die "resolver: $!\n";
print $program <<"SH";
#!/bin/sh
for last; do :; done
picture() { printf 'id: v%s\\nkind: video\\next: mp4\\ncodecs: avc1.42C01F\\nheight: %s\\nkbps: %s\\nurl: %s\\n' "\$@"; }
sound() { printf 'id: a1\\nkind: audio\\next: m4a\\ncodecs: mp4a.40.2\\nkbps: 64\\nurl: $url{503}\\n'; }
case \$last in
*/apart*) picture 1 180 150 $url{501}; picture 2 360 400 $url{502}; sound ;;
*/silent*) picture 1 180 150 $url{501} ;;
*/webm/*) printf 'kind: video\\next: webm\\ncodecs: vp9\\nheight: 720\\nurl: https://e.example/v\\nkind: audio\\next: webm\\ncodecs: opus\\nurl: https://e.example/a\\n' ;;
*/opus/*) picture 1 180 150 $url{501}; printf 'kind: audio\\next: webm\\ncodecs: opus\\nurl: https://e.example/a\\n' ;;
*/live/*) printf 'kind: both\\next: mp4\\nheight: 720\\nurl: https://e.example/live/index.m3u8?key=1\\n' ;;
*/plain/*) picture 4 180 150 $url{504}; sound ;;
*/whole/*) picture 2 360 400 $url{502}; printf 'id: b\\nkind: both\\next: mp4\\nheight: 180\\nurl: $url{504}\\n' ;;
*) sound ;;
esac
SH
close $program;
chmod 0755, "$dir/resolver", $dir;
my $app = App->new(import => 0, conf => { rate_video_info => 'none' },
	sources => [ Resolver->new->source(command => ["$dir/resolver"], media => 'video', allow => [ "127.0.0.1/32:$port", "127.0.0.1/32:$edge" ]) ]);

# What it is, and a digest of each stream's samples.
sub probe {
	my ($input) = @_;
	return [ sort split /\n/, `ffmpeg -nostdin -v error -i '$input' -map 0 -c copy -f streamhash -hash md5 - 2>&1` =~ s/^\d+,//mgr ];
}
sub hashes { return [ sort map { @{ probe("$dir/$_.mp4") } } @_ ] }
sub base { return 'http://127.0.0.1:' . $app->port }
sub slurp { my ($path) = @_; open my $file, '<:raw', $path or die "$path: $!\n"; local $/; return scalar <$file> }

my $reply = $app->get('/cdn/stream/apart?quality=720p');
is $reply->status . ' ' . ($reply->header('Location') // '-') =~ s{^https?://[^/]+}{}r, '302 /cdn/hls/apart/master.m3u8?quality=720p',
	'what is in two parts is played by a list' or diag $reply->body;
my $master = $app->get('/cdn/hls/apart/master.m3u8?quality=720p');
is $master->status . ' ' . $master->header('Content-Type'), '200 application/vnd.apple.mpegurl', 'which there is' or diag $master->body;
is_deeply [ $master->body =~ /^picture-(\w+)\.m3u8$/mg ], [qw(720p 240p)], 'with each picture once' or diag $master->body;
like $master->body, qr/BANDWIDTH=464000,CODECS="avc1\.42C01F,mp4a\.40\.2",AUDIO="sound"$/m, 'what it takes and what is in it';
my $list = $app->get('/cdn/hls/apart/picture-240p.m3u8')->body;
my @parts = $list =~ /^#EXT-X-BYTERANGE:(\d+@\d+)$/mg;
is scalar @parts, $SECONDS / 2, 'a list has a part for each two seconds' or diag $list;
my ($length, $at) = $parts[-1] =~ /(\d+)@(\d+)/;
is $length + $at, $at ? (-s "$dir/501.mp4") - tail("$dir/501.mp4") : 0, 'up to the end of the file';
my ($uri) = $list =~ m{^(picture-240p\.mp4)$}m;
my $part = $app->get("/cdn/hls/apart/$uri", Range => "bytes=$at-" . ($at + $length - 1));
is $part->status, 206, 'each of them a part of the object';
ok $part->body eq substr(slurp("$dir/501.mp4"), $at, $length), 'with its bytes';
is_deeply probe(base() . '/cdn/hls/apart/picture-240p.m3u8'), hashes(501), 'ffmpeg reads the picture, sample for sample';
is_deeply probe(base() . '/cdn/hls/apart/sound.m3u8'), hashes(503), 'and the sound';
my $seen = `ffprobe -v error -show_entries stream=codec_name,height -of csv=p=0 '@{[ base() ]}/cdn/stream/apart?quality=360p' 2>&1`;
my %seen = map { s/,?$//r => 1 } grep { length } split /\n/, $seen;
is_deeply [ sort keys %seen ], [ 'aac', 'h264,180', 'h264,360' ], 'a player that follows the address gets both' or diag $seen;
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
is $app->get('/health')->json->{cache}{prefetchCacheSize}, 1, 'as one stream';
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
like $silent, qr/CODECS="avc1\.42C01F"$/m, 'a picture without sound plays without' or diag $silent;
is $app->get('/cdn/stream/whole?quality=720p')->status, 200, 'one that is there in one part is sent as that';
my $plain = $app->get('/cdn/hls/plain/picture-240p.m3u8');
is $plain->status, 502, 'what has no index cannot be joined';
like $plain->json->{error}{message}, qr/no index/, 'and that is said';
for my $case ([ 'apart/other.m3u8', 404 ], [ 'apart/picture-.m3u8', 404 ], [ 'apart/picture-720p.ts', 404 ], [ 'apart/master.mp4', 404 ], [ 'apart/master.m3u8?quality=best', 400 ], [ 'sound/master.m3u8', 404 ], [ 'none.x/master.m3u8', 404 ]) {
	is $app->get("/cdn/hls/$case->[0]")->status, $case->[1], "$case->[0] is $case->[1]";
}
unlike $app->log, qr/must failed|Sanitizer|status=139/, 'no process has died of a fault of ours';
done_testing;

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
