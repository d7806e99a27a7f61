#!/usr/bin/perl
# t/46-poison.t - what one client says of itself or of us is in no answer that others get.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use App;
use Gateway;

my $gateway = Gateway->new;
# What the first to ask sends; those who come within the second get what it was answered, if that was kept.
my @cases = (
	[ 'another host', GET => Host => 'evil.example' ],
	[ 'a host with a port', GET => Host => 'localhost:4711' ],
	[ 'a host that a proxy names', GET => 'X-Forwarded-Host' => 'evil.example', 'X-Host' => 'evil.example', Forwarded => 'host=evil.example;proto=https' ],
	[ 'another scheme', GET => 'X-Forwarded-Proto' => 'https', 'X-Forwarded-Scheme' => 'https', 'X-Forwarded-Port' => '4711', 'Front-End-Https' => 'on' ],
	[ 'another address', GET => 'X-Original-URL' => '/api/none', 'X-Rewrite-URL' => '/api/none', 'X-Forwarded-Prefix' => '/evil' ],
	[ 'another method', GET => 'X-HTTP-Method-Override' => 'DELETE', 'X-Method-Override' => 'POST' ],
	[ 'a part', GET => Range => 'bytes=0-5' ],
	[ 'many parts', GET => Range => 'bytes=0-0,2-2,4-4' ],
	[ 'a part that is not there', GET => Range => 'bytes=9999999-' ],
	[ 'a condition', GET => 'If-None-Match' => '*', 'If-Modified-Since' => 'Fri, 01 Jan 2100 00:00:00 GMT' ],
	[ 'a condition that fails', GET => 'If-Match' => '"evil"', 'If-Unmodified-Since' => 'Sat, 01 Jan 2000 00:00:00 GMT' ],
	[ 'HEAD', 'HEAD' ],
	[ 'a preflight', OPTIONS => Origin => 'http://evil.example', 'Access-Control-Request-Method' => 'GET' ],
	[ 'a page of another host', GET => Origin => 'http://evil.example', Referer => 'http://evil.example/' ],
	[ 'a browser', GET => Accept => 'text/html', 'Accept-Language' => 'xx', 'Accept-Encoding' => 'br, gzip, deflate' ],
	[ 'a program of its own name', GET => 'User-Agent' => '<script>alert(1)</script>' ],
	[ 'an absurd header', GET => 'X-Absurd' => 'y' x 20_000 ],
	[ 'a cookie', GET => Cookie => 'sid=evil; lang=xx' ],
	[ 'what caches are told', GET => 'Cache-Control' => 'max-age=999999, only-if-cached', Pragma => 'no-cache' ],
	[ 'a name of a user', GET => 'Remote-User' => 'evil', 'X-Remote-User' => 'evil' ],
);

sub same { my ($reply) = @_; return join "\n", $reply->status, (map { "$_: " . ($reply->header($_) // '') } qw(Content-Type Cache-Control Content-Length Access-Control-Allow-Origin Location Vary Content-Encoding)), $reply->body }

for my $via (grep { App::Front::is_here($_) } qw(lighttpd nginx apache)) {
	my $app = App->new(via => $via, gateway => $gateway);
	my $clean = same($app->get('/api/live?limit=900'));
	my $page = same($app->get('/'));
	my ($asset) = map { m{(/web/[^/]+/player\.js)$} } glob $app->www . '/web/*/player.js';
	my $file = same($app->get($asset));
	my $n = 100;
	for my $case (@cases) {
		my ($what, $method, @headers) = @$case;
		my $target = '/api/live?limit=' . $n++;    # which makes no difference, but is another key
		my $reply = $app->request($method, $target, @headers);
		unlike $reply->body . join("\n", %{ $reply->headers }), qr/evil|:4711/, "$via: $what is not repeated";
		is same($app->get($target)), $clean, 'and the next who asks gets what is right';
		$app->request($method, $_, @headers) for '/', $asset;
		is same($app->get('/')), $page, 'so it is of a page';
		is same($app->get($asset)), $file, 'and of a file';
	}
	for my $query ('limit=x', 'cursor=%ff', 'q=%00', 'limit=0') {
		my $target = '/api/live?' . $query;
		my @said = map { $app->get($target) } 1 .. 2;
		is $_->status, 400, "$via: $query is refused" for @said;
		like $_->header('Cache-Control'), qr/no-store/, 'which nobody keeps' for @said;
		isnt $said[0]->json->{error}{requestId}, $said[1]->json->{error}{requestId}, 'nor did the front server' if $said[0]->json;
	}
	is same($app->get('/api/live?limit=901')), $clean, 'and all is well';
	$app->end;
}
done_testing;
