# t/bench/lib/Bench/Json.pm - JSON that was asked for before: ours, and Express with Redis.
# SPDX-License-Identifier: BSD-2-Clause
#
# The baseline is t/bench/node/server.js: Express and Redis over a unix socket, production mode,
# one process, no front server before it, the same bytes.
package Bench::Json;
use strict;
use warnings;
use Time::HiRes qw(sleep);
use App;
use Gateway;
use Bench;
use Bench::Node;
use Bench::Storm;

my @TARGETS = ([ 'channels', '/api/live' ], [ 'one channel', '/api/live/1' ]);

my $CONNECTIONS = 16;

# What a hit of each kind may cost, in microseconds.
my %GOAL_US = (nginx => 30, lighttpd => 90, memcached => 110);

sub run {
	my $gateway = Gateway->new;
	my ($node, $missing) = Bench::Node->start;
	my @lines;
	for my $front (Bench::fronts()) {
		my $app = App->new(via => $front, gateway => $gateway, conf => { log_level => 'info' });
		push @lines, map { compare($app, $node, $missing, @$_) } @TARGETS;
		push @lines, from_memcached($app) if $front eq 'lighttpd' && ref $app->{memcached};
	}
	return @lines;
}

# A channel whose token another host of the cluster has asked for: this one has no file of it, and a
# request with credentials is answered from no process's table. So each answer takes one get, until
# after five seconds the token is asked for anew.
sub from_memcached {
	my ($app) = @_;
	my $target = '/api/live/1';
	my @headers = (Authorization => 'Basic YmVuY2g6YmVuY2g=');
	my ($hits, $answers, $body) = (0, 0, $app->dir . '/token-body');
	my $how = { connections => 4, name => 'memcached', port => $app->port, sessions => [ $app->sessions ],
		target => $target, body => $body, headers => [ join ': ', @headers ] };
	my @runs;
	for my $turn (1 .. $Bench::RUNS) {
		Bench::Storm::forget($app);
		$app->get($target) for 1 .. 2;
		unlink glob $app->state_dir . '/live/work/*/token' or die "no token was kept in a file\n";
		Bench::write_file($body, $app->get($target, @headers)->body);
		my $before = $app->{memcached}->stats->{get_hits};
		push @runs, Bench::measure($how);
		$hits += $app->{memcached}->stats->{get_hits} - $before;
		$answers += $runs[-1]{requests};
	}
	die sprintf("%s: %.2f hits in memcached for each answer\n", $target, $hits / $answers) if $hits < $answers;
	my $we = Bench::medians(@runs);
	return Bench::row(sprintf('lighttpd: one channel, %d bytes, its token by a get from memcached', -s $body), told($we), '',
		"≤ $GOAL_US{memcached} µs", $we->{us} <= $GOAL_US{memcached} ? 1 : 0);
}

sub compare {
	my ($app, $node, $missing, $what, $target) = @_;
	my ($front, $reply) = ($app->{via}, settled($app, $target));
	my $body = Bench::write_file($app->dir . '/body', $reply->body);
	my @hows = { connections => $CONNECTIONS, name => $front, port => $app->port, sessions => [ $app->sessions ], target => $target, body => $body };
	if ($node) {
		$node->keep($target, $reply->body);
		push @hows, { %$node, connections => $CONNECTIONS, target => $target, body => $body };
	}
	my ($we, $they) = Bench::compare(@hows);
	my $cached = $app->get($target)->header('X-Cache') // 'none';
	my $ratio = $they ? $they->{costs} : 0;
	my $goal = $GOAL_US{$front};
	my $reached = (!$goal || $we->{us} <= $goal) && (!$they || $ratio >= 1.5);
	return Bench::row(sprintf('%s: %s, %d bytes, X-Cache %s', $front, $what, length $reply->body, $cached), told($we),
		$they ? told($they) . ' (Express + Redis)' : $missing,
		join(', ', $goal ? "≤ $goal µs" : (), '≥ 1.5× as cheap' . ($they ? sprintf(': %.1f×', $ratio) : '')), $reached ? 1 : 0);
}

# The answer that stays: the first one tells of a token that was not cached, and a cache in front of
# us keeps that for a second.
sub settled {
	my ($app, $target) = @_;
	$app->wait_for(sub { $app->get($target)->status == 200 }, 10, $target) or die "$target is not answered\n";
	sleep 2.5;
	my $reply = $app->get($target);
	die "$target: " . $reply->status . "\n" if $reply->status != 200;
	return $reply;
}

sub told { my ($seen) = @_; return sprintf '%.0f µs, %.0f/s, p99 %.1f ms', $seen->{us}, $seen->{rate}, $seen->{p99_us} / 1000 }

1;
