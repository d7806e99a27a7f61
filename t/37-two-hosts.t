#!/usr/bin/perl
# t/37-two-hosts.t - two hosts of one service: one memcached, an account of one connection.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Memcached;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
plan skip_all => Memcached::missing() if Memcached::missing();

my $gateway = Gateway->new(accounts => { demo => { password => 'demo', max => 1, over => '458' } });
my $memcached = Memcached->new;
my ($here, $there) = map { host($_) } qw(here there);

# Each is a machine of its own, with a key of its own: channels need none in common, as films do that
# are published into one store (t/75-film-hosts.t).
sub host {
	my ($name) = @_;
	my $app = App->new(
		gateway => $gateway, connections => 1, memcached => $memcached, via => 'fastcgi', start => 0,
		conf => { ladder => '240p', host_name => $name, public_url => "http://$name.example" },
	);
	$app->start;
	$app->import_sources;
	return $app;
}

sub playlist { my ($app, $id) = @_; return $app->get("/api/hls/$id/240p.m3u8", 'User-Agent' => $app->{conf}{host_name}) }
sub newest { my @n = playlist(@_)->body =~ m{/(\d+)\.ts$}mg; return $n[-1] // 0 }
sub run_of { return playlist(@_)->body =~ m{/tv/[^/]+/([0-9a-f]{32})/} ? $1 : '' }
sub is_on { my ($app, $id) = @_; return ($app->get("/api/live/$id")->json->{status} // '') eq 'on' }

# Segments that were not there before, and no slate.
sub plays {
	my ($app, $id, $seconds) = @_;
	my $from = newest($app, $id);
	return $app->wait_for(sub { sleep 0.2; newest($app, $id) > $from && is_on($app, $id) }, $seconds // 20, "channel $id to play");
}

sub never_over {
	my ($name) = @_;
	is $gateway->counts->{statuses}{458} // 0, 0, "$name: the gateway never had to refuse us";
	cmp_ok $gateway->channel($_)->{peak}, '<=', 1, 'and never saw two' for 1, 2;
	return;
}

ok plays($here, 1), 'a channel plays on one host';
my $run = run_of($here, 1);

subtest 'the same channel on the other host' => sub {
	my $reply;
	$there->wait_for(sub { ($reply = playlist($there, 1))->status == 307 }, 10);
	is $reply->status, 307, 'is at the first one';
	is $reply->header('Location'), 'http://here.example/api/hls/1/240p.m3u8', 'under the same address there';
	$reply = $there->get('/api/hls/1/master.m3u8?token=a%2Fb');
	is $reply->status . ' ' . $reply->header('Location'), '307 http://here.example/api/hls/1/master.m3u8?token=a%2Fb', 'query included';
	is $gateway->channel(1)->{streams}, 1, 'for one stream';
};

subtest 'another channel on the other host' => sub {
	ok $there->wait_for(sub { playlist($there, 2); $there->log =~ / slate channel=live-2 reason=limit_reached/ }, 15), 'shows that the limit is reached';
	my $reply = $there->get('/api/live/2');
	is $reply->status . ' ' . $reply->json->{error}{reason}, '503 limit_reached', 'and JSON says it';
	like $reply->header('Retry-After'), qr/^\d+$/, 'and when to ask again';
	ok is_on($here, 1), 'the first one is left alone' or diag $here->get('/api/live/1')->body, grep { !/ request / } $here->log =~ /^.*\n/mg;
	is $gateway->channel(2)->{redirects} + $gateway->channel(2)->{streams}, 0, 'and the gateway is not asked';
};

subtest 'the first host stops' => sub {
	$here->stop;
	ok plays($there, 2, 25), 'the other one has the connection';
	is $gateway->channel(1)->{now} . $gateway->channel(2)->{now}, '01', 'and nobody else';
	never_over('a host that stops');
};

subtest 'the second host dies' => sub {
	$here->start;
	$there->kill('master');
	my $began = time;
	ok plays($here, 1, 30), 'the first one has it again';
	cmp_ok time - $began, '<', 25, sprintf 'after %.1f s: a lease lives 15', time - $began;
	never_over('a host that dies');
	$there->start;
	ok $there->wait_for(sub { playlist($there, 1)->status == 307 }, 10), 'and the second one, back again, knows where it is';
};

subtest 'a channel that moves' => sub {
	isnt App::_slurp($here->state_dir . '/key'), App::_slurp($there->state_dir . '/key'), 'between hosts with keys of their own';
	$run = run_of($here, 1);
	$here->kill('master');
	my $last = newest($there, 1);
	ok plays($there, 1, 40), 'goes on at the other host';
	is run_of($there, 1), $run, 'in the same run: players that know it go on';
	never_over('a channel that moves');
} if $ENV{SLUICE_LONG};
done_testing;
