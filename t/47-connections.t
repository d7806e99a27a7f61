#!/usr/bin/perl
# t/47-connections.t - connections of front servers: after nonsense, kept ones, and at the end of a worker.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time);
use App;
use Mutation;

my $app = App->new(via => 'fastcgi', conf => { api_processes => 1, api_threads => 2 });
my $threads = 2 + 4;
my $path = $app->run_dir . '/api.sock';

sub client { return IO::Socket::UNIX->new(Peer => $path) || die "$path: $!\n" }

# The beginning of a request, and its end, on a connection that is to be kept.
my $first = Mutation::record(1, 1, pack 'n C x5', 1, 1)
	. Mutation::record(4, 1, join '', map { Mutation::pair(@$_) } [ REQUEST_METHOD => 'GET' ], [ REQUEST_URI => '/health/live' ]);
my $last = Mutation::record(4, 1, '') . Mutation::record(5, 1, '');

# What is read until the record that ends a request; whether the connection stays open after it.
sub answer {
	my ($socket) = @_;
	my $bytes = '';
	while (1) {
		vec(my $reads = '', fileno $socket, 1) = 1;
		return ($bytes, 'silent') if !select $reads, undef, undef, 5;
		return ($bytes, 'closed') if !sysread $socket, $bytes, 65_536, length $bytes;
		return ($bytes, 'kept') if $bytes =~ /\x01\x03\x00\x01\x00\x08..\x00{8}\z/s;
	}
}

# Whether a signal that a process waits for has been taken.
sub sigwait_over {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/status" or return 1;
	return join('', <$file>) =~ /^ShdPnd:\s*0+$/m;
}

my ($worker) = $app->pids('api');
subtest 'after nonsense' => sub {
	my @nonsense = map { client() } 1 .. $threads;
	syswrite $_, "GET / HTTP/1.1\r\n\r\n" for @nonsense;
	is_deeply [ map { (answer($_))[1] } @nonsense ], [ ('closed') x $threads ], 'every thread has refused some';
	# Those who sent it are still there, and nobody waits for their end.
	my $began = time;
	my @held = map { client() } 1 .. $threads;
	syswrite $_, $first for @held;
	syswrite $_, $last for @held;
	is_deeply [ map { (answer($_))[0] =~ /"status":"live"/ ? 'live' : 'no answer' } @held ], [ ('live') x @held ], 'every thread answers another connection';
	cmp_ok time - $began, '<', 1.5, 'at once';
};

subtest 'kept ones' => sub {
	my $kept = client();
	syswrite $kept, $first . $last;
	is +(answer($kept))[1], 'kept', 'a connection is kept where that is wanted';
	syswrite $kept, $first;
	kill TERM => $worker;
	ok $app->wait_for(sub { sigwait_over($worker) }, 5, 'the signal'), 'its worker is told to end';
	syswrite $kept, $last;
	my ($bytes, $how) = answer($kept);
	like $bytes, qr/"status":"live"/, 'what had begun is answered';
	is $how eq 'kept' ? (answer($kept))[1] : $how, 'closed', 'and the connection ends with it';
};
done_testing;
