#!/usr/bin/perl
# t/37-film-sound.t - no sample of a film's sound is missing, doubled or moved, and no joint is heard.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Film;
use Test::More;

# name, track, copied or encoded; dB by which it differs from the source where that is worst
my @films = (
	[ 'base.mkv',       0, 'copy',   50 ],
	[ 'base.ts',        0, 'copy',   50 ],
	[ 'hevc.mkv',       0, 'encode', 45 ],
	[ 'asp.avi',        0, 'encode', 45 ],
	[ 'plain.avi',      0, 'encode', 45 ],
	[ 'tracks.mkv',     1, 'encode', 45 ],
	[ 'sound.flac',     0, 'encode', 45 ],
	[ 'sound.mka',      0, 'copy',   50 ],
	[ 'sorenson.flv',   0, 'encode', 45 ],
	[ 'program.mpg',    0, 'encode', 45 ],
	[ 'windows.wmv',    0, 'encode', 20 ],
	[ 'crowded.ts',     0, 'copy',   50 ],
);
push @films, [ 'crowded.mkv', 0, 'copy', 50 ], [ 'crowded.mp4', 0, 'copy', 50 ], [ 'base.flv', 0, 'copy', 50 ], [ 'anamorphic.mkv', 0, 'encode', 45 ], [ 'base.mp4', 0, 'copy', 50 ], [ 'odd.mkv', 0, 'encode', 45 ], [ 'vp9.webm', 0, 'encode', 20 ], [ 'uneven.mkv', 0, 'encode', 45 ],
	[ 'interlaced.ts', 0, 'encode', 45 ], [ 'sound.m4a', 0, 'copy', 50 ], [ 'sound.mp3', 0, 'encode', 45 ], [ 'tracks.mkv', 0, 'copy', 50 ]
	if $ENV{SLUICE_LONG};

use constant BLOCK => 512;

# The signal to noise ratio of the worst block, the ends left out, when the source is `shift` later.
sub worst
{
	my ($got, $want, $shift) = @_;
	my $worst = 999;
	for my $block (5 .. @$got / BLOCK - 8) {
		my ($signal, $noise) = (1e-9, 1e-9);
		for my $i ($block * BLOCK .. ($block + 1) * BLOCK - 1) {
			my $x = $want->[ $i + $shift ] // 0;
			$signal += $x * $x;
			$noise  += ($got->[$i] - $x)**2;
		}
		my $db = 10 * log($signal / $noise) / log(10);
		$worst = $db if $signal > 1 && $db < $worst;
	}
	return $worst;
}

for (@films) {
	my ($name, $track, $how, $db) = @$_;
	my $film = Film->new($name);
	ok $film->index, "$name has an index" or diag($film->{error}), next;
	my @tracks = $film->{index} =~ /^audio \S+ #\d+ (\S+) \d+->(\d+)/mg;
	my ($said_how, $rate) = @tracks[ 2 * $track, 2 * $track + 1 ];
	is $said_how, $how, "its track $track: $how";
	my $joined = $film->joined("a$track");
	ok $joined, "$name: a$track is made" or diag($film->{error}), next;
	my ($got,  $first,  $said) = Film::samples($joined,     $rate);
	my ($want, $from) = Film::samples($film->path, $rate, $track);
	is $said, '', 'and decodes without a word';
	my @times = map { $_->[0] } Film::packets($joined, 'a:0');
	my $steps = grep { abs(($times[$_] - $times[ $_ - 1 ]) * $rate - 1024) > 0.6 } 1 .. $#times;
	is $steps, 0, 'every frame follows the one before by 1024 samples';
	cmp_ok abs($times[-1] + 1024 / $rate - ($film->begins)[0] - ($film->{index} =~ /, ([\d.]+) s, peak/)[0]), '<', 0.08,
		'to the end of the title';
	# Sample i of what was made is due first + i / rate seconds into the title.
	my $shift = sprintf '%.0f', ($first - ($from - $film->origin)) * $rate;
	my $worst = worst($got, $want, $shift);
	cmp_ok $worst, '>', $db, sprintf '%s: like the source everywhere, in place to the sample (%.0f dB)', $name, $worst;
	cmp_ok worst([ @$got[ 0 .. 60000 ] ], $want, $shift + 48), '<', $db, 'which a millisecond beside it is not';
}

# Sound that begins late: silence, then all of it.
my $late = Film->new('late.mkv');
my ($got) = Film::samples($late->joined('a0'), 48000);
my ($quiet, $loud) = (0, 0);
for (10_000 .. 140_000) { $quiet = abs $got->[$_] if abs $got->[$_] > $quiet }
for (145_000 .. 150_000) { $loud = abs $got->[$_] if abs $got->[$_] > $loud }
cmp_ok $quiet, '<', 0.001, 'silence until the sound begins';
cmp_ok $loud, '>', 0.2, 'and then the sound';

# Sound that is stereo for six seconds and 5.1 from then on: one track of stereo, without a gap.
my $surround = Film->new('surround.ts');
ok $surround->index && $surround->index =~ /^audio aac #1 copy 48000->48000 Hz 2 ch/m, 'sound that changes to 5.1 is copied at first';
my ($both, undef, $said) = Film::samples($surround->joined('a0'), 48000);
is $said, '', 'and all of it decodes without a word';
my @times = map { $_->[0] } Film::packets("$surround->{dir}/a0/joined.mp4", 'a:0');
is scalar(grep { abs(($times[$_] - $times[ $_ - 1 ]) * 48000 - 1024) > 0.6 } 1 .. $#times), 0, 'every frame follows the one before';
for my $second (1 .. 4, 7 .. 10) {
	my $most = 0;
	for ($second * 48000 .. $second * 48000 + 4800) { $most = abs $both->[$_] if abs $both->[$_] > $most }
	cmp_ok $most, '>', 0.1, "and is heard after $second s";
}

done_testing;
