# t/bench/lib/Bench.pm - what every row of the bench measures with.
# SPDX-License-Identifier: BSD-2-Clause
#
# Servers run on core 0, whoever asks them on core 1. What is compared is measured in turns in one
# run, and the medians are told. Costs are processor time of every server process that took part:
# front server, workers, supervisor, memcached or whatever stands in their place.
#
#   my $server = { name => 'lighttpd', port => 8080, sessions => [ $pid, ... ] };
#   my ($ours, $plain) = Bench::compare(
#       { %$server, target => '/tv/a.ts', body => $path },
#       { %$other,  target => '/a.ts',    body => $path });
#   $ours->{us}        microseconds of processor a request     $ours->{s_per_gb}   seconds a GB
#   $ours->{rate}      requests a second                       $ours->{p99_us}     the slow ones
package Bench;
use strict;
use warnings;
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(time sleep clock_gettime);
use App;

our $RUNS    = 9;
our $SECONDS = 0.5;
my $CPUCLOCK_SCHED = 2;    # clock_getcpuclockid(3): what a process has used, in nanoseconds

sub builddir { return $ENV{SLUICE_BUILDDIR} // die "SLUICE_BUILDDIR names no build\n" }
sub srcdir   { return $ENV{SLUICE_SRCDIR}   // die "SLUICE_SRCDIR names no sources\n" }

# The front servers that are installed.
sub fronts { return grep { App::Front::is_here($_) } qw(lighttpd nginx apache) }

# --- cores and processor time ---------------------------------------------------------------------

# All that this process starts from now on runs on these cores: '0', '1' or '0,1'. With one core
# there is nothing to choose.
sub use_cores {
	my ($cores) = @_;
	system("taskset -cp $cores $$ >/dev/null 2>&1") if cores() > 1;
	return;
}

sub cores { return scalar(() = read_file('/proc/cpuinfo') =~ /^processor\s*:/mg) || 1 }

# The processes of a session, which is named by its leader's pid.
sub session {
	my %wanted = map { $_ => 1 } @_;
	my @found;
	for my $path (glob '/proc/[0-9]*/stat') {
		my ($pid, $state, $session) = read_file($path) =~ /^(\d+) \(.*\) (\S) \d+ \d+ (\d+)/s or next;
		push @found, $pid if $wanted{$session} && $state ne 'Z';
	}
	return @found;
}

# Seconds of processor time that these processes have used so far, by pid.
sub used {
	my %used;
	for my $pid (@_) {
		my $s = clock_gettime((~int $pid) << 3 | $CPUCLOCK_SCHED);
		$used{$pid} = $s if $s >= 0;
	}
	return \%used;
}

# What those that are in both have used in between.
sub spent {
	my ($before, $after) = @_;
	my $s = 0;
	$s += $after->{$_} - ($before->{$_} // 0) for keys %$after;
	return $s;
}

# --- load -----------------------------------------------------------------------------------------

# Runs t/bench/load on its core; returns what it found. The options are its own, see there.
sub load {
	my (@options) = @_;
	my @command = (builddir() . '/t/bench/load', @options);
	unshift @command, 'taskset', '-c', 1 if cores() > 1;
	open my $pipe, '-|', @command or die "load: $!\n";
	my $text = do { local $/; <$pipe> } // '';
	close $pipe or die "load failed: @command\n";
	return JSON::PP->new->decode($text);
}

# What stands between a request to $how and the load program: its options.
sub options {
	my ($how) = @_;
	return (
		'-c', $how->{connections} // 16, '-s', $how->{seconds} // $SECONDS,
		defined $how->{body} ? ('-b', $how->{body}) : (), '-x', $how->{status} // 200,
		(map { ('-H', $_) } @{ $how->{headers} // [] }), $how->{port}, $how->{target},
	);
}

# One measurement.
sub measure {
	my ($how) = @_;
	my $before = used(session(@{ $how->{sessions} }));
	my $seen = load(options($how));
	my $cpu = spent($before, used(session(@{ $how->{sessions} })));
	die "$how->{name} $how->{target}: $seen->{wrong} wrong and $seen->{broken} broken answers of $seen->{requests}\n"
		if $seen->{wrong} || $seen->{broken} || !$seen->{requests};
	return {
		us => $cpu / $seen->{requests} * 1e6, s_per_gb => $seen->{bytes} ? $cpu / $seen->{bytes} * 1e9 : 0,
		rate => $seen->{requests} / $seen->{seconds}, p50_us => $seen->{p50_us}, p99_us => $seen->{p99_us},
		requests => $seen->{requests},
	};
}

# Measures each in turn, $RUNS times. Returns the medians, one set for each; those after the first
# also have "costs" and "rates": how many times the first one's theirs are, taken turn by turn, so
# that what else the machine does weighs on both.
sub compare {
	my (@hows) = @_;
	my @seen;
	measure({ %$_, seconds => 0.2 }) for @hows;    # caches and connections are warm
	for my $turn (0 .. $RUNS - 1) {
		for my $i (0 .. $#hows) {
			my $one = $seen[$i][$turn] = measure({ seconds => $SECONDS, %{ $hows[$i] } });
			$one->{costs} = $one->{us} / $seen[0][$turn]{us};
			$one->{rates} = $one->{rate} / $seen[0][$turn]{rate};
		}
	}
	return map { medians(@$_) } @seen;
}

sub medians {
	my (@runs) = @_;
	return { map { my $key = $_; $key => median(map { $_->{$key} } @runs) } keys %{ $runs[0] } };
}

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return undef unless @sorted;
	return $sorted[ $#sorted / 2 ] if @sorted % 2;
	return ($sorted[ $#sorted / 2 ] + $sorted[ @sorted / 2 ]) / 2;
}

# FNV-1a 64 and the length of a body, as the load program tells them.
sub body_name {
	my ($body) = @_;
	no warnings 'portable';
	use integer;
	my $hash = 0xcbf29ce484222325;
	$hash = ($hash ^ $_) * 0x100000001b3 for unpack 'C*', $body;
	return sprintf '%016x:%d', $hash, length $body;
}

# --- memory ---------------------------------------------------------------------------------------

# Bytes of a process, from smaps_rollup: private (its own alone) and pss (its share).
sub memory {
	my ($pid) = @_;
	my %kb = read_file("/proc/$pid/smaps_rollup") =~ /^(\w+):\s+(\d+) kB/mg;
	return { private => 1024 * (($kb{Private_Dirty} // 0) + ($kb{Private_Clean} // 0)), pss => 1024 * ($kb{Pss} // 0) };
}

# --- files ----------------------------------------------------------------------------------------

sub read_file {
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return scalar(<$file>) // '';
}

sub write_file {
	my ($path, $bytes) = @_;
	open my $file, '>:raw', $path or die "$path: $!\n";
	print $file $bytes;
	close $file or die "$path: $!\n";
	return $path;
}

# Bytes that nothing compresses, the same each time.
sub noise {
	my ($count) = @_;
	my ($bytes, $x) = ('', 88172645463325252);
	while (length $bytes < $count) {
		$x ^= $x << 13; $x ^= $x >> 7; $x ^= $x << 17;
		$bytes .= pack 'Q', $x;
	}
	return substr $bytes, 0, $count;
}

sub free_port {
	require IO::Socket::INET;
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no free port: $!\n";
	return $socket->sockport;
}

# --- the table ------------------------------------------------------------------------------------

# A line of the table: what, ours, the named baseline, the goal, and whether it is reached (1, 0,
# or undef where there is none).
sub row {
	my ($what, $ours, $baseline, $goal, $reached) = @_;
	return { what => $what, ours => $ours, baseline => $baseline, goal => $goal, reached => $reached };
}

1;
