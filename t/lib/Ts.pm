# t/lib/Ts.pm - reads MPEG-TS as a strict receiver would, for tests.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $ts = Ts->read($bytes);
#   $ts->faults                  sentences about what is wrong; none for a clean stream
#   $ts->start_faults            the same about how it begins: PAT, PMT, then a keyframe
#   $ts->units('video')          [{pts, dts, key}, ...] in order of arrival, 1/90000 s; a unit of AAC
#                                has {frames}, how many there are in it
#   $ts->steps('video')          {difference of successive dts => how often}
#   $ts->types                   {video => 0x1b, audio => 0x0f}, from the PMT
#   Ts::gap_faults($one, $two)   what is wrong where $two follows $one: counters and timestamps
package Ts;
use strict;
use warnings;

use constant { PACKET => 188, WRAP => 1 << 33 };

my %KIND = (0x01 => 'video', 0x02 => 'video', 0x1b => 'video', 0x24 => 'video',
	0x03 => 'audio', 0x04 => 'audio', 0x0f => 'audio', 0x11 => 'audio', 0x81 => 'audio');

sub read {
	my ($class, $bytes) = @_;
	my $self = bless { faults => [], units => {}, first => {}, last => {}, kinds => {}, order => [] }, $class;
	$self->_fault('is empty') unless length $bytes;
	$self->_fault('does not end with a whole packet') if length($bytes) % PACKET;
	$self->_packet(substr $bytes, $_ * PACKET, PACKET) for 0 .. int(length($bytes) / PACKET) - 1;
	return $self;
}

sub _fault { my ($self, $text) = @_; push @{ $self->{faults} }, $text if @{ $self->{faults} } < 20; return }

sub _packet {
	my ($self, $packet) = @_;
	my ($sync, $high, $flags) = unpack 'C n C', $packet;
	return $self->_fault('lost the sync byte') if $sync != 0x47;
	my ($pid, $starts) = ($high & 0x1fff, $high & 0x4000);
	return if $pid == 0x1fff;
	my $adapted = $flags & 0x20 ? 1 + ord substr $packet, 4, 1 : 0;
	return $self->_fault("PID $pid: an adaptation field that is too long") if $adapted > 184;
	return unless $flags & 0x10;
	my $counter = $flags & 15;
	my $before  = $self->{last}{$pid};
	$self->_fault("PID $pid: counter $counter after $before") if defined $before && ($before + 1) % 16 != $counter;
	$self->{first}{$pid} //= $counter;
	$self->{last}{$pid} = $counter;
	my $payload = substr $packet, 4 + $adapted;
	return $self->_tables($pid, $payload) if $pid == 0 || defined $self->{pmt} && $pid == $self->{pmt};
	my $kind = $self->{kinds}{$pid} or return;
	my $marked = $adapted > 1 && ord(substr $packet, 5, 1) & 0x40;
	$self->_unit($kind, $payload, $marked) if $starts;
	$self->_look_for_key($kind, $payload);
	$self->_count_frames($payload, $starts) if $kind eq 'audio' && $self->{types}{audio} == 0x0f;
	return;
}

sub _tables {
	my ($self, $pid, $payload) = @_;
	my $table = substr $payload, 1 + ord $payload;
	my $length = (unpack 'x n', $table) & 0xfff;
	push @{ $self->{order} }, $pid == 0 ? 'PAT' : 'PMT' if @{ $self->{order} } < 3;
	if ($pid == 0) {
		$self->{pmt} = (unpack 'n', substr $table, 10, 2) & 0x1fff;
		return;
	}
	my $at = 12 + ((unpack 'n', substr $table, 10, 2) & 0xfff);
	while ($at + 5 <= 3 + $length - 4 && $at + 5 <= length $table) {
		my ($type, $stream, $more) = unpack 'C n n', substr $table, $at, 5;
		my $kind = $KIND{$type} // 'other';
		$self->{kinds}{ $stream & 0x1fff } = $kind;
		$self->{types}{$kind} = $type;
		$at += 5 + ($more & 0xfff);
	}
	return;
}

