#!/usr/bin/perl
# t/43-doubtful.t - requests that two servers could read differently: where one ends and the next begins.
# SPDX-License-Identifier: BSD-2-Clause
# A proxy before the front server may be one of the two. So what is in doubt is refused, or read as RFC 9112
# (section 6.1 and 6.3) says, and what stands in a body is never answered as a request.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time);
use App;

# What stands where it is no request, and one that ends the connection, where it has gone on until then.
my $hidden = "OPTIONS /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n";    # 204
my $last = "GET /api/last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";    # 404

sub post { my ($fields, $rest) = @_; return "POST /api/video-info HTTP/1.1\r\nHost: localhost\r\n$fields\r\n$rest" }
sub get { my ($fields, $rest) = @_; return "GET /api/live HTTP/1.1\r\n$fields\r\n" . ($rest // '') }
my $chunked = "Transfer-Encoding: chunked\r\n";
my $refused = qr/^(?:400|411|413|501|)$/;    # in words, or by an end
my @cases = (
	# what, bytes, statuses of all answers
	[ 'two lengths', post("Content-Length: 0\r\nContent-Length: 5\r\n", "hello$hidden"), $refused ],
	[ 'a list of lengths', post("Content-Length: 5, 6\r\n", "hello$hidden"), $refused ],
	[ 'a length with a sign', post("Content-Length: +5\r\n", "hello$hidden"), $refused ],
	[ 'a length below zero', post("Content-Length: -1\r\n", $hidden), $refused ],
	[ 'a length beyond all numbers', post("Content-Length: 99999999999999999999999\r\n", $hidden), $refused ],
	[ 'a length in words', post("Content-Length: five\r\n", "hello$hidden"), $refused ],
	# Section 6.1: the coding counts, and the connection ends.
	[ 'a length and chunks', post("Content-Length: 6\r\n$chunked", "0\r\n\r\nX$hidden"), qr/^(?:4\d\d)?$/ ],
	[ 'chunks and a length', post("${chunked}Content-Length: 300\r\n", "0\r\n\r\n$hidden"), qr/^(?:4\d\d)?$/ ],
	[ 'chunks that are none', post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n$hidden"), $refused ],
	[ 'chunks before a blank', post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n$hidden"), $refused ],
	[ 'chunks, and not', post("${chunked}Transfer-Encoding: identity\r\n", "0\r\n\r\n$hidden"), $refused ],
	[ 'a chunk below zero', post($chunked, "-1\r\n$hidden"), $refused ],
	[ 'a chunk beyond all numbers', post($chunked, "ffffffffffffffff1\r\nabc\r\n0\r\n\r\n$hidden"), $refused ],
	[ 'a megabyte in chunks', post($chunked, ("10000\r\n" . 'x' x 65_536 . "\r\n") x 16 . "0\r\n\r\n$hidden"), $refused ],
	[ 'a body where none is', get("Host: localhost\r\nContent-Length: " . length($hidden) . "\r\n", $hidden), qr/^(?:200 404|400)$/ ],
	[ 'two hosts', get("Host: a\r\nHost: b\r\n"), $refused ],
	[ 'no host', get(''), $refused ],
	[ 'a carriage return within a line', get("Host: localhost\r\nX-A: b\rX-B: c\r\n"), $refused ],
	[ 'NUL within a line', get("Host: localhost\r\nX-A: b\0c\r\n"), $refused ],
	[ 'a field without a name', get("Host: localhost\r\n: x\r\n"), qr/^(?:200 404|400)$/ ],
	[ 'a line that goes on', get("Host: localhost\r\nX-A: b\r\n Content-Length: 5\r\n", $hidden), qr/^(?:400|200 204 404)$/ ],
	[ 'a request behind another', get("Host: localhost\r\n", $hidden), qr/^200 204 404$/ ],
);

# The statuses of all that is answered to these bytes.
sub answers {
	my ($port, $bytes) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 5) or return ('no connection');
	local $SIG{PIPE} = 'IGNORE';
	$bytes .= $last;
	for (my $at = 0; $at < length $bytes;) { $at += syswrite($socket, $bytes, 65_536, $at) // last }
	my ($said, $end) = ('', time + 20);
	while (time < $end) {
		vec(my $set = '', fileno $socket, 1) = 1;
		next unless select $set, undef, undef, 1;
		last unless sysread $socket, $said, 65_536, length $said;
	}
	return $said =~ m{HTTP/1\.[01] (\d+) }g;
}

my @ways = grep { App::Front::is_here($_) } qw(lighttpd nginx apache);
my %app = map { $_ => App->new(via => $_) } @ways;

# Those who begin a request and say no more.
my @begun = ([ 'half a head', "GET /api/live HTTP/1.1\r\nHost: localhost\r\n" ], [ 'half a body', post("Content-Length: 100\r\n", '{') ]);
my @idle = map {
	my $via = $_;
	map { my $socket = IO::Socket::INET->new('127.0.0.1:' . $app{$via}->port); syswrite $socket, $_->[1]; [ "$via: $_->[0]", $socket ] } @begun
} @ways;

for my $via (@ways) {
	for my $case (@cases) {
		my ($what, $bytes, $status) = @$case;
		like join(' ', answers($app{$via}->port, $bytes)), $status, "$via: $what";
	}
	unlike $app{$via}->log, qr/ died /, "$via: nobody died of it";
	is $app{$via}->get('/health/live')->status, 200, 'and the service is there';
}

# They are let go, which frees their connection: long before a minute is over.
my $end = time + 40;
for my $waiting (@idle) {
	my ($what, $socket) = @$waiting;
	my ($said, $n) = ('', 1);
	while ($n && time < $end) {
		vec(my $set = '', fileno $socket, 1) = 1;
		$n = sysread $socket, $said, 65_536, length $said if select $set, undef, undef, 1;
	}
	ok !$n, "$what is waited for, but not for long";
}
done_testing;
