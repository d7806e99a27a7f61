#!/usr/bin/perl
# t/37-film-pictures.t - every picture of a film is shown once, in order and at its time, however it is cut.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Film;
use Test::More;

# name, how it is handed on; of `counted` ones the number in the picture
# says when it is due, since the file does not. Those of the second list only with SLUICE_LONG.
my @films = (
	[ 'base.mkv',       'copy' ],
	[ 'base.mp4',       'copy' ],
	[ 'base.ts',        'copy' ],
	[ 'base.flv',       'copy' ],
	[ 'sorenson.flv',   '' ],
	[ 'program.mpg',    '' ],
	[ 'windows.wmv',    '' ],
	[ 'cueless.mkv',    'copy' ],
	[ 'open.mkv',       'copy' ],
	[ 'hevc.mkv',       'copy' ],
	[ 'asp.avi',        'counted' ],
	[ 'cinema.avi',     'counted' ],
	[ 'plain.avi',      'counted' ],
	[ 'lasting.avi',    'counted' ],
	[ 'interlaced.ts',  '' ],
	[ 'crowded.mkv',    'copy' ],
	[ 'crowded.ts',     'copy' ],
);
push @films, [ 'crowded.mp4', 'copy' ], [ 'fragmented.mp4', 'copy' ], [ 'changing.ts', 'copy' ], [ 'open.mp4', 'copy' ], [ 'hevc.ts', 'copy' ], [ 'hdr.mkv', 'copy' ], [ 'h264.avi', 'counted' ], [ 'anamorphic.mkv', 'copy' ], [ 'deep.mkv', '' ],
	[ 'uneven.mkv', 'copy' ], [ 'uneven.mp4', 'copy' ], [ 'odd.mkv', '' ], [ 'vp9.webm', '' ], [ 'silent.mkv', 'copy' ],
	[ 'silent.mp4', 'copy' ], [ 'late.mkv', 'copy' ], [ 'sparse.mkv', 'copy' ], [ 'turned.mp4', 'turned' ]
	if $ENV{SLUICE_LONG};

sub numbers { return join ' ', map { $_->[1] } @_ }

# The largest difference between two lists of times, in ms.
sub apart
{
	my ($got, $want) = @_;
	my $most = 0;
	for my $i (0 .. $#$got) {
		my $off = abs($got->[$i] - ($want->[$i] // -1e9)) * 1000;
		$most = $off if $off > $most;
	}
	return $most;
}

for (@films) {
	my ($name, $how) = @$_;
	my $film = Film->new($name);
	ok $film->index, "$name has an index" or diag($film->{error}), next;
	cmp_ok $film->segments, '>', $name eq 'sparse.mkv' ? 0 : 2, 'of several segments';
	my @want;
	if ($how eq 'counted') {
		my $rate = $name eq 'cinema.avi' ? 24 : 25;
		@want = map { [ $_ / $rate, $_ ] } 0 .. ({ 'lasting.avi' => 350, 'cinema.avi' => 288 }->{$name} // 300) - 1;
	} else {
		my ($shown) = Film::pictures($film->path);
		@want = map { [ $_->[0] - $film->origin, $_->[1] ] } grep { $_->[0] > $film->origin - 0.0005 } @$shown;
	}
	for my $rendition (($how eq 'copy' ? 'source' : ()), '240p') {
		my $joined = $film->joined($rendition);
		ok $joined, "$name: $rendition is made" or diag($film->{error}), next;
		my ($got, $said) = Film::pictures($joined, $how eq 'turned' ? 'transpose=clock' : undef);
		is numbers(@$got), numbers(@want), 'and has every picture once, in order';
		cmp_ok apart([ map { $_->[0] } @$got ], [ map { $_->[0] } @want ]), '<', 0.6, 'at its time';
		is $said, '', 'and decodes without a word';
		is scalar(grep { $_->[0] eq 'N/A' } Film::packets($joined, 'v:0')), 0, 'every packet has a time';
	}
	next if $how ne 'copy' || $name =~ /\.ts$/;
	# A copy is the source's own bytes. (MPEG-TS has start codes where MP4 has lengths.)
	my @from = grep { $_->[0] > $film->origin - 0.0005 } Film::packets($film->path, 'v:0');
	my @to   = Film::packets("$film->{dir}/source/joined.mp4", 'v:0');
	is join(' ', map { $_->[1] } @to), join(' ', map { $_->[1] } @from), "$name: a copy has the source's payloads";
	cmp_ok apart([ map { $_->[0] } @to ], [ map { $_->[0] - $film->origin } @from ]), '<', 0.2, 'and times';
}

done_testing;
