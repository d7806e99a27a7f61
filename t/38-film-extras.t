#!/usr/bin/perl
# t/38-film-extras.t - subtitles, pictures for the seek bar, keyframes alone, MPEG-TS.
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

# --- what is no picture, sound or text is passed over ------------------------------------------------------
for (
	[ 'crowded.mkv', '2 pgs and dvb subtitles, a font, a cover', '[ger]' ],
	[ 'crowded.mp4', 'a cover before all, chapters, a clock', '[ger]' ],
	[ 'crowded.ts', 'dvb subtitles, teletext, data' ],
) {
	my ($name, $what, @texts) = @$_;
	my $crowded = Film->new($name);
	my $index = $crowded->index // $crowded->{error};
	is join(' ', $index =~ /^video '(\S+)' .* (\d+x\d+) /mg), 'h264 160x90', "$name ($what): the picture is that of the film";
	is scalar(() = $index =~ /^audio /mg), 1, 'with its sound';
	is join(' ', $index =~ /^text .* (\[\w*\])/mg), "@texts", @texts ? 'and its text alone' : 'and no text: none of it is';
	my $text = @texts ? made($crowded, 's0', 0) : '';
	like $text, qr/^First (?:<b>)?bold(?:<\/b>)? red$/m, 'which is read' if @texts;
	like made($crowded, 'thumbnails', 0), qr/\A\xff\xd8.*\xff\xd9\z/s, 'pictures for the seek bar are made of it';
}
made(Film->new('crowded.ts'), 's0', 0);
isnt $?, 0, 'a subtitle that is a picture is no rendition';

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

done_testing;
