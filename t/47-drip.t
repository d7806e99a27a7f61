#!/usr/bin/perl
# t/47-drip.t - clients that are silent, or whose requests never end, keep nobody out, whoever the front server is;
# and which of them it lets go.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(time);
use App;
use Gateway;

# Connections of each kind to each server. A process of Apache has 64 threads, each of which reads one head or body:
# what comes to it beyond that waits until one of them is let go.
my %many = (head => 150, body => 60, silent => 20);
my %count = (lighttpd => \%many, nginx => \%many, apache => $ENV{SLUICE_LONG} ? { head => 150, body => 60 } : { head => 40, body => 16 });
my %begin = (
	silent => '',
	head   => "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
	body   => "POST /prefetch/live-1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n",
);
# Who lets go of what: lighttpd has no least rate, nginx none for a body; neither makes the program wait for it. Apache
# leaves a silent client in the kernel for half a minute, which is not waited for here.
my %lets_go = (lighttpd => { silent => 1 }, nginx => { silent => 1, head => 1 }, apache => { head => 1, body => 1 });

my @servers = grep { App::Front::is_here($_) } sort keys %lets_go;
plan skip_all => 'no front server is installed' if !@servers;
$SIG{PIPE} = 'IGNORE';
my $gateway = Gateway->new;
my %app = map { $_ => App->new(gateway => $gateway, via => $_, conf => { api_processes => 1, api_threads => 2 }) } @servers;

my @clients;
for my $server (@servers) {
	for my $kind (sort keys %{ $count{$server} }) {
		push @clients, map { { server => $server, kind => $kind,
			socket => IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $app{$server}->port) || die "$server: $!\n" } } 1 .. $count{$server}{$kind};
	}
}
for my $client (@clients) {
	$client->{socket}->blocking(0);
	syswrite $client->{socket}, $begin{ $client->{kind} };
}

sub held { my ($server, $kind) = @_; return scalar grep { $_->{server} eq $server && $_->{kind} eq $kind && !$_->{gone} } @clients }
sub still_held { return grep { my $server = $_; grep { held($server, $_) } keys %{ $lets_go{$server} } } @servers }

# Another byte of each; those whose server has let them go are marked.
sub drip {
	for my $client (grep { !$_->{gone} } @clients) {
		my $n = sysread $client->{socket}, my $answer, 4096;
		$client->{gone} = 1 if defined $n || !$!{EAGAIN};
		next if $client->{gone} || $client->{kind} eq 'silent';
		$client->{gone} = 1 if !defined syswrite($client->{socket}, 'a') && !$!{EAGAIN};
	}
	return;
}

# In a process of its own, once a second, until all that should be let go are: who is held then, and the longest time
# that nothing was sent.
sub drip_to_the_end {
	my ($begun, $dripped, $longest) = (time, time, 0);
	while (still_held() && time - $begun < 60) {
		select undef, undef, undef, 1;
		$longest = time - $dripped if time - $dripped > $longest;
		$dripped = time;
		drip();
	}
	my %held;
	for my $server (@servers) { $held{$server}{$_} = held($server, $_) for keys %begin }
	return { held => \%held, longest => $longest };
}

sub others_are_answered {
	my ($when) = @_;
	for my $server (@servers) {
		my @status = map { $app{$server}->get($_)->status } ('/health/live', '/api/live', '/') x 4;
		is_deeply [ grep { $_ != 200 } @status ], [], "$server: others are answered $when";
	}
	return;
}

pipe my $result, my $tell or die "pipe: $!\n";
my $pid = fork // die "fork: $!\n";
if (!$pid) {
	print $tell JSON::PP->new->encode(drip_to_the_end());
	close $tell;
	POSIX::_exit(0);
}
close $tell;
others_are_answered('while requests drip in');
my $seen = JSON::PP->new->decode(do { local $/; <$result> });
waitpid $pid, 0;
for my $server (@servers) {
	for my $kind (sort keys %{ $count{$server} }) {
		my $held = $seen->{held}{$server}{$kind};
		if ($lets_go{$server}{$kind}) {
			is $held, 0, "$server lets go of clients: $kind";
			next;
		}
		SKIP: {
			skip "$server: the machine was too busy to drip", 1 if $seen->{longest} > 5;
			is $held, $count{$server}{$kind}, "known: $server keeps clients as long as something comes: $kind";
		}
	}
}
others_are_answered('afterwards');
done_testing;
