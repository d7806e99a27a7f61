#!/usr/bin/perl
# t/37-film-tables.t - films whose tables are wrong, missing or long: every picture, at its time.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Avi;
use Film;
use Test::More;

my $home = Film->new('base.mkv');

sub written {
	my ($name, $bytes) = @_;
	open my $to, '>:raw', "$home->{dir}/$name" or die "$name: $!\n";
	print $to $bytes;
	close $to;
	return Film->new("$home->{dir}/$name");
}

# How many of two lists differ, in place or in number.
sub differences {
	my ($got, $want) = @_;
	return scalar grep { ($got->[$_] // '') ne ($want->[$_] // '') } 0 .. ($#$got > $#$want ? $#$got : $#$want);
}

# Made part by part, a copy is the source's own packets, at their times.
sub copies {
	my ($film, $name) = @_;
	my $joined = $film->joined('source');
	ok $joined, "$name: every segment is made" or diag($film->{error}), return;
	my @from = grep { $_->[0] > $film->origin - 0.0005 } Film::packets($film->path, 'v:0');
	my @to   = Film::packets($joined, 'v:0');
	is differences([ map { $_->[1] } @to ], [ map { $_->[1] } @from ]), 0, 'with the bytes of the source';
	is scalar(grep { abs($to[$_][0] - ($from[$_][0] - $film->origin)) > 0.0006 } 0 .. $#from), 0, 'at their times';
}

# Encoded, every picture is there once: picture number i at i / 25 s.
sub encodes {
	my ($film, $name, $count) = @_;
	my $joined = $film->joined('240p');
	ok $joined, "$name: every segment is made" or diag($film->{error}), return;
	my ($got) = Film::pictures($joined);
	is differences([ map { $_->[1] } @$got ], [ 0 .. $count - 1 ]), 0, 'with every picture once, in order';
	is scalar(grep { abs($got->[$_][0] - $_ / 25) > 0.0006 } 0 .. $#$got), 0, 'at its time';
}

# --- MP4: of long tables those of a part are looked at ------------------------------------------------
my $mp4 = Film->new('page.mp4');
copies($mp4, 'an MP4 of 960 pictures');
ok $mp4->joined('a0', as => 'sound'), 'its sound';
my @sound = Film::packets("$mp4->{dir}/sound/joined.mp4", 'a:0');
my @heard = grep { $_->[0] > $mp4->origin - 0.0005 } Film::packets($mp4->path, 'a:0');
is differences([ map { $_->[1] } @sound ], [ map { $_->[1] } @heard ]), 0, 'is the source\'s, frame by frame';

# --- Matroska: Cues that point to where nothing begins ---------------------------------------------------
my $mkv  = Film::_slurp($home->path);
my $cues = rindex $mkv, "\x1C\x53\xBB\x6B";

# For each way to be wrong: the element (CueTime or CueClusterPosition), and its number out of the right
# one, of which it is the how-manieth, and the first of them.
my %wrong = (
	'Cues that point behind their clusters' => [ 0xF1, sub { $_[0] + 1000 } ],
	'Cues that point behind the file' => [ 0xF1, sub { $_[0] + length $mkv } ],
	'Cues whose times are others' => [ 0xB3, sub { $_[1] ? $_[0] + 300 : $_[0] } ],
	'Cues that all point to the beginning' => [ 0xF1, sub { $_[2] } ],
);
for my $what (sort keys %wrong) {
	my ($id, $code) = @{ $wrong{$what} };
	my ($bytes, $n, $first) = ($mkv, 0, undef);
	for (my $at = $cues + 5; $at < length $bytes; $at++) {
		my ($here, $len) = unpack 'C2', substr $bytes, $at, 2;
		last if !defined $len;
		next if $here != $id || $len < 0x81 || $len > 0x84;
		$len -= 0x80;
		my $number = unpack 'N', substr("\0\0\0" . substr($bytes, $at + 2, $len), -4);
		$first //= $number;
		my $changed = $code->($number, $n++, $first);
		substr $bytes, $at + 2, $len, substr pack('N', $changed), -$len;
		$at += 1 + $len;
	}
	cmp_ok $n, '>', 3, "$what: $n of them";
	my $film = written('wrong.mkv', $bytes);
	is join(' ', $film->begins), join(' ', $home->begins), 'segments begin where they would';
	copies($film, $what);
}

# --- AVI: MPEG-4 as DivX 5 packed it ---------------------------------------------------------------------
my $plain = Film->new('plain.avi');
encodes(written('packed.avi', Avi->new(Film::_slurp($plain->path))->packed->bytes), 'an AVI with packed pictures', 300);

# --- AVI: a table of chunks that is wrong, or none -----------------------------------------------------------
# Every part is what it is of the film with its table.
my $asp = Film->new('asp.avi');
my $whole = Film::_slurp($asp->path);
my $parts = Avi->new($whole);

sub part {
	my ($film, $rendition, $n) = @_;
	return $film->make($rendition, $n, "$film->{dir}/part") ? Film::_slurp("$film->{dir}/part") : "$rendition $n: $film->{error}";
}

my %tables = (
	'none' => $parts->bytes(index => undef),
	'one without entries' => $parts->bytes(index => sub { () }),
	'half of one' => $parts->bytes(index => sub { $_[4] < 300 ? @_[ 0 .. 3 ] : () }),
	'one that is cut off' => substr($parts->bytes, 0, -2000),
	'one that points beside' => $parts->bytes(index => sub { ($_[0], $_[1], $_[4] ? $_[2] + 100 : $_[2], $_[3]) }),
	'one that points to the beginning' => $parts->bytes(index => sub { (@_[ 0, 1 ], 0, $_[3]) }),
	'one that counts from the beginning of the file' => $parts->bytes(index => sub { (@_[ 0, 1 ], $_[2] + $parts->base, $_[3]) }),
	'one that counts from the end of the file' => $parts->bytes(index => sub { (@_[ 0, 1 ], $_[2] + length $whole, $_[3]) }),
);
for my $what (sort keys %tables) {
	my $film = written('table.avi', $tables{$what});
	ok $film->index, "a table of chunks: $what" or diag($film->{error}), next;
	is join(' ', $film->begins), join(' ', $asp->begins), 'segments begin where they would';
	my @parts = ([ '240p', 2 ], [ 'a0', 3 ], $ENV{SLUICE_LONG} ? map({ ([ '240p', $_ ], [ 'a0', $_ ]) } 0 .. 3) : ());
	is scalar(grep { part($film, @$_) ne part($asp, @$_) } @parts), 0, 'and are the same';
}
my $short = written('short.avi', substr $whole, 0, 200_000);
is join(' ', $short->begins), join(' ', ($asp->begins)[ 0 .. 2 ]), 'of a recording that broke off there is what there is';
is part($short, '240p', 1), part($asp, '240p', 1), 'as it was';

done_testing;
