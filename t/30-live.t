#!/usr/bin/perl
# t/30-live.t - a channel from its source to its playlists, and whatever may happen on the way.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(min);
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Hls;
use Ts;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my @rungs = qw(720p 240p audio);
my $gateway = Gateway->new;
my $app = App->new(gateway => $gateway, via => App::via('fastcgi'), conf => { ladder => "@rungs", live_idle => '20s', slate_dir => '' });

# What a patient player sees: every playlist, every segment, and all that is wrong with them.
my (%list, %seen, @wrong);

sub look {
	for my $rung (@rungs) {
		my $reply = $app->get("/api/hls/1/$rung.m3u8");
		next if $reply->status != 200;
		my $list = Hls->read($reply->body);
		push @wrong, map { "$rung: $_" } $list->faults;
		push @wrong, map { "$rung: $_" } Hls::step_faults($list{$rung}, $list) if $list{$rung};
		push @wrong, "$rung: the target is $list->{target}" if $list->{target} != 2;
		$list{$rung} = $list;
		fetch($rung, $_) for $list->segments;
	}
	return;
}

sub fetch {
	my ($rung, $segment) = @_;
	return if $seen{$rung}{ $segment->{n} };
	my $reply = $app->get($segment->{uri});
	push @wrong, "$segment->{uri} is listed and answers " . $reply->status if $reply->status != 200;
	my $ts = Ts->read($reply->body);
	push @wrong, map { "$segment->{uri} $_" } $ts->faults, $ts->start_faults;
	$seen{$rung}{ $segment->{n} } = { %$segment, ts => $ts };
	return;
}

