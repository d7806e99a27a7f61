#!/usr/bin/perl
# t/31-live-trouble.t - a channel while what it stands on fails: processes, memcached, the store.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Hls;
use Prometheus;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my $gateway = Gateway->new;
my $app = App->new(gateway => $gateway, via => App::via('fastcgi'), conf => { ladder => '240p audio' });
my ($list, @wrong);

sub look {
	my $reply = $app->get('/api/hls/1/240p.m3u8');
	return if $reply->status != 200;
	my $now = Hls->read($reply->body);
	push @wrong, $now->faults, $list ? Hls::step_faults($list, $now) : ();
	$list = $now;
	return ($now->segments)[-1];
}

# Whether so many new segments are listed in time.
sub goes_on {
	my ($more, $seconds) = @_;
	my $last = look();
	my $from = $last ? $last->{n} : 0;
	return $app->wait_for(sub { my $now = look(); $now && $now->{n} >= $from + $more }, $seconds);
}

sub run_of { return ($list->segments)[-1]{uri} =~ m{^/tv/(live-1/[0-9a-f]{32})/} ? $1 : '' }
sub one_of_each { return $app->wait_for(sub { $app->pids('live') == 1 && $app->pids('ffmpeg') == 1 }, 5) }

ok goes_on(2, 20), 'the channel plays';
my $run = run_of();

SKIP: {
	skip Memcached::missing(), 1 if Memcached::missing();
	$app->kill('memcached');
	ok goes_on(3, 15), 'without memcached it goes on';
}

my ($pid) = $app->pids('live');
my $began = time;
kill TERM => $pid;
ok $app->wait_for(sub { !kill 0, $pid }, 1), 'asked to end, its process ends within a second';
ok goes_on(2, 15), 'and the next one goes on';

$app->kill('supervisor');
ok goes_on(2, 15), 'with a new supervisor it goes on';
ok one_of_each(), 'with one process and one ffmpeg';

my ($stopped) = $app->pids('ffmpeg');
$app->kill('ffmpeg', 'STOP');
ok $app->wait_for(sub { my @now = $app->pids('ffmpeg'); @now == 1 && $now[0] != $stopped }, 30),
	'an ffmpeg that does nothing is replaced, and does not stay';
ok goes_on(3, 30), 'and it goes on';

$gateway->control('fault', kind => 'live', id => 1, set => 'stall_after=1s,stall_for=4s,times=1');
$gateway->control('cut', kind => 'live', how => 'cut');
my $period = ($list->segments)[-1]{period};
ok goes_on(5, 30), 'a source that is silent for 4 s is waited for';
is(($list->segments)[-1]{period}, $period, 'without a discontinuity');
is run_of(), $run, 'all of it in one run';
is_deeply \@wrong, [], 'and nothing was wrong in any playlist';

# Neither root nor a quota can write through a file.
my $store = $app->state_dir . "/live/pub/$run/240p";
system 'rm', '-r', $store;
open my $file, '>', $store or die "$store: $!\n";
close $file;
ok $app->wait_for(sub { $app->log =~ /segment_not_published/ }, 10), 'a store that takes nothing is said';
my $stuck = look()->{n};
sleep 0.1 until time > $began + 1;
is look()->{n}, $stuck, 'what is not there is not listed';
unlink $store;
ok goes_on(2, 15), 'when it takes something again, it goes on';
is run_of(), $run, 'in the same run';

$gateway->control('fault', kind => '', id => '', set => 'status=458');
my $reply = $app->get('/api/live/2');
is $reply->status, 503, 'an account at its limit is said to be busy';
ok $reply->header('Retry-After'), 'for a while';
like $reply->json->{error}{message}, qr/limit/, 'in words';
unlike $app->log, qr/demo:demo|\/demo\/demo\/|auth\/[a-z0-9]{20}/, 'no log line shows the account or a token';
my $metrics = Prometheus->read($app->get('/metrics')->body);
is_deeply [ $metrics->faults ], [], 'metrics of all this can be read';
my %least = (
	live_starts_total => 3, encoder_starts_total => 4, encoder_failures_total => 1,
	upstream_requests_total => 4, upstream_bytes_total => 500_000, upstream_refusals_total => 1, upstream_errors_total => 1,
	publishes_total => 20, publishes_bytes_total => 100_000, leases_taken_total => 2,
);
# Without a master nobody counts the end of the supervisor: the next one is started by a request.
$least{respawns_total} = 1 unless $app->is_alone;
cmp_ok $metrics->sum("sluice_$_"), '>=', $least{$_}, "and count it: $_" for sort keys %least;
$app->stop;
ok $app->wait_for(sub { !grep { $_->{role} ne 'memcached' } $app->processes }, 5, 'their end'), 'nothing is left after a stop';
done_testing;
