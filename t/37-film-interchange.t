#!/usr/bin/perl
# t/37-film-interchange.t - whoever made a segment, when and how busy: another one can stand in its place.
# SPDX-License-Identifier: BSD-2-Clause
#
# Each part is made by processes of their own: for somebody who waits and ahead of time (which are
# two presets), twice, with the processors free and with load beside it.
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Film;
use Test::More;

my @WAYS = map { my $urgent = $_; map { [ $urgent, $_ ] } 'quiet', 'busy' } '', 'u';

# film, rendition: copied, encoded to the same bytes in every way, or to the same pictures
my @cases = ([ 'base.mkv', 'source', 'bytes' ], [ 'base.mkv', 'a0', 'bytes' ], [ 'hevc.mkv', 'a0', 'bytes' ], [ 'base.mkv', '240p', 'pictures' ]);
push @cases, map({ [ $_, '240p', 'pictures' ] } qw(open.mkv asp.avi interlaced.ts hdr.mkv deep.mkv uneven.mkv sparse.mkv turned.mp4 vp9.webm)),
	map({ [ $_, 'source', 'bytes' ] } qw(open.mkv base.mp4 base.ts base.flv hevc.mkv hdr.mkv)),
	[ 'tracks.mkv', 'a1', 'bytes' ], [ 'vp9.webm', 'a0', 'bytes' ], [ 'base.mkv', 'iframes', 'pictures' ]
	if $ENV{SLUICE_LONG};

# As many processes as there are processors, and one, that do nothing but that.
sub beside
{
	my ($code) = @_;
	my @busy;
	my $processors = () = Film::_slurp('/proc/cpuinfo') =~ /^processor\s*:/mg;
	for (0 .. $processors) {
		my $pid = fork // die "fork: $!\n";
		if (!$pid) { alarm 300; 1 while 1 }
		push @busy, $pid;
	}
	my @result = $code->();
	kill KILL => @busy;
	waitpid $_, 0 for @busy;
	return @result;
}

# Every part of a rendition in one way: a name for each file.
sub made
{
	my ($film, $rendition, $urgent, $when) = @_;
	my $all = sub {
		my @files;
		for my $n ('init', 0 .. $film->segments - 1) {
			push @files, "$film->{dir}/$rendition-$n$urgent-$when";
			$film->make($rendition, $n eq 'init' ? $n : "$n$urgent", $files[-1]) or die "$rendition $n: $film->{error}";
		}
		return @files;
	};
	return [ $when eq 'busy' ? beside($all) : $all->() ];
}

sub bytes { my ($files, @which) = @_; return join "\n--\n", map { Film::_slurp($_) } @$files[@which] }
sub told { my ($file) = @_; return [ map { join ' ', @$_ } Film::clock($file) ] }

for (@cases) {
	my ($name, $rendition, $what) = @$_;
	my $film = Film->new($name);
	my @ways = map { made($film, $rendition, @$_) } $what eq 'pictures' || $ENV{SLUICE_LONG} ? @WAYS : @WAYS[ 0, 3 ];
	my @n    = 1 .. $film->segments;
	is scalar(grep { bytes($ways[0], 0) ne bytes($_, 0) } @ways), 0, "$name $rendition: the same init segment in every way";
	if ($what eq 'bytes') {
		is scalar(grep { bytes($ways[0], @n) ne bytes($_, @n) } @ways), 0, 'and the same segments';
		next;
	}
	is scalar(grep { bytes($ways[$_], @n) ne bytes($ways[ $_ + 1 ], @n) } 0, 2), 0, 'load beside it changes no byte';
	isnt bytes($ways[0], @n), bytes($ways[2], @n), 'the presets are two' if $rendition ne 'iframes';
	my @apart = map { my $way = $ways[$_]; [ map { told(Film::join_files("$film->{dir}/one", @$way[ 0, $_ ])) } @n ] } 0, 2;
	is_deeply [ map { [ sort map { s/ \S+$//r =~ s/^(\S+) \S+ /$1 /r } @$_ ] } @{ $apart[0] } ],
		[ map { [ sort map { s/ \S+$//r =~ s/^(\S+) \S+ /$1 /r } @$_ ] } @{ $apart[1] } ],
		'whose segments have the same times and durations, one by one';
	my @mixed = map { my $first = $_; Film::join_files("$film->{dir}/mixed-$first", $ways[$first][0], map { $ways[ ($first + $_) % @ways ][$_] } @n) } 0, 3;
	my @lists = map { [ Film::pictures($_, $name eq 'turned.mp4' ? 'transpose=clock' : undef) ] } @mixed;
	is join('', map { $_->[1] } @lists), '', 'mixed in any order they decode without a word';
	is scalar(grep { $_ ne '' } map { my @t = Film::clock($_); map { $t[$_][1] <= $t[ $_ - 1 ][1] ? $_ : () } 1 .. $#t } @mixed), 0, 'in rising order, joints and all';
	is_deeply $lists[1][0], $lists[0][0], 'to the same pictures at the same times';
	is join(' ', map { $_->[1] } @{ $lists[0][0] }), join(' ', 0 .. 299), 'all of them' if $name =~ /^(?:base\.mkv|turned\.mp4)$/ && $rendition eq '240p';
}

done_testing;
