# t/bench/lib/Bench/Readers.pm - many slow readers of one published file.
# SPDX-License-Identifier: BSD-2-Clause
#
# Each has an Ethernet's segments and a small window, so that the front server must really wait for
# it. Told is what the front server's own memory (private, without the page cache) grows by.
package Bench::Readers;
use strict;
use warnings;
use Time::HiRes qw(time sleep);
use App;
use Bench;
use Bench::Files;

my $READERS = 2000;
my $RATE    = 20_000;     # bytes a second, each
my $SIZE    = 160_000;
my $TURNS   = 5;
my %GOAL    = (lighttpd => 6144);

sub run {
	my @lines;
	for my $front (Bench::fronts()) {
		push @lines, server($front);
	}
	return @lines;
}

sub server {
	my ($front) = @_;
	my @runs = map { readers($front) } 1 .. $TURNS;
	my $seen = Bench::medians(@runs);
	my $goal = $GOAL{$front};
	return Bench::row(sprintf('%s: %d readers of %d kB at %d kB/s each', $front, $READERS, $SIZE / 1000, $RATE / 1000),
		sprintf('%d finished, %.1f KiB each, %.0f µs of processor each', $seen->{finished}, $seen->{memory} / 1024, $seen->{us}),
		'', 'all finish' . ($goal ? sprintf(', ≤ %d KiB each', $goal / 1024) : ''),
		$seen->{finished} == $READERS && (!$goal || $seen->{memory} <= $goal) ? 1 : 0);
}

# A server of its own each time, because one that has grown stays so.
sub readers {
	my ($front) = @_;
	my $app = App->new(via => $front);
	my $bytes = Bench::noise($SIZE);
	my $target = Bench::Files::put($app, '/tv/live-bench/' . 'ab' x 16 . '/720p/1.ts', $bytes);
	my $session = $app->front_pid;
	Bench::load('-c', 16, '-s', 0.3, '-b', $app->www . $target, $app->port, $target);
	my ($before, $used) = (private($session), Bench::used(Bench::session($session)));
	my $load = fork // die "fork: $!\n";
	if (!$load) {
		my $seen = Bench::load('-c', $READERS, '-n', $READERS, '-r', $RATE, '-b', $app->www . $target, $app->port, $target);
		Bench::write_file($app->dir . '/seen', "$seen->{requests} $seen->{wrong} $seen->{broken}");
		POSIX::_exit(0);
	}
	my $most = $before;
	until (waitpid $load, POSIX::WNOHANG()) {
		my $now = private($session);
		$most = $now if $now > $most;
		sleep 0.25;
	}
	my ($done, $wrong, $broken) = split / /, Bench::read_file($app->dir . '/seen');
	die "$wrong wrong answers\n" if $wrong;
	return {
		finished => $done, memory => ($most - $before) / $READERS,
		us => Bench::spent($used, Bench::used(Bench::session($session))) / $READERS * 1e6,
	};
}

sub private {
	my ($session) = @_;
	my $bytes = 0;
	$bytes += Bench::memory($_)->{private} for Bench::session($session);
	return $bytes;
}

1;
