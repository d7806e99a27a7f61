#!/usr/bin/perl
# t/32-timeline.t - viewers see one timeline, however often and however badly the source begins anew.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Watch;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

# Four seconds behind the present are what a player holds at the least, so that is what may be late.
my $BUFFER = 5.5;
my $long = $ENV{SLUICE_LONG};
my $gateway = Gateway->new;
my $clock_from = time - 3600;    # the source's clock
my $app = App->new(gateway => $gateway, via => 'fastcgi', conf => { ladder => '240p audio' });
$gateway->control('set', token_life => 3600);
my $watch = Watch->new($app, 1, qw(240p audio));
ok $watch->until(sub { $app->get('/api/live')->json->{channels}[0]{status} eq 'on' }, 30), 'the channel plays';
ok $watch->goes_on(2, 20), 'and goes on';
my $periods = $watch->periods;    # a slow start has a slate first

# What happens, and for how many segments it is watched.
my @cases = (
	[ 'a token that dies every ' . ($long ? 20 : 5) . ' s', $long ? 30 : 6, sub {
		$gateway->control('fault', kind => 'live', id => 1, set => 'token_dead=' . ($long ? '20s' : '5s'));
		$gateway->control('cut', kind => 'live', how => 'cut');
	} ],
	[ 'a source that is away for 4 s and repeats its last seconds', 5, sub {
		$gateway->control('fault', kind => 'live', id => 1, set => 'status=503');
		$gateway->control('cut', kind => 'live', how => 'rst');
		my $end = time + 4;
		$watch->look while time < $end;
		$gateway->control('clear');
	} ],
	[ 'a source that is away for 4 s and repeats nothing', 5, sub {
		$gateway->control('set', burst => 0);
		$gateway->control('fault', kind => 'live', id => 1, set => 'status=503');
		$gateway->control('cut', kind => 'live', how => 'rst');
		my $end = time + 4;
		$watch->look while time < $end;
		$gateway->control('clear');
		$gateway->control('set', burst => 4);
	} ],
	[ 'a source that is silent for 4 s', 5, sub {
		$gateway->control('fault', kind => 'live', id => 1, set => 'stall_after=1s,stall_for=4s,times=1');
		$gateway->control('cut', kind => 'live', how => 'cut');
	} ],
	[ "a broadcaster's clock that is set back", 5, sub {
		$gateway->control('fault', kind => 'live', id => 1, set => 'clock_reset=2s');
		$gateway->control('cut', kind => 'live', how => 'cut');
	} ],
	[ "a broadcaster's clock of 33 bits that wraps", 5, sub {
		$gateway->control('cut', kind => 'live', how => 'cut');    # back to the usual clock
		$watch->goes_on(2, 20);
		$gateway->control('timeline', id => 1, add => 2**33 / 90_000 - (time - $clock_from) - 6);
	} ],
);
for my $case (@cases) {
	my ($what, $segments, $do) = @$case;
	my $from = $watch->newest('240p');
	$do->();
	ok $watch->goes_on($segments, 30 + 3 * $segments), "$what: it goes on";
	cmp_ok $watch->late($from), '<', $BUFFER, 'and nobody has to wait' . sprintf ' (%.1f s)', $watch->late($from);
	is_deeply [ $watch->uneven('240p', $from), $watch->uneven('audio', $from) ], [],
		'every picture and every sound a frame after the one before';
	$gateway->control('clear');
}
is $watch->periods, $periods, 'all of it without a discontinuity';
is $app->pids('ffmpeg'), 1, 'and by one ffmpeg' or diag join ' ', $app->pids('ffmpeg');
unlike $app->log, qr/encoder_ended/, 'which was never restarted';
is_deeply [ $watch->faults, $watch->joints ], [], 'with nothing wrong in any playlist, segment or joint';

# The date that the list says is that of the wall clock, give or take what lies between.
sub behind { my ($last) = ($watch->list('240p')->segments)[-1]; return time - $last->{date} }
ok $watch->until(sub { behind() > -0.5 }, 30), sprintf 'the last segment began %.1f s ago by its date', behind();
cmp_ok behind(), '<', 15, 'and not long ago';

# A source that is late when the channel begins, and catches up.
if ($long) {
	$gateway->control('fault', kind => 'live', id => 2, set => 'throttle=150k,cut_after=9s,times=1');
	my $other = Watch->new($app, 2, '240p');
	my $ahead = sub { my $s = $other->segment('240p', $_[0]); return $s->{date} + $s->{duration} - $s->{at} };
	ok $other->until(sub { $other->periods == 2 && $other->newest('240p') }, 40), 'a channel whose source is late plays';
	ok $other->until(sub { $gateway->channel(2)->{streams} == 2 }, 40), 'catches up';
	ok $other->goes_on(14, 60), 'and goes on';
	my @ahead = map { $ahead->($_) } $other->numbers('240p');
	ok $ahead[-1] < 0.5 || $ahead[-1] < max(@ahead) - 1.5, sprintf 'and its dates come back to the wall clock: %.1f s ahead, then %.1f', max(@ahead), $ahead[-1];
	is_deeply [ $other->faults, $other->joints ], [], 'with nothing wrong in any playlist, segment or joint';
}
diag $app->log if grep { !$_ } Test::More->builder->summary;
done_testing;
