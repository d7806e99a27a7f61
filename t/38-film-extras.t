#!/usr/bin/perl
# t/38-film-extras.t - subtitles, pictures for the seek bar, keyframes alone; and files that mean no good.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use lib ($ENV{SLUICE_SRCDIR} // '.') . '/t/lib';
use Film;
use Test::More;

my $make = "$ENV{SLUICE_BUILDDIR}/t/av-make";
sub made { my ($film, $rendition, $n) = @_; return scalar `'$make' '@{[ $film->path ]}' $rendition $n 2>'$film->{dir}/error'` }

# --- subtitles ----------------------------------------------------------------------------------------
my $texts = Film->new('texts.mkv');
my $head  = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n";
# The film's first picture is 21 ms into the file, and that is time 0.
my $first  = "00:00:00.479 --> 00:00:00.979\nFirst <b>bold</b> red\n\n";
my $border = "00:00:01.179 --> 00:00:03.979\nOver two borders &amp; &lt;3\nsecond line\n\n";
like $texts->index, qr/^text subrip #2 \[eng\].*\ntext ass #3 \[ger\].*\ntext webvtt #4 \[\]/m, 'three tracks of text are found';
is join(' ', map { $_ * 1000 } $texts->begins), '0 1600 3200 8000', 'in four segments';
is made($texts, 's0', 0), $head . $first . $border, 'SubRip: styles that WebVTT has stay, others go';
is made($texts, 's0', 1), $head . $border, 'a cue over a border is in both segments';
is made($texts, 's0', 2), $head . $border, 'or in all three';
is made($texts, 's0', 3), $head . "00:00:09.479 --> 00:00:10.229\nLast\n\n", 'a place on the screen is left out';
is made($texts, 's1', 2), $head . "00:00:04.979 --> 00:00:05.979\nZweizeilig,\nja\n\n", 'ASS: lines and commas';
is made($texts, 's1', 3), $head, 'a segment without cues is one all the same';
# ffmpeg has taken the escape away on its way into the file.
is made($texts, 's2', 1), $head . "00:00:01.979 --> 00:00:02.979\n<i>kept</i> & as it is\n\n", 'WebVTT: as it is';
my $mp4 = Film->new('texts.mp4');
is made($mp4, 's0', 1), $head . $border, 'MP4: the same';

# --- pictures for the seek bar -------------------------------------------------------------------------
my $film = Film->new('base.mkv');
my $sheet = made($film, 'thumbnails', 0);
like $sheet, qr/\A\xff\xd8.*\xff\xd9\z/s, 'a sheet of pictures is a JPEG';
open my $out, '>:raw', "$film->{dir}/sheet.jpg" or die;
print $out $sheet;
close $out;
my $gray = `ffmpeg -nostdin -v error -i '$film->{dir}/sheet.jpg' -pix_fmt gray -f rawvideo -`;
is length $gray, 1600 * 90, 'ten to a row';
my @numbers = map {
	my ($column, $number) = ($_, 0);
	for my $bit (0 .. 9) { $number |= 1 << $bit if ord(substr $gray, 16 * 1600 + $column * 160 + $bit * 16 + 8, 1) > 126 }
	$number;
} 0 .. 4;
is "@numbers", '0 40 80 200 0', 'the first picture of each segment, and black behind them';
made($film, 'thumbnails', 1);
isnt $?, 0, 'there is no second sheet of four segments';

# --- keyframes alone -------------------------------------------------------------------------------------
my $keys = $film->joined('iframes');
my ($shown, $said) = Film::pictures($keys);
is $said, '', 'keyframes alone decode without a word';
is join(' ', map { "$_->[1]@" . $_->[0] * 1000 } @$shown), '0@0 40@1600 80@3200 200@8000', 'one for each segment, at its time';

