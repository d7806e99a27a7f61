# t/lib/Gateway/Fmp4.pm - an endless channel from a few segments of fragmented MP4.
# SPDX-License-Identifier: BSD-2-Clause
#
# Loads what t/odd-media makes below fmp4/: for `all`, `picture` and `sound` an initialization section
# and four segments of two seconds. Segment N of the endless channel is one of the four, with its decoding
# times (tfdt, ISO/IEC 14496-12 section 8.8.12) moved on.
package Gateway::Fmp4;
use strict;
use warnings;

use constant { SEGMENTS => 4, SECONDS => 2 };

sub load {
	my ($class, $dir) = @_;
	my $read = sub { open my $file, '<:raw', "$dir/$_[0]" or die "$dir/$_[0]: $!\n"; local $/; return scalar <$file> };
	my $self = bless {}, $class;
	for my $which (qw(all picture sound)) {
		my $init = $read->("$which.mp4");
		my %scale;
		while ($init =~ /tkhd(.)...(.{28})/gs) {
			my ($version, $rest, $from) = (ord $1, $2, pos $init);
			my $id = unpack $version ? 'x16 N' : 'x8 N', $rest;
			my ($wide, $head) = substr($init, $from) =~ /mdhd(.)...(.{20})/s or die "$which.mp4 has no mdhd\n";
			$scale{$id} = unpack ord($wide) ? 'x16 N' : 'x8 N', $head;
		}
		$self->{$which} = { init => $init, scale => \%scale, segments => [ map { $read->("$which$_.m4s") } 0 .. SEGMENTS - 1 ] };
	}
	return $self;
}

sub seconds { return SECONDS }
sub suffix  { return 'm4s' }
sub init    { my ($self, $which) = @_; return $self->{$which}{init} }

sub segment {
	my ($self, $which, $n) = @_;
	my $of = $self->{$which};
	my $bytes = $of->{segments}[ $n % SEGMENTS ];
	my $later = int($n / SEGMENTS) * SEGMENTS * SECONDS;
	while ($bytes =~ /tfhd....(....)/gs) {
		my $id = unpack 'N', $1;
		my $at = index $bytes, 'tfdt', pos $bytes;
		die "$which has a tfdt of 32 bits\n" if ord(substr $bytes, $at + 4, 1) != 1;
		my $time = unpack('Q>', substr $bytes, $at + 8, 8) + $later * $of->{scale}{$id};
		substr($bytes, $at + 8, 8) = pack 'Q>', $time;
		pos($bytes) = $at;
	}
	return $bytes;
}

1;
