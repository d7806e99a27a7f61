# t/lib/Memcached.pm - a real memcached beside a test, to look into and to hurt.
# SPDX-License-Identifier: BSD-2-Clause
#
#   plan skip_all => Memcached::missing() if Memcached::missing();
#   my $memcached = Memcached->new;              # on a unix socket of its own
#   my $memcached = Memcached->new(tcp => 1);    # on a free port of 127.0.0.1
#   $memcached->server                           # as memcached_servers wants it
#   $memcached->stop; $memcached->continue;      # SIGSTOP: it hangs, connections stay
#   $memcached->kill; $memcached->start;         # dead; then empty, in the same place
#   $memcached->flush;                           # everything is forgotten
#   $memcached->poison;                          # every value becomes somebody else's
#   $memcached->fill(64);                        # megabytes of other programs' values
#   $memcached->keys                             # the wire keys there are, sorted
#   $memcached->keys('tok')                      # of that family, whatever the prefix
#   $memcached->get($key), ->set($key, $bytes, $life_s), ->delete($key), ->life($key)
#   $memcached->stats->{cmd_get}, $memcached->stats('settings')->{maxbytes}
#
# new() also takes
#   args   more options, as a list
#   conf   a file like /etc/memcached.conf: its options, but with our place, account and pid file
# It ends with the object or with the test, however that ends.
package Memcached;
use strict;
use warnings;
use File::Path qw(remove_tree);
use File::Temp ();
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes qw(time sleep);

