#!/usr/bin/perl
# t/30-memcached-faults.t - a channel goes on whatever happens to memcached.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use lib abs_path(dirname(__FILE__)) . '/lib';
use App;
use Gateway;
use Hls;
use Memcached;
use Test::More;
use Time::HiRes qw(time);

plan skip_all => Memcached::missing() if Memcached::missing();
plan skip_all => 'ffmpeg is not installed' if !App::which('ffmpeg');

my $gateway = Gateway->new;
my $memcached = Memcached->new;
my $app = App->new(gateway => $gateway, memcached => $memcached);
my $path = '/api/hls/1/480p.m3u8';
my ($asked, $failed, $worst, $last) = (0, 0, 0, undef);

# One playlist, as a viewer asks for it: what it said, its time and what is wrong with it are noted.
sub look {
	my $start = time;
	my $reply = $app->get($path);
	my $took = time - $start;
	$worst = $took if $took > $worst;
	$asked++;
	$failed++ if $reply->status != 200;
	$last = Hls->read($reply->body) if $reply->status == 200;
	return;
}

# Until the channel has gone on by a segment, or 12 s are over.
sub goes_on {
	my ($what) = @_;
	($asked, $failed, $worst) = (0, 0, 0);
	$app->move_clock(4); # leases are to be renewed, and who is away to be asked
	look();
	my ($from, $deadline) = ($last->{sequence} + (() = $last->segments), time + 12);
	while (time < $deadline && $last->{sequence} + (() = $last->segments) < $from + 1) {
		select undef, undef, undef, 0.1;
		look();
	}
	cmp_ok($last->{sequence} + (() = $last->segments), '>=', $from + 1, "the channel goes on: $what");
	is($failed, 0, "no request fails ($asked were asked)");
	return;
}

# Those that nobody gave back.
sub leases {
	return grep { ($memcached->life($_) // 0) > 1 } $memcached->keys('lease');
}

$app->wait_for(sub { $app->get($path)->status == 200 && Hls->read($app->get($path)->body)->segments }, 20, 'a playlist');
my ($run) = map { m{/([^/]+)/480p/} } $app->get($path)->body =~ m{^(\S+\.ts)}m;
for my $family (qw(tok run)) {
	$app->wait_for(sub { $memcached->keys($family) }, 10, "a value of $family");
	is(scalar $memcached->keys($family), 1, "there is one value of $family in memcached");
}
is(scalar leases(), 2, 'and two leases: the channel, and its place among the account\'s connections');
is_deeply([ grep { !/^test\d+:[a-z]+:[0-9a-f]{32}$/ } $memcached->keys ], [], 'no other text is on the wire');

$memcached->flush;
goes_on('flushed');
$memcached->poison;
goes_on('full of foreign values');
$memcached->stop;
goes_on('hung');
cmp_ok($worst, '<', 1, sprintf 'and the slowest answer took %d ms', $worst * 1000);
$memcached->continue;
goes_on('hung no more');
$memcached->kill;
goes_on('dead');
$memcached->start;
goes_on('back, and empty');
$app->wait_for(sub { leases() == 2 }, 10, 'the leases');
is(scalar leases(), 2, 'the leases are in memcached again');
my ($now) = map { m{/([^/]+)/480p/} } $app->get($path)->body =~ m{^(\S+\.ts)}m;
is($now, $run, 'all the time it was the same run, which players hold on to');
is($gateway->channel(1)->{streams}, 1, 'on one stream from the gateway');
done_testing;
