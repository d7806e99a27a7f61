#!/usr/bin/perl
# t/37-film-large.t - files without a table that are too large to be read whole: entered here and there, and exact all the same.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Film;
use Test::More;

plan skip_all => 'these films take 320 MB; SLUICE_LONG=1 makes them' unless $ENV{SLUICE_LONG};

for my $name ('wide.mkv', 'wide.ts', 'wide.flv', 'wide-cueless.mkv') {
	my $film = Film->new($name);
	ok $film->index, "$name has an index" or diag($film->{error}), next;
	my $size = -s $film->path;
	cmp_ok $size, '>', 64 << 20, 'and is too large to be read whole';
	my ($read) = $film->{error} =~ /^read (\d+) bytes/m;
	cmp_ok $read, '<', $name eq 'wide.mkv' ? 4 << 20 : 0.85 * $size, sprintf 'of which it took %.1f MB of %.1f', $read / 1e6, $size / 1e6;
	my ($seconds) = $film->{index} =~ /, ([\d.]+) s, peak/;
	cmp_ok abs($seconds - 160), '<', 0.3, 'it knows how long it is';
	my @begins = $film->begins;
	cmp_ok scalar(grep { $begins[$_] - $begins[ $_ - 1 ] > 12 } 1 .. $#begins), '==', 0, 'no segment is longer than a player waits for';
	my $joined = $film->joined('source');
	ok $joined, 'every segment is made' or diag($film->{error}), next;
	my @from = grep { $_->[0] ne 'N/A' && $_->[0] > $film->origin - 0.0005 } Film::packets($film->path, 'v:0');
	my @to   = Film::packets($joined, 'v:0');
	is scalar @to, scalar @from, 'with every picture';
	is scalar(grep { abs($to[$_][0] - ($from[$_][0] - $film->origin)) > 0.001 } 0 .. $#to), 0, 'at its time';
	is join(' ', map { $_->[1] } @to), join(' ', map { $_->[1] } @from), 'and with its bytes' if $name !~ /\.ts$/;
	is `ffmpeg -nostdin -v warning -i '$joined' -map 0:v -f null - 2>&1`, '', 'which decode without a word';
	# A seek, encoded: exactly the pictures from its beginning to the next one's.
	my $n = int(@begins / 2);
	$film->make('240p', $_, "$film->{dir}/$_") or diag($film->{error}) for 'init', $n;
	my ($shown) = Film::pictures(Film::join_files("$film->{dir}/one", "$film->{dir}/init", "$film->{dir}/$n"));
	is scalar @$shown, sprintf('%.0f', ($begins[ $n + 1 ] - $begins[$n]) * 25), 'a seek shows what is there';
}

done_testing;