sub _unit {
	my ($self, $kind, $payload, $marked) = @_;
	my ($prefix, $has) = unpack 'N x3 C', $payload;
	return $self->_fault("a $kind unit without a start code") if $prefix >> 8 != 1;
	my $pts = $has & 0x80 ? _stamp(substr $payload, 9, 5) : undef;
	my $dts = ($has & 0xc0) == 0xc0 ? _stamp(substr $payload, 14, 5) : $pts;
	push @{ $self->{order} }, $kind if @{ $self->{order} } < 3;
	push @{ $self->{units}{$kind} }, { pts => $pts, dts => $dts, marked => $marked, key => 0 };
	return;
}

sub _stamp {
	my ($a, $b, $c) = unpack 'C n n', $_[0];
	return ($a >> 1 & 7) << 30 | $b >> 1 << 15 | $c >> 1;
}

# An IDR picture of H.264 anywhere in the unit's first packets makes it a keyframe.
sub _look_for_key {
	my ($self, $kind, $payload) = @_;
	return if $kind ne 'video' || ($self->{types}{video} // 0) != 0x1b;
	my $unit = $self->{units}{video}[-1] or return;
	$unit->{key} = 1 if $payload =~ /\x00\x00\x01[\x05\x25\x45\x65]/;
	return;
}

# Frames of AAC by their headers' lengths (ISO/IEC 14496-3 table 1.A.6); they fill the unit.
sub _count_frames {
	my ($self, $payload, $starts) = @_;
	my $unit = $self->{units}{audio}[-1] or return;
	$payload = substr $payload, 9 + ord substr $payload, 8, 1 if $starts;
	$unit->{rest} .= $payload;
	while (length $unit->{rest} >= 6) {
		my ($sync, $length) = unpack 'n x N', $unit->{rest} . "\0\0";
		return $self->_fault('an audio frame without its sync word') if ($sync & 0xfff6) != 0xfff0;
		$length = $length >> 13 & 0x1fff;
		return if $length < 7 || length $unit->{rest} < $length;
		substr $unit->{rest}, 0, $length, '';
		$unit->{frames}++;
	}
	return;
}

sub faults { return @{ $_[0]{faults} } }
sub units  { my ($self, $kind) = @_; return @{ $self->{units}{$kind} // [] } }
sub types  { return $_[0]{types} // {} }

sub start_faults {
	my ($self) = @_;
	my @faults;
	push @faults, "begins with @{ $self->{order} }" if "@{ $self->{order} }[0, 1]" ne 'PAT PMT';
	my ($first) = $self->units('video');
	push @faults, 'its first picture is no keyframe' if $first && !$first->{key};
	return @faults;
}

sub difference { my ($to, $from) = @_; return ($to - $from + (WRAP >> 1)) % WRAP - (WRAP >> 1) }

sub steps {
	my ($self, $kind) = @_;
	my ($before, %steps);
	for my $unit ($self->units($kind)) {
		$steps{ difference($unit->{dts}, $before) }++ if defined $before;
		$before = $unit->{dts};
	}
	return \%steps;
}

# Units of either kind may follow the last of the segment before by at most this much: half a
# second, which is more than any interleaving and less than anything a viewer would not notice.
my $MOST = 45_000;

sub gap_faults {
	my ($one, $two) = @_;
	my @faults;
	for my $pid (sort keys %{ $two->{first} }) {
		my $last = $one->{last}{$pid};
		push @faults, "PID $pid: counter $two->{first}{$pid} after $last"
			if defined $last && ($last + 1) % 16 != $two->{first}{$pid};
	}
	for my $kind (qw(video audio)) {
		my ($last, $next) = (($one->units($kind))[-1], ($two->units($kind))[0]);
		next unless $last && $next;
		my $step = difference($next->{dts}, $last->{dts});
		push @faults, "$kind goes on after $step/90000 s" if $step <= 0 || $step > $MOST;
	}
	return @faults;
}

1;
