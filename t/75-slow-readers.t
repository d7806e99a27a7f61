#!/usr/bin/perl
# t/75-slow-readers.t - who reads slowly, or pauses, what lies elsewhere: no more is fetched and kept for them than
# they are about to read, and nobody else waits for them. One whose worker is killed asks once more. Behind every
# front server.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Test::More;
use Time::HiRes qw(sleep);
use App;
use Gateway;
use Gateway::Source;

my ($SIZE, $READERS, $READ) = (80_000_000, 14, 12_000_000);
my $OBJECT = 20_000_000;   # of which a reader gets a part before its worker is killed:
my $CUT_AT = 6_000_000;    # this, or a little more
my $THERE  = 15_000_000;   # of one whose source fails then
my $AHEAD = 40_000_000;    # what is got before a reader, with all that stands in sockets on the way, and much room
my $dir     = File::Temp->newdir;
my $gateway = Gateway->new(dir => "$dir");
my $edge    = $gateway->edge_port;
my @source  = { name => 'v', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"], url => "http://127.0.0.1:$edge/virtual/{id}/x" };

sub bytes {
	my ($first, $last) = @_;
	my $all = join '', map { Gateway::Source::block(undef, $_) } int($first / 65_536) .. int($last / 65_536);
	return substr $all, $first % 65_536, $last - $first + 1;
}

# Asks, and takes the first bytes of the body.
sub reader {
	my ($port, $target, %headers) = @_;
	my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";
	setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack 'i', 65_536;
	$socket->connect(Socket::pack_sockaddr_in($port, Socket::INADDR_LOOPBACK())) or die "connect: $!\n";
	syswrite $socket, join '', "GET $target HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", (map { "$_: $headers{$_}\r\n" } keys %headers), "\r\n";
	my $self = { socket => $socket, got => '' };
	1 while $self->{got} !~ /\r\n\r\n./s && take($self);
	$self->{got} =~ s/\A(.*?)\r\n\r\n//s;
	$self->{head} = $1 // '';
	return $self;
}

# Takes all that there is, once the worker that sends it has been killed.
sub cut_off {
	my ($app, $reader) = @_;
	$app->kill('relay');
	1 while take($reader);
	return length $reader->{got};
}

sub take { my ($r) = @_; return sysread $r->{socket}, $r->{got}, 1 << 20, length $r->{got} }

# What is fetched of an object once nothing of it has come for half a second.
sub settled {
	my ($size) = @_;
	my ($before, $now) = (-1, 0);
	while ($now != $before) {
		($before, $now) = ($now, $gateway->counts->{virtual}{$size}{bytes} // 0);
		sleep 0.5 if $now != $before || !$now;
		$now = $gateway->counts->{virtual}{$size}{bytes} // 0;
	}
	return $now;
}

# How often the filler has looked whether there is something to do.
sub looks {
	my ($app) = @_;
	my ($pid) = $app->pids('filler');
	return App::_slurp("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m ? $1 : 0;
}

for my $front (grep { App::Front::is_here($_) } qw(lighttpd nginx apache)) {
	my $size = $SIZE++;
	my $app = App->new(via => $front, import => 0, sources => \@source, conf => { stream_quota => '8G', relay_processes => 1, relay_threads => 4 });
	my @paused = map { reader($app->port, "/cdn/stream/$size") } 1 .. $READERS;
	is scalar(grep { $_->{head} =~ m{^HTTP/1\.1 200 } } @paused), $READERS, "$front: more readers than threads begin, and pause";
	cmp_ok settled($size), '<=', $AHEAD, 'for whom no more is fetched than they are about to read';
	my $spooled = 0;
	$spooled += -s for grep { -f } glob($app->dir . '/tmp/*'), glob($app->dir . '/tmp/*/*');
	cmp_ok $spooled, '<=', $READERS * 500_000, 'and no more is kept for each of them';
	my $other = $app->get('/cdn/stream/700000');
	ok $other->status == 200 && $other->body eq bytes(0, 699_999), 'others are served meanwhile' or diag $other->status;
	my ($first) = @paused;
	1 while length $first->{got} < $READ && take($first);
	my $got = length $first->{got};
	cmp_ok $got, '>=', $READ, 'one goes on';
	ok $first->{got} eq bytes(0, $got - 1), 'where it was';
	cmp_ok settled($size), '<=', $READ + $AHEAD, 'and what it will read comes, not more';
	close $_->{socket} for @paused;

	my $object = $OBJECT++;
	my $cut = reader($app->port, "/cdn/stream/$object");
	my ($date) = $cut->{head} =~ /^Last-Modified: (.*?)\r?$/mi;
	1 while length $cut->{got} < $CUT_AT && take($cut);
	my $at = cut_off($app, $cut);
	ok $at > 0 && $at < $object && $cut->{got} eq bytes(0, $at - 1), "whose worker is killed has the beginning, $at bytes of it";
	my $retry = reader($app->port, "/cdn/stream/$object", Range => "bytes=$at-", 'If-Range' => $date);
	like $retry->{head}, qr{^HTTP/1\.1 206 .*^Content-Range: bytes $at-@{[ $object - 1 ]}/$object\r?$}msi, 'and asks once more, for the rest';
	1 while take($retry);
	is length $retry->{got}, $object - $at, 'all of which another worker sends';
	ok $retry->{got} eq bytes($at, $object - 1), 'to the byte';
	is $gateway->counts->{virtual}{$object}{bytes}, $object, 'and each byte was fetched once';

	$object = $OBJECT++;
	$app->get("/cdn/stream/$object", Range => "bytes=0-@{[ $THERE - 1 ]}");
	$gateway->control('fault', kind => 'virtual', id => $object, set => 'status=403');
	my $rest = reader($app->port, "/cdn/stream/$object");
	ok $app->wait_for(sub { take($rest) if length $rest->{got} < $THERE - 4_000_000; $app->log =~ /object_failed .*\b$object\b/ }, 20), 'a source that fails';
	1 while take($rest);
	$at = length $rest->{got};
	ok $at >= $THERE && $at < $object && $rest->{got} eq bytes(0, $at - 1), "takes away nothing that was there: $at bytes";

	my $late = reader($app->port, "/cdn/stream/$size");
	settled($size);
	$app->move_clock(6);
	my $looks = looks($app);
	sleep 1;
	cmp_ok looks($app) - $looks, '<=', 20, 'who pauses for long keeps nobody busy';
	unlike $app->log, qr/must failed|Sanitizer|status=139/, 'no process has died of a fault of ours';
}
done_testing;
