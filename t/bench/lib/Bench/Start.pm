# t/bench/lib/Bench/Start.pm - from the first request for a channel to a playlist that can be played.
# SPDX-License-Identifier: BSD-2-Clause
#
# Nobody watches before. A gateway that bursts sends what it has of the last seconds at once, from a
# keyframe on; another begins anywhere, and the next keyframe may be five seconds away.
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

sub run {
	Bench::use_cores('0,1');
	my $gateway = Gateway->new;
	my $app = App->new(gateway => $gateway, conf => { log_level => 'info', live_idle => '5s' });
	my %seen;
	for my $turn (1 .. $STARTS) {
		for my $burst (4, 0) {
			$gateway->control('set', burst => $burst);
			push @{ $seen{$burst} }, start($app);
			stop($app, $gateway);
		}
	}
	return (row('a gateway that bursts', 1.0, @{ $seen{4} }), row('one that does not', 2.5, @{ $seen{0} }));
}

sub row {
	my ($what, $goal, @s) = @_;
	my @sorted = sort { $a <=> $b } @s;
	return Bench::row(sprintf('%s, %d starts', $what, scalar @s), sprintf('%.2f s (%.2f to %.2f)', Bench::median(@s), @sorted[0, -1]), '',
		"≤ $goal s", Bench::median(@s) <= $goal ? 1 : 0);
}

# Seconds until a media playlist lists a segment, which then must be one.
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
	my $segment = Ts->read($app->get($segments[0]{uri})->body);
	die "the first segment cannot be played: @{[ $segment->faults, $segment->start_faults ]}\n"
		if $segment->faults || $segment->start_faults;
	return $took;
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
