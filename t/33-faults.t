#!/usr/bin/perl
# t/33-faults.t - memcached fails in every way while viewers ask, and none of them notices for long.
# SPDX-License-Identifier: BSD-2-Clause
# SLUICE_LONG=1 lets every fault last for a while.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Hls;
use Load;
use Memcached;
use Prometheus;

plan skip_all => Memcached::missing() if Memcached::missing();
plan skip_all => 'ffmpeg is not installed' if !App::which('ffmpeg');

my $long = $ENV{SLUICE_LONG};
my $rate = $long ? 50 : 25;
my $lasts_s = $long ? 15 : 2;
my $gateway = Gateway->new;
my $memcached = Memcached->new;
my $app = App->new(gateway => $gateway, memcached => $memcached, conf => { ladder => '240p audio' });
my $list = '/api/hls/1/240p.m3u8';

sub metric {
	my ($name, %labels) = @_;
	return Prometheus->read($app->get('/metrics')->body)->sum("sluice_$name", %labels);
}

sub newest { my @n = $app->get($list)->body =~ m{/(\d+)\.ts$}mg; return $n[-1] // 0 }
ok $app->wait_for(sub { newest() }, 20, 'a playlist'), 'a channel plays';

my $load = Load->new($app, rate => $rate,
	paths => [ '/api/live', $list, '/api/live/1', '/api/hls/1/master.m3u8', '/api/live/2', '/health/ready', '/watch/1' ]);
sleep 0.5; # each path has been asked for once
my $from = time;
sleep $lasts_s;
my @usual = $load->answers($from, time - 0.3);
my $usual = Load::percentile(95, @usual);
cmp_ok scalar @usual, '>', $rate, sprintf 'viewers ask %d times a second', $rate;
is scalar(grep { $_->{status} != 200 } @usual), 0, 'and are answered';
diag sprintf 'usual: %d answers, 50 %% in %.1f ms, 95 %% in %.1f ms, the slowest %.1f ms', scalar @usual,
	map { 1000 * Load::percentile($_, @usual) } 50, 95, 100;

# The slowest may be 250 ms slower than usual, and so much more as a busy machine has shown before.
my $most = Load::percentile(100, @usual) + 0.25 + ($long ? 0.05 : 0.1);

sub hurt {
	my ($what, $fault, $seconds) = @_;
	my $segment = newest();
	my ($from, $lost) = (time, metric('memcached_failures_total'));
	$fault->();
	sleep($seconds < 3 ? $seconds : 3);
	my ($later, $lost_first) = (time, metric('memcached_failures_total'));
	sleep $seconds - 3 if $seconds > 3;
	my @answers = $load->answers($from, time - 0.3);
	my @late = grep { $_->{at} > $from + 3 } @answers;
	my @failed = grep { $_->{status} != 200 } @answers;
	my ($slowest) = sort { $b->{took} <=> $a->{took} } @answers;
	diag sprintf '%s: %d answers, 50 %% in %.1f ms, 95 %% in %.1f ms, the slowest %.1f ms (%s), %d calls waited in vain',
		$what, scalar @answers, (map { 1000 * Load::percentile($_, @answers) } 50, 95, 100), $slowest->{path},
		metric('memcached_failures_total') - $lost;
	is_deeply [ map { "$_->{status} $_->{path}" } @failed ], [], "$what: no request of " . @answers . ' fails';
	cmp_ok $slowest->{took}, '<=', $most, 'none is more than 250 ms slower';
	if (@late > 20) {
		is metric('memcached_failures_total'), $lost_first, 'after 3 s nobody waits for memcached any more'
			if $what eq 'stopped'; # one that is dead refuses at once, which takes no time
		cmp_ok Load::percentile(99, @late), '<=', $usual + 0.1, 'and none is slower';
	}
	ok $app->wait_for(sub { newest() > $segment }, 12, 'a newer segment'), 'the channel goes on';
	return;
}

hurt('flushed', sub { $memcached->flush }, $lasts_s);
hurt('filled with foreign values', sub { $memcached->poison; $memcached->fill(20) }, $lasts_s);
hurt('stopped', sub { $memcached->stop }, $lasts_s + 3);
my $health = $app->get('/health')->json;
like $health->{checks}{memcached}, qr/does not answer/, 'health says that it hangs';
is $health->{status}, 'degraded', 'which is no more than a degraded service';
hurt('continued', sub { $memcached->continue }, $lasts_s);
hurt('killed', sub { $memcached->kill }, $lasts_s);
hurt('started again', sub { $memcached->start }, $lasts_s);
ok $app->wait_for(sub { $app->get('/health')->json->{checks}{memcached} eq 'ok' }, 10, 'memcached'), 'health says that it is back';
$load->stop;

my @all = $load->answers($from, time);
diag sprintf 'all: %d answers, %d failed', scalar @all, scalar grep { $_->{status} != 200 } @all;
is scalar(grep { $_->{status} >= 500 } @all), 0, 'of all requests none failed';
is $gateway->channel(1)->{streams}, 1, 'and all the time one stream came from the gateway';
is metric('memcached_outages_total') > 0, 1, 'the outages are counted';
unlike $app->log, qr/level=error/, 'nothing of it is an error of ours' or diag grep { /level=error/ } split /^/, $app->log;
done_testing;
