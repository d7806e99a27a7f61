# t/lib/Gateway/Ts.pm - an endless channel from a short MPEG-TS file.
# SPDX-License-Identifier: BSD-2-Clause
#
# The file is repeated for ever. Its timestamps are moved on by its length each time, and when it
# is loaded packets are split so that each PID has a multiple of 16 of them and the continuity
# counters join by themselves. So packet number N of the endless channel, and the moment at which
# it goes out, depend on N alone, and every viewer gets the same bytes at the same time.
# Times are in units of 1/90000 s; packet numbers are absolute: 0 is where the channel's time is 0.
package Gateway::Ts;
use strict;
use warnings;

use constant { PACKET => 188, WRAP => 1 << 33 };

# Loads $path, an MPEG-TS of one program whose video starts with a keyframe and whose audio and
# video last equally long. Dies with a sentence when it is not that.
sub load {
	my ($class, $path) = @_;
	open my $handle, '<:raw', $path or die "cannot open $path: $!\n";
	local $/;
	my $data = <$handle>;
	die "$path is not whole MPEG-TS packets\n" if !length $data || length($data) % PACKET;
	my $self = bless { data => _joinable($data) }, $class;
	$self->{count} = length($self->{data}) / PACKET;
	$self->_index($path);
	return $self;
}

sub payload_pid {    # of a packet that has a payload and so a counter; else undef
	my ($packet) = @_;
	my ($high, $flags) = unpack 'x n C', $packet;
	return $flags & 0x10 ? $high & 0x1fff : undef;
}

# Splits or repeats packets until each PID has a multiple of 16, and counts them afresh.
sub _joinable {
	my ($data) = @_;
	my @packets = unpack '(a188)*', $data;
	my %have;
	for my $packet (@packets) {
		my $pid = payload_pid($packet);
		$have{$pid}++ if defined $pid;
	}
	my %lack = map { $_ => -$have{$_} % 16 } keys %have;
	my (%next, @joined);
	for my $packet (reverse @packets) {
		my $pid   = payload_pid($packet);
		my @parts = defined $pid && $lack{$pid} ? _split($packet, $pid) : $packet;
		$lack{$pid}-- if @parts > 1;
		push @joined, reverse @parts;
	}
	for my $packet (reverse @joined) {
		my $pid = payload_pid($packet);
		next unless defined $pid;
		my $flags = ord substr $packet, 3, 1;
		substr $packet, 3, 1, chr($flags & 0xf0 | $next{$pid}++ % 16);
	}
	return join '', reverse @joined;
}

# Two packets that say the same as one, or the one where that cannot be.
sub _split {
	my ($packet, $pid) = @_;
	my ($sync, $high, $flags) = unpack 'C n C', $packet;
	return ($packet, $packet) if $pid < 32 || $pid == 0x1000;    # tables may simply be repeated
	return $packet if $high & 0x4000 || ($flags & 0x30) != 0x10;
	my $half = sub { pack 'C n C C C a90 a92', 0x47, $high, $flags | 0x20, 91, 0, "\xff" x 90, $_[0] };
	return ($half->(substr $packet, 4, 92), $half->(substr $packet, 96, 92));
}

# Finds timestamps, clock and keyframes.
sub _index {
	my ($self, $path) = @_;
	my (@stamps, @clock, @keys, %first, %last, $tables);
	my $main = $self->_main;
	for my $n (0 .. $self->{count} - 1) {
		my $packet = substr $self->{data}, $n * PACKET, PACKET;
		my ($sync, $high, $flags, $size, $marks) = unpack 'C n C C C', $packet;
		die "$path: packet $n does not start with 0x47\n" if $sync != 0x47;
		my $pid      = $high & 0x1fff;
		my $adapted  = $flags & 0x20 ? 1 + $size : 0;
		my $random   = $adapted > 1 && $marks & 0x40;
		$tables = $n if $pid == 0;
		if ($adapted > 1 && $marks & 0x10) {
			my ($base, $low) = unpack 'N n', substr $packet, 6, 6;
			push @clock, [ $n, $base * 2 + ($low >> 15) ];
			push @stamps, [ $n * PACKET + 6, 'clock', $clock[-1][1] ];
		}
		next unless $high & 0x4000 && $flags & 0x10;
		my $at = 4 + $adapted;
		my ($prefix, $stream, $has) = unpack 'N x3 C', substr($packet, $at, 8) . "\0" x 8;
		next unless $prefix >> 8 == 1 && ($prefix & 0xe0) >= 0xc0;
		$has = ord substr $packet, $at + 7, 1;
		push @keys, $tables // $n if $random && ($prefix & $main) == $main;
		for my $field ($has & 0x80 ? 9 : (), ($has & 0xc0) == 0xc0 ? 14 : ()) {
			push @stamps, [ $n * PACKET + $at + $field, 'stamp', _stamp(substr $packet, $at + $field, 5) ];
		}
		next unless ($prefix & $main) == $main;
		$first{dts} //= $stamps[-1][2];
		$last{step} = $stamps[-1][2] - $last{dts} if defined $last{dts};
		$last{dts} = $stamps[-1][2];
	}
	die "$path has no picture or sound with a clock and two units\n" if !@clock || !@keys || !$last{step};
	$self->{length} = $last{dts} - $first{dts} + $last{step};
	@$self{qw(stamps clock keys)} = (\@stamps, \@clock, \@keys);
	die "$path: its clock runs longer than its pictures\n"
		if $clock[-1][1] - $clock[0][1] >= $self->{length};
	return;
}

