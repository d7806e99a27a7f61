# t/bench/lib/Bench/Memory.pm - what the service holds while nobody asks.
# SPDX-License-Identifier: BSD-2-Clause
#
# As it is shipped: two api and two relay processes with their usual threads, after each of them has
# answered, under the first front server there is.
package Bench::Memory;
use strict;
use warnings;
use Time::HiRes qw(sleep);
use App;
use Gateway;
use Bench;

my $MIB = 1 << 20;

sub run {
	my $gateway = Gateway->new;
	my $app = App->new(gateway => $gateway, conf => {
		log_level => 'info', api_processes => 2, api_threads => 8, relay_processes => 2, relay_threads => 64,
	});
	for my $pool (qw(api relay)) {
		$app->fcgi($pool, 'GET', $_) for ('/api/live', '/api/live/1', '/health/live') x 100;
	}
	Bench::load('-c', 64, '-n', 5000, $app->port, '/api/live');
	sleep 1;
	my %held;
	push @{ $held{ $_->{role} } }, Bench::memory($_->{pid}) for $app->processes;
	my @lines = map { worker($_, @{ $held{$_} }) } grep { $held{$_} } qw(api relay);
	my $whole = 0;
	$whole += Bench::memory($_)->{pss} for Bench::session($app->sessions);
	my $list = join ', ', map { scalar @{ $held{$_} } . " $_" } sort keys %held;
	return (@lines, Bench::row("whole service: $list, memcached", sprintf('%.1f MiB (PSS)', $whole / $MIB), '', '≤ 100 MiB',
		$whole <= 100 * $MIB ? 1 : 0));
}

sub worker {
	my ($role, @seen) = @_;
	my ($most) = sort { $b <=> $a } map { $_->{private} } @seen;
	return Bench::row("a worker: $role, the larger of " . @seen, sprintf('%.2f MiB private', $most / $MIB), '', '≤ 4 MiB',
		$most <= 4 * $MIB ? 1 : 0);
}

1;
