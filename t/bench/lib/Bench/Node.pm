# t/bench/lib/Bench/Node.pm - the other server: Node, Express and Redis, on the servers' core.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my ($node, $missing) = Bench::Node->start(gateway => $gateway);    # undef and why, or the server
#   $node->keep('/api/live', $json);                                   # what Redis is to answer with
package Bench::Node;
use strict;
use warnings;
use File::Temp ();
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes qw(sleep time);
use App;
use App::Client;
use Bench;

sub start {
	my ($class, %how) = @_;
	for my $program (qw(node redis-server)) {
		return (undef, "$program is not installed") if !App::which($program);
	}
	my $modules = Bench::builddir() . '/t/bench/node';
	return (undef, 'npm could not install express') if !-d "$modules/node_modules/express";
	my $self = bless {
		name => 'Express + Redis', dir => File::Temp::tempdir('sluice-node-XXXXXX', TMPDIR => 1, CLEANUP => 1),
		port => Bench::free_port(), owner => $$,
	}, $class;
	$self->spawn(App::which('redis-server'), '--port', 0, '--unixsocket', "$self->{dir}/redis.sock",
		'--save', '', '--appendonly', 'no', '--dir', $self->{dir});
	local %ENV = (
		%ENV, NODE_ENV => 'production', PORT => $self->{port}, REDIS_SOCKET => "$self->{dir}/redis.sock",
		GATEWAY => $how{gateway} ? $how{gateway}->url . "/live/$how{gateway}{user}/$how{gateway}{password}" : '',
	);
	$self->spawn(App::which('node'), "$modules/server.js");
	my $end = time + 20;
	while (App::Client::http($self->{port}, 'GET', '/health', [])->status != 200) {
		die "node did not start: " . Bench::read_file("$self->{dir}/out") . "\n" if time > $end;
		sleep 0.05;
	}
	return $self;
}

# As the leader of a session, which is how its costs are counted.
sub spawn {
	my ($self, @command) = @_;
	defined(my $pid = fork) or die "fork: $!\n";
	if (!$pid) {
		POSIX::setsid();
		open STDOUT, '>>', "$self->{dir}/out";
		open STDERR, '>&', \*STDOUT;
		exec App::which("setpriv"), "--pdeathsig", "KILL", @command or POSIX::_exit(127);
	}
	push @{ $self->{sessions} }, $pid;
	return;
}

sub redis {
	my ($self, @words) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => "$self->{dir}/redis.sock") or die "redis: $!\n";
	print $socket '*' . @words . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @words;
	$socket->flush;
	my $said = <$socket>;
	die "redis: $said\n" if $said =~ /^-/;
	return;
}

sub keep { my ($self, $target, $json) = @_; $self->redis('SET', $target, $json); return }
sub forget { my ($self, $target) = @_; $self->redis('DEL', $target); return }

sub DESTROY {
	my ($self) = @_;
	return if $self->{owner} != $$;
	local ($?, $!, $@);
	kill KILL => @{ $self->{sessions} };
	waitpid $_, 0 for @{ $self->{sessions} };
	return;
}

1;
