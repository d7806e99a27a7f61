# t/bench/lib/Bench/Storm.pm - 500 clients ask at once for a channel whose token nobody knows.
# SPDX-License-Identifier: BSD-2-Clause
#
# The gateway takes its time. The baseline is t/bench/node/server.js, which caches as such servers
# usually do: what is not there is asked for, by each who finds it missing.
package Bench::Storm;
use strict;
use warnings;
use App;
use Gateway;
use Bench;
use Bench::Node;

my $CLIENTS    = 500;
my $GATEWAY_MS = 300;
my $SPARE_MS   = 60;    # what the goal allows on top
my $PROCESSES  = 4;

sub run {
	my $gateway = Gateway->new;
	$gateway->control('fault', kind => 'redirect', id => '', set => "slow_start=${GATEWAY_MS}ms");
	my ($node, $missing) = Bench::Node->start(gateway => $gateway);
	my $app = App->new(gateway => $gateway, conf => { log_level => 'info', api_processes => $PROCESSES });
	my (@ours, @theirs);
	for my $turn (1 .. $Bench::RUNS) {
		push @ours, storm($gateway, $app->port, "/api/live/1", sub { forget($app) });
		push @theirs, storm($gateway, $node->{port}, '/api/live/1', sub { $node->forget('/api/live/1') }) if $node;
	}
	my ($we, $they) = map { Bench::medians(@$_) } \@ours, @theirs ? \@theirs : ();
	my $most = (sort { $b <=> $a } map { $_->{upstream} } @ours)[0];
	my $served = $we->{served} == $CLIENTS;
	return Bench::row("$CLIENTS clients, $PROCESSES processes, gateway takes $GATEWAY_MS ms", told($we), $they ? told($they) . ' (Express + Redis)' : $missing,
		"1 upstream request, all served within $GATEWAY_MS + $SPARE_MS ms",
		$most == 1 && $served && $we->{max_ms} <= $GATEWAY_MS + $SPARE_MS ? 1 : 0);
}

# The token is gone everywhere: from memcached, and from the host's own file.
sub forget {
	my ($app) = @_;
	$app->{memcached}->flush if ref $app->{memcached};
	unlink glob $app->state_dir . '/live/work/*/token';
	$app->move_clock(6);
	return;
}

sub storm {
	my ($gateway, $port, $target, $forget) = @_;
	$forget->();
	$gateway->control('reset');
	my $seen = Bench::load('-c', $CLIENTS, '-n', $CLIENTS, $port, $target);
	die "$target: $seen->{broken} broken answers\n" if $seen->{broken};
	my $kinds = keys %{ $seen->{bodies} };
	return {
		upstream => $gateway->counts->{requests}{redirect} // 0, served => $seen->{statuses}{200} // 0, kinds => $kinds,
		median_ms => $seen->{p50_us} / 1000, max_ms => $seen->{max_us} / 1000,
	};
}

sub told {
	my ($seen) = @_;
	return sprintf '%d upstream requests, %d served, median %.0f ms, last %.0f ms, %d different bodies',
		@$seen{qw(upstream served median_ms max_ms kinds)};
}

1;
