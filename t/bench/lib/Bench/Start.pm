# t/bench/lib/Bench/Start.pm - from the first request for a channel to a playlist that can be played.
# SPDX-License-Identifier: BSD-2-Clause
#
# Nobody watches before. A gateway that bursts sends what it has of the last seconds at once, from a
# keyframe on; another begins anywhere, and the next keyframe may be five seconds away. Both without
# slates, until the channel itself can be seen; and once more with them, until there is anything.
package Bench::Start;
use strict;
use warnings;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Hls;
use Ts;
use Bench;

my $STARTS = 7;

# What is told, whether with slates, the gateway's burst in seconds, the goal in seconds.
my @CASES = ([ 'a gateway that bursts', 0, 4, 1 ], [ 'one that does not', 0, 0, 2.5 ], [ 'one that does not, with slates', 1, 0, 0.3 ]);

sub run {
	Bench::use_cores('0,1');
	my $gateway = Gateway->new;
	my @apps = map { App->new(gateway => $gateway, conf => { log_level => 'info', live_idle => '5s', %$_ }) } { slate_dir => '' }, {};
	my %seen;
	for my $turn (1 .. $STARTS) {
		for my $case (@CASES) {
			my ($what, $slates, $burst) = @$case;
			$gateway->control('set', burst => $burst);
			push @{ $seen{$what} }, start($apps[$slates]);
			stop($apps[$slates], $gateway);
		}
	}
	return map { row($_->[0], $_->[3], @{ $seen{ $_->[0] } }) } @CASES;
}

sub row {
	my ($what, $goal, @starts) = @_;
	my $seen = Bench::medians(@starts);
	my @sorted = sort { $a <=> $b } map { $_->{s} } @starts;
	return Bench::row(sprintf('%s, %d starts', $what, scalar @starts),
		sprintf('%.2f s (%.2f to %.2f), ffmpeg used %.2f s of processor', $seen->{s}, @sorted[0, -1], $seen->{cpu_s}), '',
		"≤ $goal s", $seen->{s} <= $goal ? 1 : 0);
}

# Until a media playlist lists a segment, which then must be one: seconds, and what ffmpeg used.
sub start {
	my ($app) = @_;
	my $begun = time;
	my $master = Hls->read(ask($app, '/api/hls/1/master.m3u8', $begun)->body);
	my ($first) = $master->variants;
	my @segments;
	until (@segments) {
		die "no segment came\n" if time > $begun + 20;
		@segments = Hls->read(ask($app, "/api/hls/1/$first->{uri}", $begun)->body)->segments;
	}
	my $took = time - $begun;
	my $cpu = Bench::spent({}, Bench::used($app->pids('ffmpeg')));
	my $segment = Ts->read($app->get($segments[0]{uri})->body);
	die "the first segment cannot be played: @{[ $segment->faults, $segment->start_faults ]}\n"
		if $segment->faults || $segment->start_faults;
	return { s => $took, cpu_s => $cpu };
}

# As a player asks that cannot wait.
sub ask {
	my ($app, $target, $begun) = @_;
	while (1) {
		my $reply = $app->get($target);
		return $reply if $reply->status == 200;
		die "$target: " . $reply->status . ' ' . $reply->body . "\n" if $reply->status != 503 || time > $begun + 20;
		sleep 0.02;
	}
}

sub stop {
	my ($app, $gateway) = @_;
	for (1 .. 3) {
		$app->move_clock(3);
		sleep 0.4;
	}
	$app->wait_for(sub { $gateway->channel(1)->{now} == 0 && !$app->pids('ffmpeg') && !$app->pids('live') }, 15, 'the channel to stop')
		or die "the channel does not stop\n";
	return;
}

1;
