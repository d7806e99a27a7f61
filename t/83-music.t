#!/usr/bin/perl
# t/83-music.t - music files of our own: as they are, smaller, or in another format; made once.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(sha256_hex);
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use App;
use Parts;

my $dir = File::Temp->newdir;
my $SECONDS = 12;

sub made {
	my ($name, @how) = @_;
	system('ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', '-i', "sine=frequency=440:duration=$SECONDS:sample_rate=44100", @how, "$dir/$name") == 0
		or die "$name cannot be made\n";
	return;
}
sub slurp { my ($path) = @_; open my $file, '<:raw', $path or die "$path: $!\n"; local $/; return scalar <$file> }
sub spit { my ($path, $bytes) = @_; open my $file, '>:raw', $path or die "$path: $!\n"; print $file $bytes; close $file; return }
made('Loud.flac', -ac => 2);
made('Old.mp3', -ac => 2, '-b:a' => '256k');
made('High.wav', -ar => 96_000, -ac => 6);
spit("$dir/Letter.mp3", "Dear all,\n" x 100);
spit("$dir/Film.mkv", 'no film');
spit("$dir/Cut.flac", substr slurp("$dir/Loud.flac"), 0, 100_000);
my $app = App->new(sources => [ { name => 'music', type => 'files', url => "$dir" } ], conf => { relay_threads => 40 });

