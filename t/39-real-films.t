#!/usr/bin/perl
# t/39-real-films.t - films that others made: whole, in order, at their times, in every rendition.
# SPDX-License-Identifier: BSD-2-Clause
#
# SLUICE_TEST_MEDIA (or SLUICE_MEDIA_DIR) names a folder of films; without it nothing is tested here.
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Film;
use Test::More;

my $dir = $ENV{SLUICE_TEST_MEDIA} // $ENV{SLUICE_MEDIA_DIR};
plan skip_all => 'SLUICE_TEST_MEDIA names no folder' unless defined $dir && -d $dir;

# Long ones only up to here; every one is decoded several times.
use constant LONGEST_S => $ENV{SLUICE_LONG} ? 1000 : 70;

sub stamps { return map { $_->[0] eq 'N/A' ? () : $_->[0] } @_ }

for my $path (sort glob "'$dir'/*.{mkv,mka,mp4,avi,flv,ts,webm,flac,mp3}") {
	(my $name = $path) =~ s{.*/}{};
	my $film = Film->new($path);
	ok $film->index, "$name has an index" or diag($film->{error}), next;
	my ($seconds) = $film->{index} =~ /, ([\d.]+) s, peak/;
	next if $seconds > LONGEST_S;
	my $counted = $film->flags =~ /counted/;
	if ($film->{index} =~ /^video '\w/m) {
		my ($shown) = Film::pictures($path);
		my @want = grep { $_->[0] ne 'N/A' && $_->[0] > $film->origin - 0.0005 } @$shown;
		for my $rendition (($film->flags =~ /copy/ ? 'source' : ()), '240p') {
			my $joined = $film->joined($rendition);
			ok $joined, "$name: $rendition is made" or diag($film->{error}), next;
			my ($got, $said) = Film::pictures($joined);
			is scalar @$got, scalar @want, 'and has every picture';
			my @off = grep { abs($got->[$_][0] - ($want[$_][0] - $film->origin)) > 0.0006 } 0 .. $#$got;
			is scalar @off, 0, 'at its time' unless $counted;
			is $said, '', 'and decodes without a word' if $rendition ne 'source';
		}
		if ($film->flags =~ /copy/ && $name !~ /\.ts$/) {
			my @from = map { $_->[1] } grep { $_->[0] ne 'N/A' && $_->[0] > $film->origin - 0.0005 } Film::packets($path, 'v:0');
			my @to   = map { $_->[1] } Film::packets("$film->{dir}/source/joined.mp4", 'v:0');
			is "@to", "@from", "$name: a copy has the source's payloads";
		}
	}
	my @tracks = $film->{index} =~ /^audio \S+ #\d+ \S+ \d+->(\d+)/mg;
	for my $track (0 .. $#tracks) {
		my $joined = $film->joined("a$track");
		ok $joined, "$name: a$track is made" or diag($film->{error}), next;
		my @times = stamps(Film::packets($joined, 'a:0'));
		my $steps = grep { abs(($times[$_] - $times[ $_ - 1 ]) * $tracks[$track] - 1024) > 0.6 } 1 .. $#times;
		is $steps, 0, 'without a gap between frames';
		my $said = `ffmpeg -nostdin -v warning -i '$joined' -f null - 2>&1`;
		is $said, '', 'and decodes without a word';
	}
}

done_testing;