# Why there can be none here; empty when there can.
# Why there is none: also when SLUICE_TEST_MEMCACHED says that tests shall do without.
sub missing {
	return 'there shall be no memcached' if ($ENV{SLUICE_TEST_MEMCACHED} // '') eq 'none';
	return (grep { -x "$_/memcached" } split /:/, $ENV{PATH}) ? '' : 'memcached is not installed';
}

sub new {
	my ($class, %how) = @_;
	my $self = bless { dir => File::Temp::tempdir('sluice-mc-XXXXXX', TMPDIR => 1), owner => $$ }, $class;
	if ($how{tcp} || $how{conf}) {
		my $free = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no free port: $!\n";
		$self->{port} = $free->sockport;
	}
	$self->{args} = [
		$how{conf} ? _options($how{conf}) : ('-m', 16, '-t', 2), @{ $how{args} // [] },
		$self->{port} ? ('-p', $self->{port}, '-l', '127.0.0.1') : ('-s', "$self->{dir}/socket"),
		$> == 0 ? ('-u', 'root') : (),
	];
	$self->start;
	return $self;
}

# The options of such a file, as Debian's scripts read it, without those that name a place, an
# account or a process.
sub _options {
	my ($path) = @_;
	my @options;
	open my $file, '<', $path or die "$path: $!\n";
	while (my $line = <$file>) {
		$line =~ s/(?<!\\)\#.*//s;
		$line =~ s/^\s+|\s+$//g;
		next if $line eq '' || $line =~ /^-[dhpluPs]/ || $line !~ /^-/;
		push @options, split ' ', $line, 2;
	}
	return @options;
}

sub server {
	my ($self) = @_;
	return $self->{port} ? "127.0.0.1:$self->{port}" : "$self->{dir}/socket";
}

sub pid { return $_[0]{pid} }

# --- its life -------------------------------------------------------------------------------------

sub start {
	my ($self) = @_;
	return if $self->{pid};
	pipe my $life, $self->{life} or die "pipe: $!\n";
	pipe my $told, my $tell or die "pipe: $!\n";
	defined(my $guard = fork) or die "fork: $!\n";
	$self->_guard($life, $told, $tell) if !$guard;
	close $tell;
	$self->{guard} = $guard;
	chomp($self->{pid} = <$told> // '');
	die "memcached was not started\n" if !$self->{pid};
	my $deadline = time + 10;
	until (eval { $self->ask('version', qr/^VERSION /m) }) {
		die "memcached does not answer: @{ $self->{args} }\n" if time > $deadline;
		sleep 0.01;
	}
	return;
}

# A process between the test and memcached, which ends memcached when the test ends.
sub _guard {
	my ($self, $life, $told, $tell) = @_;
	$SIG{$_} = 'IGNORE' for qw(INT TERM HUP PIPE);
	close $self->{life};
	close $told;
	defined(my $pid = fork) or POSIX::_exit(1);
	if (!$pid) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
		POSIX::setsid();
		{ exec { 'memcached' } 'memcached', @{ $self->{args} } }
		POSIX::_exit(127);
	}
	my $end = sub { CORE::kill KILL => $pid; waitpid $pid, 0; POSIX::_exit(0) };
	$SIG{USR1} = $end;
	syswrite $tell, "$pid\n";
	close $tell;
	sysread $life, my $nothing, 1;    # nobody writes: it ends when the test does
	remove_tree($self->{dir});
	$end->();
}

sub kill {
	my ($self) = @_;
	return if !$self->{pid};
	CORE::kill USR1 => $self->{guard};
	waitpid $self->{guard}, 0;
	delete $self->{$_} for qw(pid guard socket life);
	unlink "$self->{dir}/socket";
	return;
}

sub stop {
	my ($self) = @_;
	CORE::kill STOP => $self->{pid};
	my $deadline = time + 5;
	sleep 0.001 until $self->_state eq 'T' || time > $deadline;
	return;
}

sub continue {
	my ($self) = @_;
	CORE::kill CONT => $self->{pid};
	return;
}

sub _state {
	my ($self) = @_;
	open my $file, '<', "/proc/$self->{pid}/stat" or return '';
	return (<$file> // '') =~ /\) (\S)/ ? $1 : '';
}

sub DESTROY {
	my ($self) = @_;
	return if $self->{owner} != $$;
	local ($?, $!, $@);
	$self->kill;
	remove_tree($self->{dir});
	return;
}

# --- what is in it --------------------------------------------------------------------------------

# Sends a command and gives its answer, up to what matches $end. Dies without one in $wait_s (5).
sub ask {
	my ($self, $command, $end, $wait_s) = @_;
	$self->{socket} //= ($self->{port}
		? IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port})
		: IO::Socket::UNIX->new(Peer => "$self->{dir}/socket")) || die "memcached refuses: $!\n";
	my ($answer, $deadline) = ('', time + ($wait_s // 5));
	local $SIG{PIPE} = 'IGNORE';
	$command .= "\r\n";
	for (my $sent = 0; $sent < length $command;) {
		$sent += syswrite($self->{socket}, $command, length($command), $sent) || last;
	}
	while ($answer !~ $end) {
		my $bits = '';
		vec($bits, fileno $self->{socket}, 1) = 1;
		next if !select($bits, undef, undef, 0.1) && time < $deadline;
		if (time >= $deadline || !sysread $self->{socket}, $answer, 65536, length $answer) {
			delete $self->{socket};
			die "memcached does not answer '", substr($command, 0, 40), "'\n";
		}
	}
	return $answer;
}

sub get {
	my ($self, $key) = @_;
	my $answer = $self->ask("get $key", qr/^END\r\n\z/m);
	return $answer =~ /\AVALUE \S+ \d+ (\d+)\r\n/ ? substr($answer, $+[0], $1) : undef;
}

sub set {
	my ($self, $key, $bytes, $life_s) = @_;
	my $answer = $self->ask(sprintf("set %s 0 %d %d\r\n%s", $key, $life_s // 0, length $bytes, $bytes), qr/\r\n\z/);
	return $answer =~ /^STORED/;
}

sub delete {
	my ($self, $key) = @_;
	return $self->ask("delete $key", qr/\r\n\z/) =~ /^DELETED/;
}

# Seconds that a value has still to live: -1 for ever, undef when there is none.
sub life {
	my ($self, $key) = @_;
	return $self->ask("mg $key t", qr/\r\n\z/) =~ /^HD t(-?\d+)/ ? $1 : undef;
}

sub keys {
	my ($self, $family) = @_;
	my $answer = $self->ask('lru_crawler metadump hash', qr/(?:^END|^BUSY.*)\r\n\z/m);
	my @found = $answer =~ /^key=(\S+)/mg;
	s/%([0-9A-Fa-f]{2})/chr hex $1/ge for @found;
	@found = grep { /(?:^|:)\Q$family\E:[0-9a-f]{32}\z/ } @found if defined $family;
	@found = sort @found;
	return @found;
}

sub flush { $_[0]->ask('flush_all', qr/\r\n\z/); return }

sub poison {
	my ($self) = @_;
	$self->set($_, "somebody else's", 600) for $self->keys;
	return;
}

sub fill {
	my ($self, $megabytes) = @_;
	my $bytes = 'other ' x 16_000;
	$self->set("foreign-$_", $bytes) for 1 .. $megabytes * 1_048_576 / length $bytes;
	return;
}

sub stats {
	my ($self, $which) = @_;
	my $answer = $self->ask(defined $which ? "stats $which" : 'stats', qr/^END\r\n\z/m);
	return { $answer =~ /^STAT (\S+) (.*?)\r$/mg };
}

1;
