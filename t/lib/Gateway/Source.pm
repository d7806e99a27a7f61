# t/lib/Gateway/Source.pm - where the bytes of an answer come from, and what slows or breaks them.
# SPDX-License-Identifier: BSD-2-Clause
#
# A source has one method, read($most, $now), $now in seconds of the monotonic clock. It returns
#   ($bytes)               some bytes
#   (undef, $when)         nothing before $when
#   (undef, undef, $how)   the connection is to be torn: 'cut' (closed) or 'rst' (reset)
#   ()                     the end
# and is asked again until the end. Sources may wrap others.
package Gateway::Source;
use strict;
use warnings;

my $TICK = 0.05;    # what is paced goes out in steps of this many seconds

sub bytes { my ($class, $bytes) = @_; return bless { bytes => $bytes }, 'Gateway::Source::Bytes' }

# $first and $last are offsets, both inclusive.
sub file {
	my ($class, $path, $first, $last) = @_;
	open my $handle, '<:raw', $path or return undef;
	sysseek $handle, $first, 0;
	return bless { handle => $handle, left => $last - $first + 1 }, 'Gateway::Source::File';
}

# The same for a file of any size that exists nowhere: see block().
sub virtual {
	my ($class, $first, $last) = @_;
	return bless { at => $first, end => $last + 1 }, 'Gateway::Source::Virtual';
}

# Sends nothing for so many seconds, then ends.
sub wait { my ($class, $seconds) = @_; return bless { seconds => $seconds }, 'Gateway::Source::Wait' }

# At most $rate bytes/s of $source.
sub paced {
	my ($class, $source, $rate, $now) = @_;
	return bless { source => $source, rate => $rate, started => $now, sent => 0 }, 'Gateway::Source::Paced';
}

# When $when comes, or after $bytes bytes: a hole of $seconds (undef: for ever), or $torn.
# $insert bytes of garbage go in at that point.
sub broken {
	my ($class, $source, %how) = @_;
	return bless { source => $source, sent => 0, %how }, 'Gateway::Source::Broken';
}

# The 65,536 bytes of block $number of a virtual file: 4096 lines of 15 digits.
sub block { my ($class, $number) = @_; return sprintf("%015d\n", $number) x 4096 }

sub next_tick { my ($now) = @_; return (int($now / $TICK) + 1) * $TICK }

package Gateway::Source::Bytes;

sub read {
	my ($self) = @_;
	return () unless length $self->{bytes};
	my $bytes = $self->{bytes};
	$self->{bytes} = '';
	return $bytes;
}

package Gateway::Source::File;

sub read {
	my ($self, $most) = @_;
	return () if $self->{left} <= 0;
	my $got = sysread $self->{handle}, my $bytes, $most < $self->{left} ? $most : $self->{left};
	return () unless $got;
	$self->{left} -= $got;
	return $bytes;
}

package Gateway::Source::Virtual;

sub read {
	my ($self, $most) = @_;
	my $left = $self->{end} - $self->{at};
	return () if $left <= 0;
	my $skip  = $self->{at} % 65_536;
	my $bytes = substr Gateway::Source->block(int($self->{at} / 65_536)), $skip;
	$bytes = substr $bytes, 0, $left if length $bytes > $left;
	$self->{at} += length $bytes;
	return $bytes;
}

package Gateway::Source::Wait;

sub read {
	my ($self, $most, $now) = @_;
	return (undef, $now + 3600) unless defined $self->{seconds};
	$self->{until} //= $now + $self->{seconds};
	return $now < $self->{until} ? (undef, $self->{until}) : ();
}

package Gateway::Source::Paced;

sub read {
	my ($self, $most, $now) = @_;
	my $allowed = int(($now - $self->{started}) * $self->{rate}) - $self->{sent};
	if (!length($self->{held} // '')) {
		my @answer = $self->{source}->read($most, $now);
		return @answer unless defined $answer[0];
		$self->{held} = $answer[0];
	}
	return (undef, Gateway::Source::next_tick($now)) if $allowed < 1;
	my $bytes = substr $self->{held}, 0, $allowed, '';
	$self->{sent} += length $bytes;
	return $bytes;
}

package Gateway::Source::Broken;

sub read {
	my ($self, $most, $now) = @_;
	$self->{when} //= $now + $self->{after_s} if defined $self->{after_s};
	my $room = defined $self->{after_bytes} ? $self->{after_bytes} - $self->{sent} : $most;
	return $self->_pass($most, $now) if $self->{done};
	if ($room <= 0 || defined $self->{when} && $now >= $self->{when}) {
		return $self->_break($most, $now);
	}
	my @answer = $self->{source}->read($room < $most ? $room : $most, $now);
	if (defined $answer[0]) {
		my $spare = length($answer[0]) - $room;
		$self->{held} = substr $answer[0], $room, $spare, '' if defined $self->{after_bytes} && $spare > 0;
		$self->{sent} += length $answer[0];
	} elsif (defined $answer[1] && defined $self->{when} && $self->{when} < $answer[1]) {
		$answer[1] = $self->{when};
	}
	return @answer;
}

sub _pass {
	my ($self, $most, $now) = @_;
	return delete $self->{held} if length($self->{held} // '');
	return $self->{source}->read($most, $now);
}

sub _break {
	my ($self, $most, $now) = @_;
	return (undef, undef, $self->{torn}) if $self->{torn};
	if (exists $self->{seconds}) {
		return (undef, $now + 3600) unless defined $self->{seconds};
		$self->{until} //= $now + $self->{seconds};
		return (undef, $self->{until}) if $now < $self->{until};
	}
	$self->{done} = 1;
	return $self->{insert} if length($self->{insert} // '');
	return $self->_pass($most, $now);
}

1;
