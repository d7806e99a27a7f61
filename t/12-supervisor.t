#!/usr/bin/perl
# t/12-supervisor.t - what is asked for runs, once, as long as somebody asks, and within its limit.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my $app = App->new(
	gateway => Gateway->new, via => 'fastcgi',
	conf => { live_max => 1, live_idle => '20s', ladder => '240p audio', relay_processes => 1 }
);

sub ask {
	my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $app->run_dir . '/supervisor.sock') or die "socket: $!";
	$socket->send($_) for @_;
	return;
}
sub total { my ($name) = @_; return (($app->command('status'))[1] =~ /^$name +(\d+)$/m)[0] }
# The processes of a channel, and those that encode.
sub live { my ($id) = @_; $id //= 'live-1'; return join ' ', ($app->command('status'))[1] =~ /^live +(\d+) .* \Q$id\E$/mg }
sub encoders { return scalar(my @pids = $app->pids('ffmpeg')) }

ask(('watch live-1') x 20);
ok my ($first) = $app->wait_for(sub { live() }, 10, 'a live process'), 'a channel that somebody watches gets a process';
sleep 0.5;
is live(), $first, 'one, however often it is asked for';
like(($app->command('status'))[1], qr/^live +$first .* live-1$/m, 'status says which channel');
is total('live_started'), 1, 'it is counted';

ask('watch live-2');
ok $app->wait_for(sub { $app->log =~ /no_room channel=live-2/ }, 10, 'the refusal'), 'above live_max another has no room';
is live(), $first, 'the first is left alone';
ok $app->wait_for(sub { encoders() == 1 }, 10), 'and the only one that is encoded';
is total('live_refused'), 1, 'which is counted';

my ($supervisor) = $app->pids('supervisor');
is(($app->command('reload'))[0], 0, 'the service reloads');
ok $app->wait_for(sub { $app->log =~ /supervisor\[$supervisor\] started role=janitor.*supervisor\[$supervisor\] started role=janitor/s }, 10, 'a renewed supervisor'),
	'the supervisor renews itself and what it can';
is live(), $first, 'but the channel goes on in its process';
ask('watch live-1');
sleep 0.3;
is live(), $first, 'which the new image knows';

$app->kill('live');
ok $app->wait_for(sub { my $now = live(); $now && $now ne $first }, 10, 'another live process'), 'one that is killed is replaced';
$app->move_clock(21);
ok $app->wait_for(sub { !live() && !live('live-2') }, 10, 'the end'), 'one that nobody asks for ends';
my $started = total('live_started');
sleep 0.6;
is total('live_started'), $started, 'and does not come back';
ask('watch live-2');
ok $app->wait_for(sub { live('live-2') }, 10, 'a live process'), 'until it is asked for again';
$app->move_clock(21);
$app->kill('live');
ok $app->wait_for(sub { !live() && !$app->pids('ffmpeg') }, 10, 'the end'), 'one that is killed when nobody asks any more';
sleep 0.6;
is live(), '', 'is not replaced';

ask('watch live-3');
ok $app->wait_for(sub { $app->pids('ffmpeg') }, 10, 'an encoder'), 'a third channel';
$app->kill('supervisor');
ok $app->wait_for(sub { !live() && !$app->pids('ffmpeg') }, 5, 'the end'), 'ends with its supervisor, and its encoder with it';
ok $app->wait_for(sub { my @now = $app->pids('supervisor'); @now && $now[0] != $supervisor && $app->pids('janitor') }, 5, 'a supervisor'),
	'another supervisor is there';

ask('refresh live-1', 'token live-1');
ok $app->wait_for(sub { $app->log =~ /started role=refresh id=live-1/ && $app->log =~ /started role=token id=live-1/ }, 10, 'resolvers'),
	'it has tokens resolved';
ok $app->wait_for(sub { !$app->pids('token') && !$app->pids('refresh') }, 10, 'their end'), 'by processes that end';

done_testing;
