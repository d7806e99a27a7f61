#!/usr/bin/perl
# t/36-crowd.t - many viewers who come at once are one viewer to the source.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my $count = $ENV{SLUICE_LONG} ? 200 : 60;
my $gateway = Gateway->new(accounts => { demo => { password => 'demo', max => 1, over => '458' } });
my $app = App->new(gateway => $gateway, connections => 1, conf => { ladder => '240p', api_processes => 4 });

# Slow enough that all of them wait for it.
$gateway->control('fault', kind => 'redirect', id => 1, set => 'slow_start=1s,times=1');
my @seen = App::parallel($count, sub {
	my ($number) = @_;
	my ($end, $enough) = (time + 60, time + 6);
	while (time < $end) {
		my $reply = $app->get('/api/hls/1/240p.m3u8', 'User-Agent' => "viewer $number");
		return $reply->status if $reply->status != 200 && $reply->status != 503;
		return 'plays' if time > $enough && $reply->status == 200 && $reply->body =~ m{^/tv/live-1/}m;
		sleep 0.5;
	}
	return 'waits';
});
is scalar(grep { $_ eq 'plays' } @seen), $count, "$count viewers play";
ok $app->wait_for(sub { $app->get('/api/live/1')->json->{status} eq 'on' }, 20, 'the channel'), 'the channel itself';
my $counts = $gateway->channel(1);
is $counts->{redirects}, 1, 'for one redirect';
is $counts->{streams}, 1, 'one stream';
is $counts->{peak}, 1, 'at a time';
is $gateway->counts->{statuses}{458} // 0, 0, 'and without a refusal';
is scalar($app->pids('live')), 1, 'by one process';
my ($status, $table) = $app->command('status');
my @asked = $table =~ /^api +\d+ +ready +.*? +\d+ +(\d+) +\d+ *$/mg;
is scalar(grep { $_ > 0 } @asked), 4, 'for all four workers';
done_testing;