# What is counted by: pictures, or where there are none, sound.
sub _main {
	my ($self) = @_;
	for my $n (0 .. $self->{count} - 1) {
		my ($high, $flags, $size) = unpack 'x n C C', substr $self->{data}, $n * PACKET, PACKET;
		next unless $high & 0x4000 && $flags & 0x10;
		my $prefix = unpack 'N', substr($self->{data}, $n * PACKET + 4 + ($flags & 0x20 ? 1 + $size : 0), 4) . "\0" x 4;
		return 0xe0 if $prefix >> 8 == 1 && ($prefix & 0xf0) == 0xe0;
	}
	return 0xc0;
}

sub _stamp {
	my ($a, $b, $c) = unpack 'C n n', $_[0];
	return ($a >> 1 & 7) << 30 | $b >> 1 << 15 | $c >> 1;
}

# The packet that goes out at $time: all before it have gone.
sub at {
	my ($self, $time) = @_;
	my $round = int($time / $self->{length});
	my $rest  = $time - $round * $self->{length};
	my $clock = $self->{clock};
	my $zero  = $clock->[0][1];
	my ($low, $high) = (0, scalar @$clock);
	while ($high - $low > 1) {
		my $middle = int(($low + $high) / 2);
		($clock->[$middle][1] - $zero <= $rest ? $low : $high) = $middle;
	}
	my $next  = $low + 1 < @$clock ? $clock->[ $low + 1 ] : [ $self->{count}, $zero + $self->{length} ];
	my ($from, $since) = ($clock->[$low][0], $clock->[$low][1] - $zero);
	my $share = ($rest - $since) / ($next->[1] - $zero - $since);
	return $round * $self->{count} + $from + int($share * ($next->[0] - $from));
}

# The last packet not after $packet where a receiver can begin: tables, then a keyframe.
sub start_before {
	my ($self, $packet) = @_;
	my $round = int($packet / $self->{count});
	my $rest  = $packet % $self->{count};
	my @keys  = grep { $_ <= $rest } @{ $self->{keys} };
	return $round * $self->{count} + $keys[-1] if @keys;
	return ($round - 1) * $self->{count} + $self->{keys}[-1];
}

# Up to $most packets from number $packet on (fewer at the end of a round), their timestamps moved
# by $shift.
sub packets {
	my ($self, $packet, $most, $shift) = @_;
	my $round = int($packet / $self->{count});
	my $first = $packet % $self->{count};
	$most = $self->{count} - $first if $most > $self->{count} - $first;
	my $bytes  = substr $self->{data}, $first * PACKET, $most * PACKET;
	my $add    = $round * $self->{length} + $shift;
	my $stamps = $self->{stamps};
	my ($from, $to) = ($first * PACKET, ($first + $most) * PACKET);
	for (my $i = $self->_stamp_from($from); $i < @$stamps && $stamps->[$i][0] < $to; $i++) {
		my ($offset, $kind, $value) = @{ $stamps->[$i] };
		_move($bytes, $offset - $from, $kind, ($value + $add) % WRAP);
	}
	return $bytes;
}

sub _stamp_from {
	my ($self, $offset) = @_;
	my ($low, $high) = (0, scalar @{ $self->{stamps} });
	while ($low < $high) {
		my $middle = int(($low + $high) / 2);
		if ($self->{stamps}[$middle][0] < $offset) { $low = $middle + 1 } else { $high = $middle }
	}
	return $low;
}

sub _move {    # changes $_[0] in place
	my ($offset, $kind, $value) = @_[ 1 .. 3 ];
	if ($kind eq 'clock') {
		my $low = unpack 'n', substr $_[0], $offset + 4, 2;
		substr $_[0], $offset, 6, pack 'N n', $value >> 1, ($value & 1) << 15 | $low & 0x7fff;
		return;
	}
	my $first = ord(substr $_[0], $offset, 1) & 0xf0;
	substr $_[0], $offset, 5, pack 'C n n', $first | ($value >> 30) << 1 | 1,
		($value >> 15 & 0x7fff) << 1 | 1, ($value & 0x7fff) << 1 | 1;
	return;
}

# A source for Gateway::Http: the channel from packet $first on, as its time comes.
# $time is called for the channel's time, $shift for what is added to timestamps.
sub source {
	my ($self, %how) = @_;
	return bless { ts => $self, %how }, 'Gateway::Ts::Source';
}

package Gateway::Ts::Source;
use Gateway::Source;

my $LATE = 60 * 90_000;    # a viewer this far behind is moved to the present

sub read {
	my ($self, $most, $now) = @_;
	my $time = $self->{time}->();
	my $due  = $self->{ts}->at($time) - $self->{next};
	return (undef, Gateway::Source::next_tick($now)) if $due <= 0;
	my $room = int($most / Gateway::Ts::PACKET) || 1;
	my $late = $self->{ts}->at($time - $LATE);
	$self->{next} = $self->{ts}->start_before($late) if $self->{next} < $late - 1000;
	my $bytes = $self->{ts}->packets($self->{next}, $due < $room ? $due : $room, $self->{shift}->());
	$self->{next} += length($bytes) / Gateway::Ts::PACKET;
	return $bytes unless $self->{lose};
	return _thinned($self, $bytes);
}

# Every `lose`th packet is missing, as on a bad line.
sub _thinned {
	my ($self, $bytes) = @_;
	return join '', grep { ++$self->{seen} % $self->{lose} } unpack '(a188)*', $bytes;
}

1;
