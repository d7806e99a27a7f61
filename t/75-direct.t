#!/usr/bin/perl
# t/75-direct.t - films at a gateway that a viewer plays from its edge: who, when, and what it costs us.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny ();
use Test::More;
use App;
use Gateway;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg') && App::which('ffprobe');

my $media   = Gateway::media();
my $secret  = 'hush-4711';
my $gateway = Gateway->new(user => 'viewer.one', password => $secret,
	accounts => { 'viewer.one' => { password => $secret, max => 1 } });
$gateway->control('set', over => 403);
my $app = App->new(gateway => $gateway, connections => 1);
my @said;    # all that was answered: heads, and bodies of text

sub ask {
	my ($target, @headers) = @_;
	my $reply = $app->get($target, @headers);
	push @said, join "\n", $target, $reply->status, %{ $reply->headers }, length $reply->body < 100_000 ? $reply->body : '';
	return $reply;
}

sub fault { my ($set) = @_; $gateway->control('fault', kind => 'redirect', id => '', set => $set); return }
sub goes_to { my ($reply) = @_; return ($reply->header('Location') // '') =~ m{/master\.m3u8} ? 'playlist' : ($reply->header('Location') // '') =~ m{^\Q$_[1]\E} ? 'edge' : $reply->status }
my $edge = 'http://127.0.0.1:' . $gateway->edge_port . '/vauth/';

# Of a metric, over all its labels.
sub total {
	my ($name) = @_;
	my ($sum, $text) = (0, $app->get('/metrics')->body);
	$sum += $1 while $text =~ /^sluice_${name}_total(?:\{[^}]*\})? (\d+)/mg;
	return $sum;
}

# What reads a film keeps the account's connection for a moment: another one's would be in the way.
sub let_go {
	return $app->wait_for(sub { $app->move_clock(10); !$app->pids('feeder') }, 20, 'the feeder to end');
}

# What it comes to, once nothing that was asked for before reads a film any more: that may begin late.
sub in_the_end {
	my ($want, $code) = @_;
	my $got;
	$app->wait_for(sub { let_go(); ($got = $code->()) eq $want }, 20);
	return $got;
}

subtest 'an MP4 at a gateway' => sub {
	my $first = ask('/api/stream/vod/102', Accept => 'application/json');
	is $first->status, 200, 'is told of' or diag $first->body;
	my $told = $first->json;
	is "$told->{mode} $told->{url}", 'direct /api/stream/vod/vod-102', 'is told to be played as it is';
	my %before = (gateway => $gateway->title(102)->{bytes}, upstream => total('upstream_bytes'), parts => scalar @{ $gateway->title(102)->{ranges} });
	my $reply = ask('/api/stream/vod/102');
	is $reply->status . ' ' . goes_to($reply, $edge), '302 edge', 'leads to the edge';
	is $reply->header('Cache-Control'), 'private, no-store', 'which is for nobody else';
	is length $reply->body, 0, 'without a byte of it';
	my $film = HTTP::Tiny->new->get($reply->header('Location'));
	my $size = -s "$media/102.mp4";
	is length $film->{content}, $size, 'where it is whole';
	is $gateway->title(102)->{bytes} - $before{gateway}, $size, 'sent once by the gateway, to the viewer';
	is total('upstream_bytes') - $before{upstream}, 0, 'and not a byte of it to us';
	ok $app->get('/metrics')->body =~ /^sluice_http_response_bytes_total\{[^}]*stream_vod[^}]*\} (\d+)/m && $1 < 20_000, 'nor from us to anybody';
	isnt ask('/api/stream/vod/102')->header('Location'), $reply->header('Location'), 'the next viewer has another address';
	is goes_to(ask('/api/stream/vod-102'), $edge), 'edge', 'its bytes alone are there, too';
	is goes_to(ask('/api/stream/vod/102?quality=240p'), $edge), 'playlist', 'a lower picture is made here';
	let_go();
	ask('/api/series/201');
	is goes_to(ask('/api/stream/series/201/1/2'), $edge), 'edge', 'an episode is played so, too';
	let_go();
	my $kept = ask('/api/stream/ep-20102?download=1');
	is $kept->status . ' ' . length $kept->body, '200 ' . -s "$media/20102.mp4", 'to be kept it comes from here, whole';
	like $kept->header('Content-Disposition') // '', qr/^attachment; filename="[^";]*The Second\.mp4"; filename\*=UTF-8''[^;]*The%20Second\.mp4$/, 'with its name';
};

