#!/usr/bin/perl
# t/37-film-rungs.t - every rung of a film that is hard to encode: its size, its level, its rate.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Film;
use Test::More;

plan skip_all => 'five rungs of 1080p take minutes; SLUICE_LONG=1 makes them' unless $ENV{SLUICE_LONG};

# name, picture, what its avcC says, BANDWIDTH / 1000 (lib/hls/ladder.c)
my @rungs = ([ '240p', '426x240', '4d401f', 350 ], [ '360p', '640x360', '4d401f', 600 ],
	[ '480p', '854x480', '4d401f', 1000 ], [ '720p', '1280x720', '640020', 2500 ], [ '1080p', '1920x1080', '64002a', 4500 ]);

my $film = Film->new('noisy.mkv');
my @begins = ($film->begins, ($film->index =~ /, ([\d.]+) s, peak/)[0]);
my ($target) = sort { $b <=> $a } map { $begins[ $_ + 1 ] - $begins[$_] } 0 .. $#begins - 1;

ok $film->joined('a0'), 'the sound is made' or diag $film->{error};
for (@rungs) {
	my ($rung, $size, $level, $kbps) = @$_;
	for my $urgent (0, 1) {
		my $dir = $rung . ($urgent ? '-urgent' : '');
		my $joined = $film->joined($rung, urgent => $urgent, as => $dir);
		ok $joined, "$dir is made" or diag($film->{error}), next;
		my $said = `ffprobe -v error -select_streams v:0 -show_entries stream=width,height -of csv=p=0:s=x '$joined'`;
		is $said =~ s/\s//gr, $size, 'as large as it is said to be';
		like unpack('H*', Film::_slurp("$film->{dir}/$dir/init")), qr/6176634301$level/, 'with the level that the master names';
		is scalar(() = Film::clock($joined)), 400, 'every picture';
		is `ffmpeg -nostdin -v warning -i '$joined' -f null - 2>&1`, '', 'and decodes without a word';
		# RFC 8216 section 4.3.4.2: the peak is over runs of segments of half to one and a half target durations.
		my @bits = map { 8 * ((-s "$film->{dir}/$dir/$_") + (-s "$film->{dir}/a0/$_")) / 1000 } 0 .. $film->segments - 1;
		my $peak = 0;
		for my $from (0 .. $#bits) {
			my $sum = 0;
			for my $to ($from .. $#bits) {
				my $s = $begins[ $to + 1 ] - $begins[$from];
				$sum += $bits[$to];
				$peak = $sum / $s if $s >= 0.5 * $target && $s <= 1.5 * $target && $sum / $s > $peak;
			}
		}
		cmp_ok $peak, '<=', $kbps, sprintf '%s: at most %.0f kb/s with its sound', $dir, $peak;
		cmp_ok $peak, '>', $kbps / 2, 'which this film needs';
	}
}

done_testing;
