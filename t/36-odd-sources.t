#!/usr/bin/perl
# t/36-odd-sources.t - sources as they also are, each behind the other in one channel: what is encoded of
# them, and that it is sound.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
no warnings qw(qw);    # "width,height" is one word
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use App;
use Gateway;
use Watch;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg') && App::which('ffprobe');

my $media = Gateway::media();
system("$FindBin::Bin/odd-media", "$media/odd") == 0 or plan skip_all => 'this ffmpeg cannot make the sources';
my $gateway = Gateway->new(dir => $media);
$gateway->control('set', token_life => 3600);
my @rungs = qw(480p 240p audio);
my $app = App->new(
	gateway => $gateway, via => 'fastcgi', conf => { ladder => "@rungs", audio_language => 'fra eng', slate_dir => '' },
);
my $watch = Watch->new($app, 1, qw(240p));

# What the film is, then: renditions of the master, size of the lowest, time of a picture, sound.
my @cases = (
	[ 'silent', '240p', '426x240', 3600, 0 ],
	[ 'radio',  'audio', '', 0, 440 ],
	[ 'tracks', '240p audio', '426x240', 3600, 1320 ],
	[ 'hevc',   '240p audio', '426x240', 3600, 440 ],
	[ 'dvb',    '240p audio', '426x240', 3600, 440 ],
	[ 'mpeg2',  '480p 240p audio', '320x240', 3600, 440 ],
	[ 'interlaced', '480p 240p audio', '426x240', 3600, 440 ],
	[ 'wrong',  '240p audio', '426x240', 3600, 440 ],
	[ 'low',    '240p audio', '426x240', 3600, 440 ],
	[ 'variable', '240p audio', '426x240', undef, 440 ],
);

# The text of a command over these bytes.
sub pipe_through {
	my ($bytes, @command) = @_;
	my $path = $app->dir . '/piece.ts';
	open my $file, '>:raw', $path or die "$path: $!\n";
	print $file $bytes;
	close $file;
	open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', map { $_ eq 'FILE' ? $path : $_ } @command or die "$command[0]: $!\n";
	my $text = do { local $/; <$pipe> } // '';
	close $pipe;
	return $text;
}

# How many times a second the sound goes through zero, upwards.
sub pitch {
	my ($bytes) = @_;
	my @samples = unpack 's<*', pipe_through($bytes, qw(ffmpeg -v error -i FILE -vn -ac 1 -ar 8000 -f s16le -));
	my $times = grep { $samples[ $_ - 1 ] < 0 && $samples[$_] >= 0 } 1 .. $#samples;
	return @samples ? int($times * 8000 / @samples + 0.5) : 0;
}

for my $case (@cases) {
	my ($name, $rungs, $size, $frame, $hertz) = @$case;
	my $periods = $watch->periods;
	$gateway->control('as', id => 1, path => "odd/$name.ts");
	$gateway->control('cut', kind => 'live', how => 'cut');
	ok $watch->until(sub { $watch->periods == $periods + 1 }, 30), "$name: plays, after one discontinuity";
	my $from = $watch->newest('240p');
	ok $watch->goes_on(3, 30), 'and goes on';
	my @numbers = grep { $_ > $from } $watch->numbers('240p');
	is join(' ', map { s/\.m3u8//r } map { $_->{uri} } Hls->read($app->get('/api/hls/1/master.m3u8')->body)->variants),
		$rungs, 'the master lists what is encoded of it';
	my $bytes = join '', map { $app->get($watch->segment('240p', $_)->{uri})->body } @numbers;
	my ($uri) = $watch->segment('240p', $numbers[0])->{uri} =~ m{/([^/]+)/\d+\.ts$};
	is $uri, $size ? '240p' : 'audio', 'the lowest rendition plays the nearest that there is';
	is pipe_through($bytes, qw(ffmpeg -v error -i FILE -f null -)), '', 'it decodes without a complaint';
	(my $seen = pipe_through($bytes, qw(ffprobe -v error -select_streams v -show_entries stream=width,height -of csv=p=0:s=x FILE))) =~ s/\s.*//s;
	is $seen, $size, $size ? "its pictures are $size" : 'there is no picture';
	my $pitch = pitch($bytes);
	cmp_ok abs($pitch - $hertz), '<', 30, $hertz ? "its sound is the one of $hertz Hz ($pitch)" : 'there is no sound';
	is_deeply [ $watch->uneven('240p', $from + 1, video => $frame // 3600) ], [], 'every unit a frame after the other';
	unlike pipe_through($bytes, qw(ffmpeg -i FILE -vf idet -f null -)), qr/Multi frame detection: TFF: *[1-9]\d\d/, 'nothing is interlaced'
		if $name =~ /^(?:mpeg2|interlaced)$/;
}
is_deeply [ $watch->faults, $watch->joints ], [], 'with nothing wrong in any playlist, segment or joint';
diag $app->log if grep { !$_ } Test::More->builder->summary;
done_testing;
