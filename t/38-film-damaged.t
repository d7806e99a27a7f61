#!/usr/bin/perl
# t/38-film-damaged.t - a film whose first picture is damaged plays; one is refused only where nothing can be shown.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Film;
use Test::More;

# The film with its first pictures, or all, overwritten, but for the first bytes of each: of the container, or
# by which pictures are told apart.
sub damaged
{
	my ($film, $count, $whole, $byte) = @_;
	my $bytes = Film::_slurp($film->path);
	my @places = map { [/^(\d+),(\d+)/] } `ffprobe -v error -select_streams v:0 -show_entries packet=size,pos -of csv=p=0 '@{[ $film->path ]}'`;
	srand 3;
	for (@places[ 0 .. ($count || @places) - 1 ]) {
		my ($size, $at) = @$_;
		next if $size <= $whole;
		substr $bytes, $at + $whole, $size - $whole, join '', map { $byte // chr int rand 256 } 1 .. $size - $whole;
	}
	my ($suffix) = $film->path =~ /(\w+)$/;
	open my $to, '>:raw', "$film->{dir}/damaged.$suffix" or die "damaged.$suffix: $!\n";
	print $to $bytes;
	close $to;
	return Film->new("$film->{dir}/damaged.$suffix");
}

for my $name ('base.mkv', 'base.mp4', 'hevc.mkv', 'asp.avi', 'interlaced.ts', 'vp9.webm') {
	my $whole = Film->new($name);
	ok $whole->index, "$name, and";
	my $film = damaged($whole, 1, 20);
	ok $film->index, 'with a damaged first picture it is a film' or diag($film->{error}), next;
	is join(' ', $film->flags =~ /copy/), join(' ', $whole->flags =~ /copy/), 'that is handed on as it would be';
	ok $film->joined('240p'), 'every part is made' or diag($film->{error}), next;
	my $parts = 0;
	for my $n (0 .. $film->segments - 1) {
		my ($shown) = Film::pictures(Film::join_files("$film->{dir}/one", map { "$film->{dir}/240p/$_" } 'init', $n));
		$parts++ if @$shown;
	}
	is $parts, $film->segments, 'with a picture in each';
	my ($shown, $said) = Film::pictures("$film->{dir}/240p/joined.mp4");
	is $shown->[0][0] + 0, 0, 'from the beginning on';
	is $said, '', 'and decodes without a word';
	my $from = sprintf '%.0f', ($whole->begins)[1] * 25;
	is join(' ', grep { $_ >= $from } map { $_->[1] } @$shown), join(' ', $from .. 299), "what is whole, from picture $from on, is shown";
	ok $film->joined('a0'), 'and heard' or diag($film->{error});
}

# Nothing of it can be shown: in words.
my $none = damaged(Film->new('vp9.webm'), 0, 4, "\xff");
is $none->index, undef, 'a film without any picture that is whole is refused';
is $none->{error}, "input: None of the first pictures (vp9) can be decoded\n", 'in words';

done_testing;
