#!/usr/bin/perl
# t/77-film-or-channel.t - a film and a channel, and an account that allows one connection.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Scripted;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my $films = Scripted->new;
$films->text('101.mkv', join("\n", 'script', 'segments 18', 'copy 1', 'echo 100000', 'bytes 100000') . "\n" . 'x' x 2_000_000);
Gateway::media();
copy(Gateway::media() . "/ch$_.ts", $films->dir) for 1 .. 3;
my $gateway = Gateway->new(dir => $films->dir, accounts => { demo => { password => 'demo', max => 1, over => '458' } });
my $app = $films->serve(gateway => $gateway, connections => 1, conf => { ladder => '240p' });
my @film = ('User-Agent' => 'sofa');
my @channel = ('User-Agent' => 'kitchen');

sub channel { return $app->get('/api/hls/1/240p.m3u8', @channel) }
sub plays { return ($app->get('/api/live/1')->json->{status} // '') eq 'on' }
sub over { return $gateway->counts->{statuses}{458} // 0 }

my $ver = $films->ver('vod-101');
is $films->get('vod-101', $ver, 'source/0.m4s')->status, 200, 'a film plays';
$app->move_clock(9);     # nobody has read it for so long
ok $app->wait_for(sub { sleep 0.2; channel(); plays() }, 40, 'the channel'), 'a channel gets the connection when nobody reads the film just now';
is over(), 0, 'and the gateway never saw two';

my $reply = $app->get($films->path('vod-101', $ver, 'source/9.m4s'), @film);
is $reply->status, 503, 'the film waits for the channel now';
like $reply->json->{error}{message}, qr/All connections that the account demo allows are in use/, 'and says why';
ok $reply->header('Retry-After'), 'and when to ask again';
is $films->get('vod-101', $ver, 'source/0.m4s')->status, 200, 'what was made of it before plays';
ok plays(), 'the channel goes on';
is over(), 0, 'and the gateway was not asked';

$app->move_clock(60);    # nobody watches the channel any more
ok $app->wait_for(sub { sleep 0.3; $app->get($films->path('vod-101', $ver, 'source/9.m4s'), @film)->status == 200 }, 20, 'the film'),
	'when the channel has ended, the film goes on';
is over(), 0, 'with never more than one connection';

# The same viewer goes from one to the other.
$app->move_clock(9);
ok $app->wait_for(sub { sleep 0.2; channel(); plays() }, 40, 'the channel'), 'the channel plays again, when the film is left';
my $began = time;
ok $app->wait_for(sub { sleep 0.3; $app->get($films->path('vod-101', $ver, 'source/12.m4s'), @channel)->status == 200 }, 20, 'the film'),
	'its only viewer who opens the film has that';
cmp_ok time - $began, '<', 15, sprintf 'after %.1f s', time - $began;
like $app->log, qr/ takes_over film=vod-101 from=live-1\n/, 'because the channel made way' or diag grep { /takes_over|leave/ } split /^/, $app->log;
is over(), 0, 'again with never more than one connection';
is $gateway->title(101)->{peak}, 1, 'of the film\'s own';
done_testing;
