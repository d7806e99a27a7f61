#!/usr/bin/perl
# t/37-hosts.t - two hosts that share a memcached: one plays a channel, the other sends viewers there.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use App;
use Gateway;
use Memcached;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
plan skip_all => Memcached::missing() if Memcached::missing();

my $memcached = Memcached->new;
my $gateway = Gateway->new;
my @host = map {
	App->new(via => 'fastcgi', gateway => $gateway, memcached => $memcached,
		conf => { ladder => '240p', host_name => "host$_", memcached_prefix => 'two:', public_url => "http://host$_.example" })
} 1, 2;
my $master = '/api/hls/1/master.m3u8';

ok $host[0]->wait_for(sub { $host[0]->get($master)->status == 200 }, 20, 'the channel'), 'a host plays the channel';
my $reply;
ok $host[1]->wait_for(sub { ($reply = $host[1]->get("$master?quality=240p"))->status == 307 }, 20, 'the other'),
	'the other sends its viewers there';
is $reply->header('Location'), "http://host1.example$master?quality=240p", 'for the very same';
is $reply->header('Cache-Control'), 'no-store', 'which nobody keeps';
is $gateway->channel(1)->{streams}, 1, 'so that the gateway sees one stream';

$reply = $host[1]->get("$master?CMCD=" . 'x' x 4000);
is $reply->status, 400, 'an address that no header can hold is refused';
is $reply->code, 'bad_input', 'as such';
like $reply->json->{error}{message}, qr/too long/, 'in words';
is $host[0]->get("$master?CMCD=" . 'x' x 4000)->status, 200, 'where the channel plays it is none';
done_testing;