sub id_of { my ($file, $kind) = @_; return ($kind // 'trk') . '-' . substr sha256_hex($file), 0, 16 }
sub stream { my ($file, $query) = @_; return $app->get('/cdn/stream/' . id_of($file) . ($query // '')) }
sub count { my ($file) = @_; return scalar(() = $app->log =~ /art|music\[\d+\] music id=\Q@{[ id_of($file, 'trk') ]}\E /g) }

# Codec, rate, channels and seconds of what came.
sub probe {
	my ($bytes) = @_;
	my $file = File::Temp->new;
	print $file $bytes;
	$file->flush;
	my $found = `ffprobe -v error -show_entries stream=codec_name,sample_rate,channels -of csv=p=0 '$file' 2>&1`;
	my $samples = `ffmpeg -v error -i '$file' -f s16le -ac 1 -ar 8000 - 2>/dev/null | wc -c`;
	chomp $found;
	return ($found, $samples / 16_000);
}

for my $case (
	[ 'Loud.flac', '?quality=low',               'audio/aac',  'aac,44100,2',  64 ],
	[ 'Loud.flac', '?quality=medium',            'audio/aac',  'aac,44100,2',  128 ],
	[ 'Loud.flac', '?quality=medium&format=mp3', 'audio/mpeg', 'mp3,44100,2',  128 ],
	[ 'Loud.flac', '?format=mp3',                'audio/mpeg', 'mp3,44100,2',  320 ],
	[ 'Loud.flac', '?quality=low&format=opus',   'audio/ogg',  'opus,48000,2', 48 ],
	[ 'Old.mp3',   '?quality=low&format=mp3',    'audio/mpeg', 'mp3,44100,2',  64 ],
	[ 'High.wav',  '?quality=high&format=flac',  'audio/flac', 'flac,48000,2', 0 ],
	[ 'High.wav',  '?quality=medium',            'audio/aac',  'aac,48000,2',  128 ],
) {
	my ($file, $query, $type, $stream, $kbps) = @$case;
	my $reply = stream($file, $query);
	is $reply->status, 200, "$file$query" or diag $reply->body, $app->log =~ /^(.*music.*)$/mg;
	is $reply->header('Content-Type'), $type, "is $type";
	my ($found, $seconds) = probe($reply->body);
	is $found, $stream, 'as it is wished';
	cmp_ok abs($seconds - $SECONDS), '<', 0.15, "of its length: $seconds s";
	cmp_ok length($reply->body) * 8 / $SECONDS, '<=', $kbps * 1000 * 1.1 + 8000, "and of at most $kbps kb/s" if $kbps;
}
for my $case ([ 'Loud.flac', '', 'audio/flac' ], [ 'Loud.flac', '?quality=high', 'audio/flac' ], [ 'Old.mp3', '?format=mp3', 'audio/mpeg' ],
	[ 'Old.mp3', '?quality=high&format=auto', 'audio/mpeg' ], [ 'Loud.flac', '?quality=low&format=flac', 'audio/flac' ]) {
	my $reply = stream($case->[0], $case->[1]);
	is $reply->header('Content-Type'), $case->[2], "$case->[0]$case->[1] is sent as it is";
	ok $reply->body eq slurp("$dir/$case->[0]"), 'byte for byte';
	is $reply->header('X-Cache'), 'HIT', 'nothing had to be made for it';
}
is $app->get('/cdn/stream/' . id_of('Loud.flac', 'vod') . '?quality=low')->header('Content-Type'), 'audio/aac', 'by the id of a film it is the same';
for my $case ([ 'Loud.flac', '?format=wav', 400 ], [ 'Loud.flac', '?quality=best', 400 ], [ 'None.mp3', '', 404 ], [ 'Film.mkv', '', 404 ],
	[ 'Letter.mp3', '?quality=low', 502 ]) {
	is stream($case->[0], $case->[1])->status, $case->[2], "$case->[0]$case->[1] is $case->[2]";
}
cmp_ok stream('Letter.mp3', '?quality=low')->header('Retry-After'), '>', 0, 'what cannot be read is left alone for a while';
my ($kind, $seconds) = probe(stream('Cut.flac', '?quality=low')->body);
cmp_ok $seconds, '>', 0.2, "of one that is cut there is what there is: $seconds s";

# --- once --------------------------------------------------------------------------------------------
my $target = '/cdn/stream/' . id_of('Old.mp3') . '?quality=medium&format=opus';
my @seen = App::parallel(10, sub { my $reply = $app->get($target); return $reply->status . ' ' . length $reply->body });
is scalar(keys %{ { map { $_ => 1 } @seen } }), 1, "ten who ask at once get the same: $seen[0]";
my $reply = $app->get($target);
is $reply->header('X-Cache'), 'HIT', 'then it is there';
my $part = $app->get($target, Range => 'bytes=1000-1999');
is $part->status, 206, 'parts of it can be had';
ok $part->body eq substr($reply->body, 1000, 1000), 'the right ones';
is $app->get($target, 'If-Modified-Since' => $reply->header('Last-Modified'))->status, 304, 'and it need not be sent again';
is scalar(() = $app->log =~ /music id=\S+ format=opus kbps=96 said=ok/g), 1, 'it was made once';
is scalar(grep { /\.opus$/ && slurp($_) eq $reply->body } glob $app->www . '/cdn/m/*'), 1, 'and is published';

# --- before it is played --------------------------------------------------------------------------------
sub prefetch { my ($file, $query) = @_; return $app->get('/prefetch?v=' . id_of($file) . $query) }
is prefetch('Old.mp3', '')->json->{status}, 'warm', 'what is sent as it is needs no making ready';
is prefetch('Old.mp3', '&quality=low&format=aac')->json->{status}, 'warming', 'what has to be made does';
ok $app->wait_for(sub { prefetch('Old.mp3', '&quality=low&format=aac')->json->{status} eq 'warm' }, 60), 'and then is ready';
is stream('Old.mp3', '?quality=low&format=aac')->header('X-Cache'), 'HIT', 'to be played';
ok $app->wait_for(sub { stream('Letter.mp3', '?quality=low'); prefetch('Letter.mp3', '&quality=low')->status == 502 }, 30),
	'what failed a moment ago is answered with that';

# --- while it is made -----------------------------------------------------------------------------------
system('ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', '-i', 'anoisesrc=duration=300:sample_rate=44100:amplitude=0.1', '-ac', 2, "$dir/Long.wav") == 0 or die "Long.wav\n";
$app->import_sources;
mkdir $app->state_dir . '/music';
spit($app->state_dir . '/music/left.mp3', 'by one who died');
my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $app->port) or die "connect: $!\n";
syswrite $socket, 'GET /cdn/stream/' . id_of('Long.wav') . "?quality=low&format=mp3 HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\nConnection: close\r\n\r\n";
my $answer = '';
1 while length $answer < 20_000 && sysread $socket, $answer, 16_384, length $answer;
is scalar(my @already = grep { -s > 2_000_000 } glob $app->www . '/cdn/m/*.mp3'), 0, 'a long one is not made yet';
like $answer, qr{^HTTP/1\.1 200 .*Content-Type: audio/mpeg\r\n}s, 'when its beginning comes';
my $early = sub { my ($range, @headers) = @_; return $app->get('/cdn/stream/' . id_of('Long.wav') . '?quality=low&format=mp3', Range => $range, @headers) };
my @early = map { $early->($_) } 'bytes=1000-200999', 'bytes=100000-';
# While nothing more of it is made: who asks for a head waits, but not for ever.
my ($job) = $app->pids('music');
my @encoders = grep { (App::_slurp("/proc/$_/stat") =~ /\) \S+ (\d+)/ ? $1 : 0) == ($job // -1) } map { m{(\d+)$} } glob '/proc/[0-9]*';
kill STOP => @encoders;
my $asks = open(my $head, '-|') // die "fork: $!\n";
if (!$asks) {
	my $reply = $app->head('/cdn/stream/' . id_of('Long.wav') . '?quality=low&format=mp3');
	print join ' ', $reply->status, $reply->header('Content-Type') // '-', $reply->header('Content-Length') // '-';
	close STDOUT;
	POSIX::_exit(0);
}
my $selected = IO::Select->new($head);
ok $app->wait_for(sub { $app->move_clock(4); $selected->can_read(0.1) }, 30), 'a head is waited for';
is scalar <$head>, '200 audio/mpeg -', 'for some seconds, and then has no length';
kill CONT => @encoders;
is $early->('bytes=0-9', 'If-Match' => '"x"')->status, 412, 'a tag that nothing has keeps its word, too';
1 while sysread $socket, $answer, 262_144, length $answer;
my $whole = App::Client::_unchunked($answer =~ s/\A.*?\r\n\r\n//sr);
my ($long) = grep { -s > 2_000_000 } glob $app->www . '/cdn/m/*.mp3';
ok defined $whole && defined $long && $whole eq slurp($long), 'and the rest follows, up to its end';
is scalar(my @left = glob $app->state_dir . '/music/*'), 0, 'nothing is left of it but what is published';
for my $case ([ $early[0], 1000, 200_999 ], [ $early[1], 100_000, undef ]) {
	my ($got, $first, $last) = @$case;
	my $all = defined $long ? slurp($long) : '';
	like $got->header('Content-Range'), defined $last ? qr{^bytes $first-$last/} : qr{^bytes $first-\d+/}, 'a part of what is being made comes: ' . $got->header('Content-Range');
	is $got->status . ' ' . $got->header('Content-Length'), '206 ' . length $got->body, 'as a part of its length';
	ok $got->body eq substr($all, $first, length $got->body), 'with the bytes that it has in the end';
}
for my $case ([ 'audio/ogg', 'audio/ogg' ], [ 'audio/mp4', 'audio/aac' ], [ 'audio/mpeg', 'audio/mpeg' ], [ '*/*', 'audio/aac' ], [ 'text/html', 'audio/aac' ],
	[ 'audio/webm,audio/ogg,audio/*;q=0.9', 'audio/aac' ], [ 'audio/mp4;q=0,audio/aac;q=0,audio/webm', 'audio/ogg' ]) {
	my $reply = $app->get('/cdn/stream/' . id_of('Loud.flac') . '?quality=low&format=auto', Accept => $case->[0]);
	is $reply->header('Content-Type'), $case->[1], "auto, for who takes $case->[0]";
	like $reply->header('Vary'), qr/Accept/, 'which the answer depends on';
}
made('Old.mp3', -ac => 1, '-b:a' => '64k');
isnt $app->get($target)->body, $reply->body, 'another file of that name is another one';

# --- a file that says it is of tomorrow -------------------------------------------------------------------
my $tomorrow = time + 86_400;
utime $tomorrow, $tomorrow, "$dir/Loud.flac" or die "Loud.flac: $!\n";
my ($first, $second) = map { stream('Loud.flac')->header('Last-Modified') } 1 .. 2;
my $date = Parts::_seconds($first);
ok $date && $date <= time, "is as old as it is known to be so: $first";
is $second, $first, 'which does not change';
is $app->get('/cdn/stream/' . id_of('Loud.flac'), Range => 'bytes=0-9', 'If-Range' => $first)->status, 206, 'so that parts of it can be had';
done_testing;
