# t/lib/Load.pm - viewers that ask all the time, and what they were answered.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $load = Load->new($app, rate => 30, paths => [ '/api/live', '/api/hls/1/360p.m3u8' ]);
#   my $from = time; ...; my @answers = $load->answers($from, time);
#   $load->stop;
#
# rate is in requests a second, of all clients (5) together; each takes the paths in turn. An answer
# is {at, took, status, path, bytes, reason}: when it was asked, how long it took in seconds, 0 as the
# status of one that did not come, the reason of an error or ''. The clients end with the object or with
# the test.
package Load;
use strict;
use warnings;
use File::Temp ();
use POSIX ();
use Time::HiRes qw(time sleep);

sub new {
	my ($class, $app, %how) = @_;
	my $clients = $how{clients} // 5;
	my $self = bless { owner => $$, files => [], pids => [] }, $class;
	for my $n (0 .. $clients - 1) {
		my $file = File::Temp->new;
		defined(my $pid = fork) or die "fork: $!\n";
		if (!$pid) {
			_client($app, $file, $n / $how{rate}, $clients / $how{rate}, $n, @{ $how{paths} });
			POSIX::_exit(0);
		}
		push @{ $self->{files} }, $file;
		push @{ $self->{pids} }, $pid;
	}
	return $self;
}

sub _client {
	my ($app, $file, $offset, $every, $n, @paths) = @_;
	my ($start, $parent) = (time + $offset, getppid);
	open my $out, '>>', $file->filename or POSIX::_exit(1);
	for (my $i = 0; getppid == $parent; $i++) {
		my $due = $start + $i * $every;
		my $now = time;
		sleep $due - $now if $due > $now;
		my $path = $paths[ ($i + $n) % @paths ];
		my $at = time;
		my $reply = eval { $app->get($path) };
		my $took = time - $at;
		my ($reason) = $reply && $reply->status >= 400 ? $reply->body =~ /"reason":\s*"(\w+)"/ : ();
		syswrite $out, join(' ', $at, $took, ($reply ? $reply->status : 0), $path,
			($reply ? length $reply->body : 0), $reason // '') . "\n";
	}
	return;
}

sub answers {
	my ($self, $from, $to) = @_;
	my @found;
	for my $file (@{ $self->{files} }) {
		open my $in, '<', $file->filename or die "what the clients wrote: $!\n";
		while (my $line = <$in>) {
			my ($at, $took, $status, $path, $bytes, $reason) = split ' ', $line;
			next if !defined $bytes || $at < $from || $at >= $to;
			push @found, { at => $at, took => $took, status => $status, path => $path, bytes => $bytes, reason => $reason // '' };
		}
	}
	@found = sort { $a->{at} <=> $b->{at} } @found;
	return @found;
}

# The time that so many hundredths of the answers took at most.
sub percentile {
	my ($percent, @answers) = @_;
	my @took = sort { $a <=> $b } map { $_->{took} } @answers;
	return @took ? $took[ int($percent / 100 * $#took + 0.5) ] : 0;
}

sub stop {
	my ($self) = @_;
	return if $self->{owner} != $$;
	kill KILL => @{ $self->{pids} };
	waitpid $_, 0 for @{ $self->{pids} };
	$self->{pids} = [];
	return;
}

sub DESTROY { my ($self) = @_; local ($?, $!, $@); $self->stop; return }

1;