# --- MPEG-TS: picture and sound in one file -------------------------------------------------------------------
for my $rendition ('source', '240p') {
	my $joined = $film->joined("$rendition.ts", init => 0);
	ok $joined, "$rendition in MPEG-TS" or diag($film->{error}), next;
	my ($got, $said) = Film::pictures($joined);
	is join(' ', map { $_->[1] } @$got), join(' ', 0 .. 299), 'has every picture once';
	is scalar(grep { abs($got->[$_][0] - 10 - $_ / 25) > 0.0005 } 0 .. 299), 0, 'at its time, which begins at 10 s';
	is $said, '', 'and decodes without a word';
	my @sound = map { $_->[0] } Film::packets($joined, 'a:0');
	is scalar(grep { abs($sound[$_] - 10 - 16 / 48000 - $_ * 1024 / 48000) > 0.0002 } 0 .. $#sound), 0, 'as does its sound';
	my (%last, $jumps);
	my $bytes = Film::_slurp($joined);
	for my $at (map { $_ * 188 } 0 .. length($bytes) / 188 - 1) {
		my ($sync, $pid, $flags) = unpack 'Cnx0C', substr $bytes, $at, 4;
		($pid, my $counter) = ($pid & 0x1fff, $flags & 15);
		$jumps++ if $sync != 0x47 || (defined $last{$pid} && $counter != ($last{$pid} + 1) % 16);
		$last{$pid} = $counter;
	}
	is $jumps, undef, 'and no counter of a packet jumps, at joints neither';
}

# --- what is refused, in words --------------------------------------------------------------------------------
my %bad = (
	'a playlist named .mkv' => "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
	'a script named .mkv'   => "ffconcat version 1.0\nfile '/etc/passwd'\n",
	'an empty file'         => '',
	'zeros'                 => "\0" x 300_000,
	'an MP4 without moov'   => Film::_slurp(Film->new('base.mp4')->path) =~ s/moov/m00v/r,
	'the first 700 bytes'   => substr(Film::_slurp($film->path), 0, 700),
);
for my $what (sort keys %bad) {
	my $file = "$film->{dir}/bad.mkv";
	open my $to, '>:raw', $file or die;
	print $to $bad{$what};
	close $to;
	my $bad = Film->new($file);
	is $bad->index, undef, "$what is refused";
	is $bad->{died}, 0, 'by no crash';
	like $bad->{error}, qr/^input: [A-Z][^\n]+\n\z/, 'but in a sentence';
}

# A declared length of years.
my $matroska = Film::_slurp($film->path);
(my $years = $matroska) =~ s/\x44\x89\x88.{8}/"\x44\x89\x88" . pack('d>', 1e12)/se or die 'no duration';
open my $to, '>:raw', "$film->{dir}/years.mkv" or die;
print $to $years;
close $to;
my $long = Film->new("$film->{dir}/years.mkv");
like $long->index, qr/^segments 4, 12\.000 s/m, 'a duration of 31 years is not believed, but measured';

# --- truncated at every so many bytes: never a crash, and what is there plays -----------------------------
for my $name ('base.mkv', 'base.mp4', 'base.ts', 'base.flv', 'asp.avi') {
	my $whole = Film::_slurp(Film->new($name)->path);
	my ($died, $mute, $played) = (0, 0, 0);
	my $step = $ENV{SLUICE_LONG} ? 1000 : 60_000;
	for (my $at = 500; $at < length $whole; $at += $step) {
		my $file = "$film->{dir}/cut";
		open my $to, '>:raw', $file or die;
		print $to substr $whole, 0, $at;
		close $to;
		my $cut = Film->new($file);
		$cut->index;
		$died++ if $cut->{died};
		$mute++ if !$cut->{index} && $cut->{error} !~ /^input: [A-Z]/;
		next if !$cut->{index};
		my $last = $cut->segments - 1;
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
my @kinds = ('base.mkv', 'base.mp4', 'base.ts', 'base.flv', 'asp.avi', 'hevc.mkv', 'sound.ogg', 'texts.mkv');
for my $name ($ENV{SLUICE_LONG} ? @kinds : @kinds[ 0, 1 ]) {
	my $whole = Film->new($name)->path;
	my $count = $ENV{SLUICE_LONG} ? 1250 : 20;
	my $said  = `cd '$film->{dir}' && '$ENV{SLUICE_BUILDDIR}/t/av-mutate' '$whole' $count 1 2>&1`;
	like $said, qr/^$count of them, 0 died$/m, "$name, damaged $count times: an answer each time" or diag($said);
}

done_testing;
