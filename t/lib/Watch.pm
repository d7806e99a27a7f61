# t/lib/Watch.pm - a patient player of one channel, for tests: every playlist, every segment, and all
# that is wrong with them.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $watch = Watch->new($app, 1, qw(240p audio));
#   ok $watch->goes_on(3, 30), 'three more segments in every rendition within 30 s';
#   $watch->look                 looks once; done again and again by goes_on and until
#   $watch->until(sub {...}, 20) looks until it is true
#   $watch->faults               of playlists by themselves, of each beside the one before (RFC 8216
#                                section 6.2.2), of segments by themselves; none for a good channel
#   $watch->joints               what is wrong between segments of one period: counters, timestamps
#   $watch->uneven('240p', $n)   every unit that does not follow at once on the one before, from $n on
#   $watch->newest($rung)        the highest number that was seen; ->segment($rung, $n)
#   $watch->periods, ->run       how many there were; of which run the last segment is
#   $watch->late($n)             how many seconds of buffer a player needed to play from number $n on
package Watch;
use strict;
use warnings;
use List::Util qw(max sum0);
use Time::HiRes qw(time);
use Hls;
use Ts;

sub new {
	my ($class, $app, $id, @rungs) = @_;
	return bless { app => $app, id => $id, rungs => \@rungs, list => {}, looked => {}, seen => {}, slid => {}, faults => [] }, $class;
}

sub look {
	my ($self) = @_;
	for my $rung (@{ $self->{rungs} }) {
		my $reply = $self->{app}->get("/api/hls/$self->{id}/$rung.m3u8");
		next if $reply->status != 200;
		my $list = Hls->read($reply->body);
		my $before = $self->{list}{$rung};
		$self->_fault($rung, $list->faults, $before ? Hls::step_faults($before, $list) : ());
		$self->_fault($rung, "the target is $list->{target}") if $list->{target} != 2;
		$self->_fault($rung, 'it says that it ended') if $list->ended;
		$self->_slide($rung, $list);
		$self->{list}{$rung} = $list;
		$self->_fetch($rung, $_) for $list->segments;
	}
	return;
}

# A busy machine may look so late that a window has slid past what was never seen: no fault of the list,
# if half of what it holds now took as long.
sub _slide {
	my ($self, $rung, $list) = @_;
	my ($was, $now) = ($self->{looked}{$rung}, time);
	$self->{slid}{$rung}{ $list->{sequence} } = 1
		if defined $was && $now - $was > sum0(map { $_->{duration} } $list->segments) / 2;
	$self->{looked}{$rung} = $now;
	return;
}

sub _has_slid { my ($self, $rung, $n) = @_; return $self->{slid}{$rung}{$n} && !$self->{seen}{$rung}{ $n - 1 } }

sub _fault { my ($self, $where, @what) = @_; push @{ $self->{faults} }, map { "$where: $_" } @what; return }

sub _fetch {
	my ($self, $rung, $segment) = @_;
	return if $self->{seen}{$rung}{ $segment->{n} };
	my $reply = $self->{app}->get($segment->{uri});
	$self->_fault($segment->{uri}, 'is listed and answers ' . $reply->status) if $reply->status != 200;
	my $ts = Ts->read($reply->body);
	$self->_fault($segment->{uri}, $ts->faults, $ts->start_faults);
	$self->{seen}{$rung}{ $segment->{n} } = { %$segment, ts => $ts, at => time, bytes => length $reply->body };
	return;
}

sub until { my ($self, $what, $seconds) = @_; return $self->{app}->wait_for(sub { $self->look; $what->() }, $seconds) }

sub goes_on {
	my ($self, $more, $seconds) = @_;
	my %goal = map { $_ => $self->newest($_) + $more } @{ $self->{rungs} };
	return $self->until(sub { !grep { $self->newest($_) < $goal{$_} } @{ $self->{rungs} } }, $seconds);
}

sub numbers { my ($self, $rung) = @_; return sort { $a <=> $b } keys %{ $self->{seen}{$rung} } }
sub newest  { my ($self, $rung) = @_; return max(0, $self->numbers($rung)) }
sub segment { my ($self, $rung, $n) = @_; return $self->{seen}{$rung}{$n} }
sub list    { my ($self, $rung) = @_; return $self->{list}{$rung} }
sub faults  { return @{ $_[0]{faults} } }

sub joints {
	my ($self) = @_;
	my @faults;
	for my $rung (@{ $self->{rungs} }) {
		my $before;
		for my $n ($self->numbers($rung)) {
			my $this = $self->segment($rung, $n);
			undef $before if $self->_has_slid($rung, $n);
			push @faults, "$rung: $n follows $before->{n}" if $before && $n != $before->{n} + 1;
			push @faults, map { "$rung $n: $_" } Ts::gap_faults($before->{ts}, $this->{ts})
				if $before && $before->{period} == $this->{period};
			$before = $this;
		}
	}
	return @faults;
}

sub uneven {
	my ($self, $rung, $from, %usual) = @_;
	%usual = (video => 3600, audio => 1920, %usual);
	my @faults;
	for my $kind (qw(video audio)) {
		my ($due, $period);
		for my $n (grep { $_ >= ($from // 0) } $self->numbers($rung)) {
			my $segment = $self->segment($rung, $n);
			undef $due if defined $period && $period != $segment->{period} || $self->_has_slid($rung, $n);
			$period = $segment->{period};
			for my $unit ($segment->{ts}->units($kind)) {
				my $off = defined $due ? Ts::difference($unit->{dts}, $due) : 0;
				push @faults, "$rung $n: a $kind unit $off/90000 s beside its time" if $off;
				$due = $unit->{dts} + $usual{$kind} * ($unit->{frames} // 1);
			}
		}
	}
	return @faults;
}

sub periods {
	my ($self) = @_;
	my %periods = map { $_->{period} => 1 } map { values %$_ } values %{ $self->{seen} };
	return scalar keys %periods;
}

sub run {
	my ($self) = @_;
	my ($last) = ($self->{list}{ $self->{rungs}[0] }->segments)[-1];
	return $last->{uri} =~ m{^/tv/[^/]+/([0-9a-f]{32})/} ? $1 : '';
}

sub late {
	my ($self, $from) = @_;
	my ($most, $begun, $media) = (0, undef, 0);
	for my $n (grep { $_ >= $from } $self->numbers($self->{rungs}[0])) {
		my $segment = $self->segment($self->{rungs}[0], $n);
		$begun //= $segment->{at};
		$most = max($most, $segment->{at} - $begun - $media);
		$media += $segment->{duration};
	}
	return $most;
}

1;
