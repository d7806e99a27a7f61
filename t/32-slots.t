#!/usr/bin/perl
# t/32-slots.t - an account's connections: never one too many, given back by whoever dies, and taken
# along by a viewer who changes channel.
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

my $gateway = Gateway->new(accounts => { demo => { password => 'demo', max => 1, over => '458' } });
my $app = App->new(gateway => $gateway, connections => 1, conf => { ladder => '240p', slate_dir => '' }, via => 'fastcgi');
my @agents = map { [ 'User-Agent' => $_ ] } qw(first second);

# Asks as one of two viewers.
sub ask { my ($who, $target) = @_; return $app->get($target, @{ $agents[$who] }) }
sub playlist { my ($who, $id) = @_; return ask($who, "/api/hls/$id/240p.m3u8") }
sub newest { my ($who, $id) = @_; my @n = playlist($who, $id)->body =~ m{/(\d+)\.ts$}mg; return $n[-1] // 0 }
sub now { my ($id) = @_; return $gateway->channel($id)->{now} }

# Polls as a player does, and is done when the channel has got a segment it had not.
sub plays {
	my ($who, $id, $seconds) = @_;
	my $from = newest($who, $id);
	return $app->wait_for(sub { sleep 0.3; newest($who, $id) > $from }, $seconds // 20, "channel $id to play");
}

# No moment with two streams, and no refusal, is what the gateway must have seen.
sub never_over {
	my ($name) = @_;
	is $gateway->counts->{statuses}{458} // 0, 0, "$name: the gateway never had to refuse us";
	return;
}

ok plays(0, 1), 'a channel plays';

subtest 'a second channel for another viewer' => sub {
	my $reply;
	$app->wait_for(sub { ($reply = playlist(1, 2))->status == 503 && $reply->json->{error}{reason} eq 'limit_reached' }, 10);
	is $reply->status, 503, 'does not start';
	is $reply->json->{error}{reason}, 'limit_reached', 'because the limit is reached';
	like $reply->json->{error}{message}, qr/account demo/, 'in words that name the account';
	like $reply->header('Retry-After'), qr/^\d+$/, 'and it is said when to ask again';
	$reply = ask(1, '/api/live/2');
	is $reply->status . ' ' . $reply->json->{error}{reason}, '503 limit_reached', 'as JSON says';
	my $end = time + 3;
	while (time < $end) { playlist(0, 1); playlist(1, 2); sleep 0.3 }
	is now(1) . now(2), '10', 'the first is left alone';
	ok plays(0, 1), 'and plays on';
	never_over('one connection, two viewers');
};

subtest 'when the first one has left' => sub {
	# Only the second viewer asks from here on.
	ok plays(1, 2, 25), 'the second channel plays, though the first would go on for a while';
	is now(1) . now(2), '01', 'on the only connection';
	never_over('a connection that was abandoned');
};

subtest 'a viewer who changes channel' => sub {
	my $began = time;
	ok plays(1, 3), 'sees the new one';
	note sprintf 'after %.1f s', time - $began;
	is now(2) . now(3), '01', 'and the old one has ended';
	like $app->log, qr/takes_over channel=live-3 from=live-2/, 'as the log says';
	ok plays(1, 2), 'and back again';
	is now(2) . now(3), '10', 'the same';
	never_over('changing channel');
};

subtest 'two players of one viewer' => sub {
	ok plays(1, 3), 'the newer one';
	my ($end, %took) = (time + 6);
	my $log = length $app->log;
	while (time < $end) { playlist(1, 2); playlist(1, 3); sleep 0.4 }
	is now(3), 1, 'keeps the connection';
	unlike substr($app->log, $log), qr/takes_over/, 'and they do not take it from each other in turns';
	never_over('two players');
};

# Whichever process dies, the channel gets its connection again, and no other does meanwhile.
my @killed = $ENV{SLUICE_LONG} ? qw(live ffmpeg supervisor master api janitor) : qw(live);
for my $role (@killed) {
	subtest "kill -9 of $role in mid-stream" => sub {
		ok plays(1, 3), 'it plays';
		my ($before) = $app->pids('live');
		ok $app->kill($role) > 0, 'killed';
		$app->start if $role eq 'master';
		ok plays(1, 3, 25), 'it plays again';
		is now(3), 1, 'with one stream';
		never_over($role);
	};
}

# The resolver, and the channel's process between its steps: the gateway holds the step open.
my @steps = (
	# what is slow at the gateway, who dies then
	[ 'redirect', 'slow_start=2s,times=1', 'token', 'the resolver before its answer' ],
	[ 'redirect', 'slow_start=2s,times=1', 'live', 'the channel\'s process while it is being resolved' ],
	[ 'live', 'slow_start=2s,times=1', 'live', 'the channel\'s process while it connects' ],
	[ 'live', 'slow_start=2s,times=1', 'supervisor', 'the supervisor while it connects' ],
	[ 'redirect', 'slow_start=2s,times=1', 'supervisor', 'the supervisor while it is being resolved' ],
);
@steps = $steps[2] unless $ENV{SLUICE_LONG};
my $id = 3;
for my $step (@steps) {
	my ($kind, $fault, $role, $name) = @$step;
	subtest "kill -9 of $name" => sub {
		my $other = $id == 3 ? 1 : 3;
		$gateway->control('fault', kind => $kind, id => $other, set => $fault);
		my $of = sub { my $c = $gateway->counts; $kind eq 'redirect' ? $c->{requests}{redirect} // 0 : $c->{requests}{live} // 0 };
		my $count = $of->();
		playlist(1, $other);
		ok $app->wait_for(sub { playlist(1, $other); $of->() > $count }, 15, 'the step'), 'the step is reached';
		my @roles = $role eq 'token' ? qw(token refresh) : $role;
		ok $app->wait_for(sub { grep { $app->kill($_) > 0 } @roles }, 3, "the $role"), 'killed';
		$gateway->control('clear');
		ok plays(1, $other, 30), 'the channel plays nevertheless';
		is now($other), 1, 'with one stream';
		is $gateway->channel($other)->{peak}, 1, 'and never had two';
		$id = $other;
	};
}

subtest 'what is left' => sub {
	$app->move_clock(15);
	$app->move_clock(20);
	ok $app->wait_for(sub { !$app->pids('live') }, 15, 'the end'), 'nobody watches: nothing runs';
	is now(1) + now(2) + now(3), 0, 'no stream is open';
	ok plays(0, 1, 20), 'and the connection is free for anybody';
};

is join(' ', $app->log =~ /^.*level=error.*$/mg), '', 'no error was logged';
done_testing;
