#!/usr/bin/perl
# t/38-film-hostile.t - files that mean no good, or that were damaged: an answer in words, and nothing else.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Film;
use Hostile;
use Test::More;

my $make = "$ENV{SLUICE_BUILDDIR}/t/av-make";
my $film = Film->new('base.mkv');
my $long = $ENV{SLUICE_LONG};

sub written
{
	my ($name, $bytes) = @_;
	open my $to, '>:raw', "$film->{dir}/$name" or die "$name: $!\n";
	print $to $bytes;
	close $to;
	return Film->new("$film->{dir}/$name");
}

# --- what is no film: nothing that it names is opened, here or elsewhere --------------------------------
# A pipe that nobody writes to would hold whoever opens it; a socket counts who comes.
my $canary = Hostile->canary($film->{dir});
my %no_film = Hostile::no_films($canary->path, $canary->url);
for my $what (sort keys %no_film) {
	my $bad = written('no-film.mkv', $no_film{$what});
	is $canary->guarded(sub { $bad->index // 'refused' }), 'refused', "$what named .mkv is refused";
	like $bad->{error}, qr/^input: [A-Z][^\n]+\n\z/, 'in a sentence';
}
is $canary->visits, 0, 'and nobody went where they pointed';

# A film whose pictures are said to be in another file.
my $elsewhere = written('elsewhere.mov', Hostile::elsewhere(Film::_slurp(Film->new('base.mp4')->path), $canary->path));
my $said = $canary->guarded(sub { $elsewhere->index // $elsewhere->{error} });
like $said, qr/^input: [A-Z]|^segments 4, 12\./m, 'a film whose media are said to be elsewhere is refused, or read as if they were not';
unlike $said, qr/timed out/, 'and its elsewhere is not opened';

# --- lengths and sizes that nothing has ------------------------------------------------------------------
my %lies = Hostile::lies(map { $_ => Film::_slurp(Film->new($_)->path) } 'base.mkv', 'base.mp4', 'base.flv', 'asp.avi');
for my $what (sort keys %lies) {
	my $lie = written('lie', $lies{$what});
	my $text = $canary->guarded(sub { $lie->index // $lie->{error} });
	like $text, qr/^segments \d+, 1[12]\.\d+ s|\Ainput: [A-Z][^\n]+\n\z/m, "$what: measured, or refused";
	is $lie->{died}, 0, 'by no crash';
}
my $huge = Film->new('huge.mkv');
is $huge->index, undef, 'pictures of 12,000 x 12,000 are refused';
is $huge->{error}, "input: A picture of 12000 x 12000 is too large; 8192 is the limit\n", 'with the limit';
my $small = written('small.mkv', Hostile::said_small(Film::_slurp($huge->path)));
is $small->index, undef, 'even where the container says that they are small';
like $small->{error}, qr/^input: [A-Z][^\n]+\n\z/, 'in words';

# --- truncated: never a crash, and what is there plays --------------------------------------------------
# In the long run at every 1000th byte.
for my $name ('base.mkv', 'base.mp4', 'base.ts', 'base.flv', 'asp.avi', ($long ? ('fragmented.mp4', 'cueless.mkv', 'open.mkv') : ())) {
	my $whole = Film::_slurp(Film->new($name)->path);
	my ($died, $mute, $played) = (0, 0, 0);
	my $step = $long ? 1000 : 60_000;
	for (my $at = 500; $at < length $whole; $at += $step) {
		my $cut = written('cut', substr $whole, 0, $at);
		$cut->index;
		$died++ if $cut->{died};
		$mute++ if !$cut->{index} && $cut->{error} !~ /^input: [A-Z]/;
		next if !$cut->{index};
		my $last = $cut->segments - 1;
		my $file = $cut->path;
		system "'$make' '$file' 240p $last >'$file.out' 2>'$file.error'";
		$died++ if $? & 127;
		$mute++ if $? && Film::_slurp("$file.error") !~ /^\w+: [A-Z]/;
		$played++ if !$?;
	}
	is $died, 0, "$name cut short: no crash";
	is $mute, 0, 'no refusal without a sentence';
	cmp_ok $played, '>', 0, 'and what is there can be made' if $name ne 'base.mp4' && $name ne 'asp.avi';
}

# --- damaged at random, 10,000 times in the long run --------------------------------------------------------
# Two films at a time.
my $count = $long ? 1250 : 25;
my @names = ('base.mkv', 'base.mp4', 'base.ts', 'base.flv', 'asp.avi', 'hevc.mkv', 'sound.ogg', 'texts.mkv', 'program.mpg', 'windows.wmv');

# Begins to damage a film; what is said of it can be read.
sub mutating
{
	my ($whole) = @_;
	open my $out, '-|', "cd '$film->{dir}' && '$ENV{SLUICE_BUILDDIR}/t/av-mutate' '$whole' $count 1 2>&1" or die "av-mutate: $!\n";
	return $out;
}

while (my @pair = splice @names, 0, 2) {
	my @running = map { my $whole = Film->new($_)->path; [ $_, mutating($whole) ] } @pair;
	for (@running) {
		my ($name, $out) = @$_;
		my $text = do { local $/; <$out> };
		like $text, qr/^$count of them, 0 died$/m, "$name, damaged $count times: an answer each time" or diag($text);
	}
}

done_testing;