subtest 'what a player says that it plays' => sub {
	let_go();
	for (['', 'playlist'], ['?plays=mp4%20h264%20aac', 'playlist'], ['?plays=mkv,h264,ac3', 'edge'], ['?plays=mkv,h264,aac', 'playlist'], ['?plays=mkv,hevc,ac3', 'playlist']) {
		is goes_to(ask("/api/stream/vod/101$_->[0]"), $edge), $_->[1], "MKV with AC-3, and '$_->[0]': by $_->[1]";
	}
	my $told = ask('/api/stream/vod/101?plays=mkv,h264,ac3', Accept => 'application/json')->json;
	is "$told->{mode} $told->{url}", 'direct /api/stream/vod/vod-101?plays=mkv%2Ch264%2Cac3', 'the way that is told keeps it';
	is ask('/api/stream/vod/101', Accept => 'application/json')->json->{mode}, 'hls', 'a browser plays it by its playlist';
	is goes_to(ask('/api/stream/vod/102?plays=mkv'), $edge), 'playlist', 'what is not named is not played';
};

subtest 'an edge that does not suit' => sub {
	is in_the_end(edge => sub { goes_to(ask('/api/stream/vod/102'), $edge) }), 'edge', 'suits a page by http';
	is goes_to(ask('/api/stream/vod/102', @$_), $edge), 'playlist', "by http, for a page by https ($_->[0])"
		for [ Referer => 'https://tv.example/watch' ], [ Origin => 'https://tv.example' ], [ 'X-Forwarded-Proto' => 'https' ];
	for (['redirect.location=loop', 'holds the account'], ['redirect.location=scheme', 'is no web address'], ['redirect.location=none', 'is none'], ['redirect.status=403', 'is refused']) {
		fault($_->[0]);
		is goes_to(ask('/api/stream/vod/102'), $edge), 'playlist', "an address that $_->[1]";
		$gateway->control('clear');
	}
	fault('redirect.location=loop');
	is in_the_end(upstream_refused => sub { ask('/api/stream/vod-102')->code }), 'upstream_refused', 'its bytes alone cannot be had then';
	$gateway->control('clear');
	is in_the_end(edge => sub { goes_to(ask('/api/stream/vod/102'), $edge) }), 'edge', 'the next one may';
};

subtest 'an account whose only connection is in use' => sub {
	let_go();
	ok $app->wait_for(sub { ask('/api/hls/1/master.m3u8')->status == 200 && $gateway->channel(1)->{now} }, 20, 'a channel'), 'by a channel';
	is goes_to(ask('/api/stream/vod/102'), $edge), 'playlist', 'has none for a viewer';
};

subtest 'direct_play = proxy' => sub {
	$app->write_conf(direct_play => 'proxy');
	is +($app->command('reload'))[0], 0, 'is taken';
	$app->wait_for(sub { $app->move_clock(60); !$app->pids('live') }, 20, 'the channel, that nobody watches, to end');
	let_go();
	my $reply;
	$app->wait_for(sub { $reply = ask('/api/stream/vod/102', Range => 'bytes=1000-'); $reply->status == 206 }, 30);
	my $size = -s "$media/102.mp4";
	is $reply->status . ' ' . length $reply->body, '206 ' . ($size - 1000), 'leads nobody to the edge: its bytes come from here' or diag $reply->body;
	is $reply->header('Content-Type'), 'video/mp4', 'as what they are';
	my $told = ask('/api/stream/vod/102', Accept => 'application/json')->json;
	is "$told->{mode} $told->{url}", 'direct /api/stream/vod-102', 'and that is said';
};

my @leaks = grep { /\Q$secret\E|viewer\.one/ } @said;
is_deeply \@leaks, [], 'no answer, in head or body, holds the account';
cmp_ok scalar @said, '>', 25, 'of many';
unlike $app->log, qr/\Q$secret\E|\/vauth\//, 'nor does the log, nor an edge\'s address';
done_testing;
