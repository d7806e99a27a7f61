#!/usr/bin/perl
# t/33-slates.t - what viewers are shown when a channel has nothing to show, and how it comes and goes.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Watch;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
my $slates = App::builddir() . '/slates';
plan skip_all => 'the build has no slates' unless -e "$slates/starting/240p.ts";

my $gateway = Gateway->new(accounts => { demo => { password => 'demo', max => 1, over => 458 } });
my $app = App->new(gateway => $gateway, via => 'fastcgi', conf => { ladder => '240p audio' });
$gateway->control('set', token_life => 3600, over => 458);

# Which slate a segment is the first of; '' for none.
sub slate_of {
	my ($segment) = @_;
	my $body = $app->get($segment->{uri})->body;
	my ($rung) = $segment->{uri} =~ m{/([^/]+)/\d+\.ts$};
	for my $path (glob "$slates/*/$rung.ts") {
		open my $file, '<:raw', $path or die "$path: $!\n";
		my $text = do { local $/; <$file> };
		return $path =~ m{([^/]+)/[^/]+$} if $text eq $body;
	}
	return '';
}

# The slates that were shown, in order, each once.
sub shown {
	my ($watch, $from) = @_;
	return join ' ', grep { length } map { slate_of($watch->segment('240p', $_)) }
		grep { $_ >= ($from // 0) } $watch->numbers('240p');
}

sub all_is_well {
	my ($watch, $what) = @_;
	is_deeply [ $watch->faults, $watch->joints, map { $watch->uneven($_) } qw(240p audio) ], [],
		"$what: nothing is wrong in any playlist, segment or joint";
	return;
}

# When the channel's last start came to these lines of the log, in seconds after it; 9e9 for never. By
# the log, because a busy machine makes a slow source of a quick one.
sub after_start {
	my ($id, @what) = @_;
	my ($began, @at) = (0, map { 9e9 } @what);
	for my $line (split /\n/, $app->log) {
		my ($h, $m, $s) = $line =~ /T(\d\d):(\d\d):(\d\d\.\d\d\d)Z/ or next;
		my $now = $h * 3600 + $m * 60 + $s;
		($began, @at) = ($now, map { 9e9 } @what) if $line =~ / started role=live id=live-$id /;
		for my $i (grep { $line =~ / $what[$_] / && $line =~ /channel=live-$id / } 0 .. $#what) {
			$at[$i] = $now - $began if $at[$i] == 9e9;
		}
	}
	return @at;
}

# The starting slate is for sources that have sent nothing in a quarter of a second, and for encoders that
# have made nothing of it in one and a half.
sub is_due { my ($slate, $came) = @_; return $slate > ($came < 0.24 ? 1.48 : 0.24) }

# --- a source that is quick, and one that is slow ------------------------------------------------------

my ($watch, $began);
for my $time (qw(first second third)) {    # at the first the gateway itself reads its film
	if ($time eq 'third') {    # the kept one has died while nobody watched, for longer than it may be taken for new
		$gateway->control('tokens', kill => 1);
		$app->move_clock(120);
	}
	$watch = Watch->new($app, 1, qw(240p audio));
	$began = time;
	ok $watch->until(sub { $watch->newest('240p') }, 10), "a source that bursts plays the $time time";
	note sprintf 'its first playlist came after %.2f s', time - $began;
	my ($flowed, $slate, $lost) = after_start(1, 'flowing', 'slate', 'source_lost');
	is shown($watch), $slate == 9e9 ? '' : 'starting', sprintf 'with%s slate', $slate == 9e9 ? 'out a' : ' a';
	ok $slate == 9e9 || is_due($slate, $flowed), sprintf 'as is right (%.2f s, the source %.2f s)', $slate, $flowed;
	is $lost, 9e9, 'and nobody speaks of trouble';
	$app->move_clock(40);
	ok $app->wait_for(sub { !$app->pids('live') }, 10), 'it stops';
}
$app->move_clock(3600);    # the token is forgotten too

$gateway->control('fault', kind => 'redirect', id => 1, set => 'slow_start=2500ms,times=1');
$watch = Watch->new($app, 1, qw(240p audio));
$began = time;
my $master = $app->get('/api/hls/1/master.m3u8');
my $took = time - $began;
is $master->status, 200, 'the master of a slow source is there at once';
cmp_ok $took, '<', 2.4, sprintf 'that is after %.2f s', $took;
is_deeply [ map { $_->{uri} } Hls->read($master->body)->variants ], [qw(240p.m3u8 audio.m3u8)], 'with all that there may be';
$watch->look;
is shown($watch), 'starting', 'it begins with a slate';
my $list = $app->get('/api/hls/1/240p.m3u8');
like $list->body, qr/^#EXTINF:0\.\d+,slate$/m, 'which the list calls one';
is $list->header('Cache-Control'), 'max-age=0', 'and nobody keeps that list, for the channel comes soon';
ok $watch->until(sub { $watch->periods == 2 }, 20), 'and goes on with the channel';
ok $watch->goes_on(3, 20), 'which stays';
is shown($watch), 'starting', 'after one slate';
for my $rung (qw(240p audio)) {
	my @slates = grep { $watch->segment($rung, $_)->{title} eq 'slate' } $watch->numbers($rung);
	my $period = $watch->segment($rung, $slates[0])->{period} + 1;
	my @own = map { sprintf '%.0f', 2 * $_->{duration} } grep { $_->{period} == $period } map { $watch->segment($rung, $_) } $watch->numbers($rung);
	like "@own", qr/^1(?:$| 1(?:$| 2(?:$| 4)))/, "$rung begins with half a second behind it, too";
}
cmp_ok $watch->late(0), '<', 4, sprintf 'a player that begins with the slate has to wait little (%.1f s)', $watch->late(0);
all_is_well($watch, 'a slow source');

# --- a source that goes away ---------------------------------------------------------------------------

my $from = $watch->newest('240p');
$gateway->control('fault', kind => 'live', id => 1, set => 'status=503');
$gateway->control('cut', kind => 'live', how => 'cut');
ok $watch->until(sub { shown($watch, $from) }, 20), 'a source that is away is said to be';
is shown($watch, $from), 'source_down', 'in the picture';
ok $watch->goes_on(4, 20), 'for as long as it lasts';
cmp_ok $watch->late($from), '<', 8, 'each slate when the one before ends';
is $watch->periods, 3, 'after one discontinuity';
ok $app->wait_for(sub { $app->get('/api/live')->json->{channels}[0]{status} eq 'starting' }, 5), 'and said elsewhere too';
$gateway->control('clear');
ok $watch->until(sub { $watch->periods == 4 }, 20), 'when it is back the channel goes on';
ok $watch->goes_on(2, 20), 'and stays';
ok $app->wait_for(sub { $app->get('/api/live')->json->{channels}[0]{status} eq 'on' }, 5), 'it is on';
all_is_well($watch, 'a source that was away');
my @dates = map { $watch->segment('240p', $_)->{date} } $watch->numbers('240p');
is scalar(grep { $dates[$_] < $dates[ $_ - 1 ] } 1 .. $#dates), 0, 'and the dates never went back';
cmp_ok abs(time + $app->{clock} / 1000 - $dates[-1]), '<', 12, 'the last is that of the wall clock';

# --- an account that has no connection left ------------------------------------------------------------

my $other = Watch->new($app, 2, qw(240p audio));
ok $other->until(sub { shown($other) =~ /limit_reached/ }, 10), 'a second channel of an account with one connection has its slate';
my ($refused, $slate) = after_start(2, 'refused', 'slate');
like shown($other), is_due($slate, $refused) && $refused > $slate ? qr/^starting limit_reached$/ : qr/^limit_reached$/, 'which says so, and nothing else';
my $reply = $app->get('/api/live/2');
is $reply->status, 503, 'JSON says it too';
ok $reply->header('Retry-After'), 'and when to ask again';
ok $other->goes_on(3, 15), 'the slate stays';
ok $watch->goes_on(2, 15), 'beside the first channel, which plays';
all_is_well($other, 'an account at its limit');
ok $other->until(sub { $app->pids('live') == 2 && $other->goes_on(1, 10) }, 10), 'each by its process';
is scalar($app->pids('ffmpeg')), 1, 'and one encoder';
diag $app->log if grep { !$_ } Test::More->builder->summary;
done_testing;
