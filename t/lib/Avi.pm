# t/lib/Avi.pm - AVI files, taken apart and put together otherwise.
# SPDX-License-Identifier: BSD-2-Clause
package Avi;
use strict;
use warnings;

# Avi->new($bytes): {head} up to the word 'movi', {chunks} as [name, data, key], in their order.
sub new {
	my ($class, $bytes) = @_;
	my $movi = index $bytes, 'movi';
	my $size = unpack 'V', substr $bytes, $movi - 4, 4;
	my $self = bless { head => substr($bytes, 0, $movi - 8), chunks => [] }, $class;
	for (my $at = $movi + 4; $at < $movi - 4 + 4 + $size;) {
		my ($name, $len) = unpack 'a4 V', substr $bytes, $at, 8;
		push @{ $self->{chunks} }, [ $name, substr($bytes, $at + 8, $len) ];
		$at += 8 + $len + $len % 2;
	}
	my $index = substr $bytes, $movi - 4 + 4 + $size + 8;
	for my $i (0 .. $#{ $self->{chunks} }) { $self->{chunks}[$i][2] = unpack('x4 V', substr $index, $i * 16, 16) & 16 }
	return $self;
}

# The file. index => sub { my ($name, $flags, $offset, $size, $i) = @_; ... } gives an entry as it is to
# be, or none; offsets count from 'movi'. index => undef: there is no table at all.
sub bytes {
	my ($self, %how) = @_;
	my ($movi, $index, $i) = ('movi', '', 0);
	my $entry = exists $how{index} ? $how{index} : sub { @_[ 0 .. 3 ] };
	for my $chunk (@{ $self->{chunks} }) {
		my ($name, $data, $key) = @$chunk;
		my @entry = $entry ? $entry->($name, $key, length $movi, length $data, $i++) : ();
		$index .= pack 'a4 V3', @entry if @entry;
		$movi .= pack('a4 V', $name, length $data) . $data . (length($data) % 2 ? "\0" : '');
	}
	my $bytes = $self->{head} . 'LIST' . pack('V', length $movi) . $movi . ($entry ? 'idx1' . pack('V', length $index) . $index : '');
	substr $bytes, 4, 4, pack 'V', length($bytes) - 8;
	return $bytes;
}

# Where 'movi' stands.
sub base { my ($self) = @_; return 8 + length $self->{head} }

sub kind { my ($data) = @_; return ord(substr $data, index($data, "\0\0\1\xb6") + 4, 1) >> 6 }

# As DivX 5 wrote MPEG-4 with B pictures: in the chunk of the picture that they refer to, and in their
# own place one that says that nothing is coded.		ISO/IEC 14496-2 section 6.2.5
sub packed {
	my ($self) = @_;
	my $nothing = "\0\0\1\xb6" . pack 'B16', '0101000001011111';
	my @video = grep { $_->[0] eq '00dc' } @{ $self->{chunks} };
	my @kinds = map { kind($_->[1]) } @video;
	for my $i (0 .. $#video) {
		next if $kinds[$i] != 0;
		my $at = index $video[$i][1], "\0\0\1\xb3";
		$at = index $video[$i][1], "\0\0\1\xb6" if $at < 0;
		substr $video[$i][1], $at, 0, "\0\0\1\xb2DivX503b1393p";
	}
	for my $i (0 .. $#video - 1) {
		next if $kinds[$i] == 2 || $kinds[ $i + 1 ] != 2;
		$video[$i][1] .= $video[ $i + 1 ][1];
		$video[ $i + 1 ][1] = $nothing;
	}
	return $self;
}

1;
