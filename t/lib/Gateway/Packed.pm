# t/lib/Gateway/Packed.pm - an endless channel of sound without a container (RFC 8216 section 3.4).
# SPDX-License-Identifier: BSD-2-Clause
#
# Loads frames of AAC in ADTS, 48 kHz, that fill a whole number of segments, as t/odd-media makes them.
# Segment N of the endless channel is the frames that begin in its two seconds, behind a tag that says
# when the first one does.
package Gateway::Packed;
use strict;
use warnings;

use constant { SECONDS => 2, FRAME => 1920 };    # of 90 kHz

sub load {
	my ($class, $path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	my $bytes = do { local $/; <$file> };
	my @frames;
	for (my $at = 0; $at + 7 <= length $bytes;) {
		my $length = (unpack('N', substr $bytes, $at + 3, 4) >> 13) & 0x1fff;
		die "$path is no ADTS\n" if substr($bytes, $at, 1) ne "\xff" || $length < 7;
		push @frames, substr $bytes, $at, $length;
		$at += $length;
	}
	return bless { frames => \@frames }, $class;
}

sub seconds { return SECONDS }
sub suffix  { return 'aac' }
sub init    { return undef }

sub segment {
	my ($self, $which, $n) = @_;
	my ($from, $to) = map { int($_ * SECONDS * 90_000 / FRAME) } $n, $n + 1;
	my $field = "com.apple.streaming.transportStreamTimestamp\0" . pack 'Q>', $from * FRAME % 2**33;
	my $tag = 'PRIV' . pack('N n', length $field, 0) . $field;
	my $frames = $self->{frames};
	return 'ID3' . pack('C3 N', 4, 0, 0, length $tag) . $tag . join '', map { $frames->[ $_ % @$frames ] } $from .. $to - 1;
}

1;
