# t/bench/lib/Bench/Picture.pm - how long a viewer waits for the picture, in Chromium.
# SPDX-License-Identifier: BSD-2-Clause
#
# Nobody watches before. From the address of the page to the first frame that is shown, then from a
# click on another channel's card; browser and service share the machine.
package Bench::Picture;
use strict;
use warnings;
use JSON::PP ();
use Time::HiRes qw(sleep);
use App;
use Gateway;
use Bench;

my $TURNS = 3;

# What is told, the gateway's burst in seconds, the goal of the channel's own first picture in seconds.
my @CASES = ([ 'a gateway that bursts', 4, 1.5 ], [ 'one that does not', 0 ]);

sub run {
	my $node = App::which('node') or die "node is not installed\n";
	Bench::use_cores('0,1');
	my $gateway = Gateway->new;
	my $app = App->new(gateway => $gateway, via => 'lighttpd', conf => { log_level => 'info', live_idle => '5s' });
	my %seen;
	for my $turn (1 .. $TURNS) {
		for my $case (@CASES) {
			my ($what, $burst) = @$case;
			$gateway->control('set', burst => $burst);
			my $said = JSON::PP->new->decode(scalar qx{$node @{[Bench::srcdir()]}/t/browser/start.mjs http://127.0.0.1:@{[$app->port]}} || '{}');
			die $said->{skip} // 'no picture came', "\n" unless $said->{start}{channel} && $said->{change}{channel};
			push @{ $seen{"$what: $_"} }, $said->{$_} for qw(start change);
			stop($app, $gateway);
		}
	}
	return map { my $case = $_; map { row($case, $_, @{ $seen{"$case->[0]: $_"} }) } qw(start change) } @CASES;
}

sub in_seconds { my ($view) = @_; return { map { $_ => $view->{$_} / 1000 } qw(any channel held stalled) } }

sub row {
	my ($case, $kind, @views) = @_;
	my ($what, undef, $goal) = @$case;
	my $seen = Bench::medians(map { in_seconds($_) } @views);
	my @sorted = sort { $a <=> $b } map { $_->{channel} / 1000 } @views;
	return Bench::row(sprintf('%s, %s', $what, $kind eq 'start' ? 'from the address' : 'a change of channel'),
		sprintf('%.2f s (%.2f to %.2f); the first picture, slates too: %.2f s; held for %.1f s, stood for %.1f s in the 5 s after',
			$seen->{channel}, @sorted[0, -1], $seen->{any}, $seen->{held}, $seen->{stalled}), '',
		$goal ? "≤ $goal s" : '', $goal ? ($seen->{channel} <= $goal ? 1 : 0) : undef);
}

sub stop {
	my ($app, $gateway) = @_;
	for (1 .. 3) {
		$app->move_clock(3);
		sleep 0.4;
	}
	$app->wait_for(sub { !$app->pids('ffmpeg') && !$app->pids('live') }, 15, 'the channels to stop') or die "the channels do not stop\n";
	return;
}

1;
