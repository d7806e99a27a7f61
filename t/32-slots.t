#!/usr/bin/perl
# t/32-slots.t - an account's connections: never one too many, given back by whoever dies, and taken
# along by a viewer who changes channel.
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

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my $gateway = Gateway->new(accounts => { demo => { password => 'demo', max => 1, over => '458' } });
my $app = App->new(gateway => $gateway, connections => 1, conf => { ladder => '240p', slate_dir => '' }, via => 'fastcgi');
my @agents = map { [ 'User-Agent' => $_ ] } qw(first second);

# Asks as one of two viewers.
sub ask { my ($who, $target) = @_; return $app->get($target, @{ $agents[$who] }) }
sub playlist { my ($who, $id) = @_; return ask($who, "/api/hls/$id/240p.m3u8") }
# The channel's own newest segment, slates left out.
sub newest { my ($who, $id) = @_; my @n = playlist($who, $id)->body =~ m{^#EXTINF:[\d.]+,\n(?:#.*\n)*\S+/(\d+)\.ts$}mg; return $n[-1] // 0 }
sub now { my ($id) = @_; return $gateway->channel($id)->{now} }

# Polls as a player does, and is done when the channel has got a segment that nobody has seen: right
# after a kill nobody may answer, and the list may still end with what was there before.
my %seen;

sub plays {
	my ($who, $id, $seconds) = @_;
	my $from = $seen{$id} = max($seen{$id} // 0, newest($who, $id));
	return $app->wait_for(sub { sleep 0.3; ($seen{$id} = max($seen{$id}, newest($who, $id))) > $from }, $seconds // 20, "channel $id to play");
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

# --- whichever process is killed, at whichever step -------------------------------------------------------

my $id = 3;    # the channel that plays

sub requests { my ($kind) = @_; return $gateway->counts->{requests}{$kind} // 0 }
sub resolvers { return map { $app->pids($_) } qw(token refresh) }

# A change of channel comes as far as a request of this kind, which the gateway holds up.
sub change_to {
	my ($kind, $fault) = @_;
	$id = $id == 3 ? 1 : 3;
	$gateway->control('fault', kind => $kind, id => $id, set => $fault);
	my $count = requests($kind);
	return $app->wait_for(sub { playlist(1, $id); requests($kind) > $count }, 20, 'the step');
}

# Each holds its step and returns what is to go on after the kill, or nothing when it was not reached.
my @steps = (
	[ 'while the channel is being resolved' => sub { change_to('redirect', 'slow_start=2s,times=1') ? [] : undef } ],
	[ 'when the resolver has its answer, and has told nobody' => sub {
		change_to('redirect', 'slow_start=1s,times=1') or return;
		my @held = $app->wait_for(sub { my @r = resolvers(); @r && \@r }, 3) or return;
		kill STOP => @{ $held[0] };
		sleep 1.3;
		return $held[0];
	} ],
	[ 'when the connection is taken, and no token asked for yet' => sub {
		plays(1, $id) or return;
		my @held = $app->pids('supervisor');    # who would be asked
		kill STOP => @held;
		my $from = length $app->log;
		$gateway->control('tokens', kill => 1);
		$gateway->control('cut', kind => 'live', how => 'cut');
		$app->wait_for(sub { substr($app->log, $from) =~ / source_lost / }, 10, 'the end of the stream');
		sleep 0.7;    # it looks for another one
		return \@held;
	} ],
	[ 'while it connects' => sub { change_to('live', 'slow_start=2s,times=1') ? [] : undef } ],
	[ 'before its first byte' => sub { change_to('live', 'body_delay=2s,times=1') ? [] : undef } ],
	[ 'in mid-stream' => sub { plays(1, $id) ? [] : undef } ],
);
# Of these only some are there at each step. The master takes all with it.
my @roles = qw(live resolver ffmpeg supervisor api janitor master);
my %quick = map { $_ => 1 } 'resolver 1', 'live 2', 'live 3', 'live 5';

sub strike {
	my ($role, $held) = @_;
	my @pids = $role eq 'resolver' ? resolvers() : $app->pids($role);
	kill KILL => @pids;
	kill CONT => @$held;
	$app->start if @pids && $role eq 'master';
	return scalar @pids;
}

for my $step (0 .. $#steps) {
	my ($name, $reach) = @{ $steps[$step] };
	for my $role ($ENV{SLUICE_LONG} ? @roles : grep { $quick{"$_ $step"} } @roles) {
		subtest "kill -9 of $role $name" => sub {
			my $held = $reach->();
			ok $held, 'the step is reached' or return;
			my $killed = strike($role, $held);
			note $killed ? "killed: $killed" : 'there is none';
			$gateway->control('clear');
			ok plays(1, $id, 40), 'the channel plays nevertheless';
			# What was made before the kill is played, too, while the stream is being taken up again.
			ok $app->wait_for(sub { playlist(1, $id); now($id) == 1 }, 10, 'the stream'), 'with one stream';
			is $gateway->channel($id)->{peak}, 1, 'and never had two';
			never_over($role);
		};
	}
}

subtest 'everything is killed, and another viewer comes' => sub {
	$app->kill('master');
	ok $app->wait_for(sub { !$app->pids('live') }, 5), 'all is gone';
	$app->start;
	$id = 2;
	ok plays(0, $id, 25), 'another channel has the connection, within the life of a lease';
	never_over('everything');
	$app->move_clock(40);
	ok $app->wait_for(sub { !$app->pids('live') }, 15), 'and leaves it';
} if $ENV{SLUICE_LONG};

subtest 'what is left' => sub {
	$app->move_clock(15);
	$app->move_clock(20);
	ok $app->wait_for(sub { !$app->pids('live') }, 15, 'the end'), 'nobody watches: nothing runs';
	is now(1) + now(2) + now(3), 0, 'no stream is open';
	ok plays(0, 1, 20), 'and the connection is free for anybody';
};

is join("\n", grep { !/ died role=\S+ status=137 / } $app->log =~ /^\S+ error .*$/mg), '', 'no error was logged but of these deaths';
done_testing;