sub newest { my ($rung) = @_; return (sort { $b <=> $a } keys %{ $seen{$rung} })[0] // 0 }

# Watches until $more segments have come in every rendition.
sub watch {
	my ($more, $seconds) = @_;
	my %goal = map { $_ => newest($_) + $more } @rungs;
	return $app->wait_for(sub { look(); !grep { newest($_) < $goal{$_} } @rungs }, $seconds);
}

# What is wrong between all the segments that were seen.
sub joints {
	my @faults;
	for my $rung (@rungs) {
		my $before;
		for my $n (sort { $a <=> $b } keys %{ $seen{$rung} }) {
			my $this = $seen{$rung}{$n};
			push @faults, "$rung: $n follows $before->{n}" if $before && $n != $before->{n} + 1;
			push @faults, map { "$rung $n: $_" } Ts::gap_faults($before->{ts}, $this->{ts})
				if $before && $before->{period} == $this->{period};
			$before = $this;
		}
	}
	return @faults;
}

sub periods { my %periods = map { $_->{period} => 1 } map { values %{ $seen{$_} } } @rungs; return scalar keys %periods }
sub run_of { return ($list{$_[0]}->segments)[-1]{uri} =~ m{^/tv/live-1/([0-9a-f]{32})/} ? $1 : '' }
sub first_dts { my ($rung, $n, $kind) = @_; return ($seen{$rung}{$n}{ts}->units($kind))[0]{pts} }

# --- it plays ---------------------------------------------------------------------------------------

my $began = time;
my $master = $app->wait_for(sub { my $reply = $app->get('/api/hls/1/master.m3u8'); $reply->status == 200 && $reply }, 10);
ok $master, 'the master is answered' or diag $app->log;
$master = Hls->read($master->body);
is_deeply [ $master->faults ], [], 'a strict player can read it';
is_deeply [ map { $_->{uri} } $master->variants ], [ map { "$_.m3u8" } @rungs ], 'it lists the ladder, the default first';
ok $app->wait_for(sub { look(); keys %list == @rungs }, 15), 'every rendition has a playlist';
note sprintf 'after %.1f s', time - $began;
ok watch(5, 30), 'and goes on';
is_deeply \@wrong, [], 'with nothing wrong in any playlist or segment';
is_deeply [ joints() ], [], 'counters and timestamps go on from each segment to the next';
($master) = Hls->read($app->get('/api/hls/1/master.m3u8')->body)->variants;
is "$master->{RESOLUTION} " . ($master->{'FRAME-RATE'} // ''), '1280x720 25.000', 'the master says what the pictures are like';
my $run = run_of('720p');
is run_of('audio'), $run, 'the renditions are of one run';
my $common = min(map { newest($_) } @rungs);    # one list may be a segment ahead
my $apart = abs(first_dts('720p', $common, 'audio') - first_dts('240p', $common, 'audio'));
ok $apart < 90 * 50, 'the same number is the same time in every picture';
$apart = abs(first_dts('720p', $common, 'video') - first_dts('audio', $common, 'audio'));
ok $apart < 90 * 50, 'and in the sound alone';
my $counts = $gateway->channel(1);
is "$counts->{redirects} $counts->{streams}", '1 1', 'the gateway was asked once and sends one stream';

# --- the source --------------------------------------------------------------------------------------

$gateway->control('cut', kind => 'live', how => 'rst');
ok watch(3, 30), 'after a cut it goes on';
is $gateway->channel(1)->{streams}, 2, 'with a second stream';
is periods(), 1, 'and no discontinuity';

$gateway->control('tokens', kill => 1);
$gateway->control('cut', kind => 'live', how => 'cut');
ok watch(3, 30), 'after its token has died it goes on';
ok $gateway->channel(1)->{redirects} > 1, 'with another token';
is periods(), 1, 'and no discontinuity';

$gateway->control('fault', kind => 'live', id => 1, set => 'html=1,times=1');
$gateway->control('cut', kind => 'live', how => 'cut');
ok watch(3, 30), 'a web page instead of media is passed over';
is periods(), 1, 'without a discontinuity';
$gateway->control('clear');

$gateway->control('timeline', id => 1, add => 5000);
ok watch(3, 30), "a jump of the broadcaster's clock is passed over";
is periods(), 1, 'without a discontinuity';
is_deeply \@wrong, [], 'with nothing wrong in any playlist or segment';
is_deeply [ joints() ], [], 'and every joint as it should be';

# --- our own processes ---------------------------------------------------------------------------------

$app->kill('ffmpeg');
ok watch(3, 30), 'with a new ffmpeg it goes on';
is periods(), 2, 'after one discontinuity';
$app->kill('live');
ok watch(3, 30), 'with a new live process it goes on';
is periods(), 3, 'after another';
is run_of('720p'), $run, 'in the same run';
ok $app->wait_for(sub { $app->pids('ffmpeg') == 1 }, 5), 'and there is one ffmpeg';
is_deeply \@wrong, [], 'with nothing wrong in any playlist or segment';
is_deeply [ joints() ], [], 'no number is missing, and within a period every joint is as it should be';
is_deeply [ map { $seen{$rungs[0]}{$_}{period} } sort keys %{ $seen{$rungs[0]} } ],
	[ map { $seen{$rungs[1]}{$_}{period} } sort keys %{ $seen{$rungs[0]} } ],
	'the renditions agree where the discontinuities are';
ok watch(9, 40), 'the discontinuities leave the list';
is_deeply \@wrong, [], 'and their sequence number says so';

# --- nobody watches --------------------------------------------------------------------------------------

$app->move_clock(25);
ok $app->wait_for(sub { !$app->pids('live') && !$app->pids('ffmpeg') }, 10), 'what nobody watches stops';
ok $app->wait_for(sub { $gateway->channel(1)->{now} == 0 }, 5), 'and lets the source go';
is $app->get('/api/live')->json->{channels}[0]{status}, 'off', 'it is said to be off';
%list = %seen = ();
ok $app->wait_for(sub { look(); keys %list == @rungs }, 20), 'the next viewer starts it again';
isnt run_of('720p'), $run, 'as another run';
$app->stop;
ok $app->wait_for(sub { !grep { $_->{role} ne 'memcached' } $app->processes }, 5, 'their end'), 'nothing is left after a stop';
diag $app->log if grep { !$_ } Test::More->builder->summary;
done_testing;
