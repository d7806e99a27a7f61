#!/usr/bin/perl
# t/42-input.t - whatever is asked for gets the right 4xx as JSON, and nothing breaks.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use App;
use Gateway;

my $gateway = Gateway->new;
my @ways = ('fastcgi', App::which('lighttpd') ? 'lighttpd' : ());
my @cases = (
	# what, method, target, status by the program, by lighttpd where it answers itself
	['an unknown channel', GET => '/api/live/999', 404],
	['an unknown channel\'s master', GET => '/api/hls/999/master.m3u8', 404],
	['an unknown kind', GET => '/api/hls/vod-1/master.m3u8', 404],
	['an unknown rendition', GET => '/api/hls/1/999p.m3u8', 404],
	['an id that is none', GET => '/api/live/!', 400],
	['an endless id', GET => '/api/live/' . 'a' x 300, 400],
	['an unknown quality', GET => '/api/live/1?quality=best', 400],
	['an unknown quality of a master', GET => '/api/hls/1/master.m3u8?quality=9999p', 400],
	['an unknown address', GET => '/nothing/here', 404],
	['the prefix of a pool', GET => '/-api/api/live', 404],
	['a live segment that is none', GET => '/tv/live-1/x/720p/1.ts', 404],
	['a versioned path', GET => '/api/hls/1/' . 'a' x 32 . '/720p/1.m4s', 404],
	['POST where GET is meant', POST => '/api/live', 405],
	['DELETE', DELETE => '/api/hls/1/master.m3u8', 405],
	['an encoded slash', GET => '/api%2flive', 400],
	['dot segments', GET => '/api/../api/live', 400],
	['encoded dot segments', GET => '/api/%2e%2e/live', 400],
	['NUL', GET => '/api/live/1%00', 400],
	['CR and LF', GET => '/api/live/1%0d%0aX-Evil:%20yes', 400],
	['a broken escape', GET => '/api/live/%zz', 400],
	['bytes that are no UTF-8', GET => '/api/live/%ff%fe', 400],
	['5,000 parameters', GET => '/api/live?' . 'a&' x 3000, 400],
	['a query that is no UTF-8', GET => '/api/live?q=%ff', 400],
	['a limit that is none', GET => '/api/live?limit=-1', 400],
	['a cursor that is none', GET => '/api/live?cursor=x', 400],
	['too long an address', GET => '/' . 'a' x 9000, qr/^(400|414|431)$/],
	['an absurd header', GET => '/api/live', qr/^(200|400|431)$/, 'X-Absurd' => 'y' x 20000],
	['an absurd range', GET => '/api/live', qr/^(200|206|400|416)$/, Range => 'bytes=' . join ',', map { "$_-" } 1 .. 300],
	['a script in a query', GET => '/api/live?q=%3Cscript%3E', 200],
);

for my $via (@ways) {
	my $app = App->new(gateway => $gateway, via => $via);
	# Without a front server the program itself is asked, whatever the address.
	my $ask = sub {
		my ($method, $target, @headers) = @_;
		return $app->request($method, $target, @headers, $method eq 'POST' ? (_body => '{}') : ()) if $via ne 'fastcgi';
		return $app->fcgi('api', $method, $target, \@headers);
	};
	for my $case (@cases) {
		my ($what, $method, $target, $status, @headers) = @$case;
		my $reply = $ask->($method, $target, @headers);
		if (ref $status) { like $reply->status, $status, "$via: $what" }
		else { is $reply->status, $status, "$via: $what is $status" or diag $reply->body }
		next if $reply->status < 300;
		ok defined $reply->code, "$via: and the answer is JSON with a code" or diag $reply->body;
		unlike join("\n", map { "$_" } %{ $reply->headers }), qr/X-Evil/i, "$via: no header was made of it";
	}
	my $reply = $ask->(POST => '/api/live');
	is $reply->header('Allow'), 'GET, HEAD, OPTIONS', "$via: 405 says what is allowed";
	is $ask->(OPTIONS => '/api/live')->status, 204, "$via: OPTIONS answers a preflight";

	# The same addresses, mutated: always an answer below 500, and a service that is still there.
	srand 4711;
	my (%seen, @bad);
	for my $round (1 .. 400) {
		my (undef, undef, $target) = @{ $cases[ rand @cases ] };
		substr $target, 1 + rand(length($target) - 1), 1, ('%', '/', '?', '.', '&', '=', '%0', 'é', '~', '\\')[ rand 10 ] for 1 .. 1 + rand 4;
		$target =~ s/[^\x21-\x7e]/sprintf '%%%02X', ord $&/ge;
		my $reply = $ask->(GET => substr $target, 0, 4000);
		$seen{ $reply->status }++;
		push @bad, "$target: " . $reply->status if $reply->status >= 500 && $reply->status != 503 || !$reply->status;
	}
	is join("\n", @bad), '', "$via: no mutated address is answered by 500, or not at all";
	note join ' ', map { "$_: $seen{$_}" } sort keys %seen;
	is $app->get('/health/live')->status, 200, "$via: the service is still there";
	unlike $app->log, qr/ error | died /, "$via: and no process of it has died";
}

SKIP: {
	skip 'lighttpd is not installed', 4 unless @ways == 2;
	my $app = App->new(gateway => $gateway, via => 'lighttpd');
	for my $raw ("GET /a\x01b HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01 nonsense\r\n\r\n") {
		my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $app->port, Timeout => 5);
		print $socket $raw;
		shutdown $socket, 1;
		my $answer = do { local $/; <$socket> } // '';
		(my $shown = $raw) =~ s/[^\x21-\x7e]+/ /g;
		like $answer, qr{^(?:HTTP/1\.[01] 4\d\d |$)}, "a request as odd as '$shown' is refused";
	}
}

done_testing;
