#!/usr/bin/perl
# t/46-shared.t - what is the same for everyone is made once and answered to all, by few threads.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time);
use App;
use Gateway;

my $gateway = Gateway->new;
# Two at once, in one process: whoever waits for a thread would be refused.
my $app = App->new(gateway => $gateway, via => 'fastcgi', conf => { api_processes => 1, api_threads => 2 });

sub ask { my ($target, @headers) = @_; return $app->fcgi('api', 'GET', $target, \@headers) }

sub how { return $_[0]->status . ' ' . ($_[0]->header('X-Cache') // '-') }

subtest 'kept for a second' => sub {
	my $first = ask('/api/live');
	is how($first), '200 MISS', 'the first has it made';
	is $first->header('Age'), undef, 'just now';
	my $next = ask('/api/live');
	is how($next), '200 HIT', 'the next gets the same';
	is $next->header('Age'), 0, 'and hears how old it is';
	is $next->body, $first->body, 'byte for byte';
	isnt $next->header('X-Request-Id'), $first->header('X-Request-Id'), 'under a name of its own';
	is $next->header($_), $first->header($_), "with the same $_" for qw(Content-Type Cache-Control Access-Control-Allow-Origin Content-Length);
	my $head = $app->fcgi('api', 'HEAD', '/api/live');
	is_deeply [ how($head), $head->body, $head->header('Content-Length') ], [ '200 HIT', '', length $first->body ], 'HEAD too';
	is how(ask('/api/live?utm_source=x&limit=100')), '200 MISS', 'another page is another answer';
	is how(ask('/api/live?limit=100&CMCD=bl%3D1')), '200 HIT', 'parameters that mean nothing to it do not count';
	is how(ask('/api/live?limit=99')), '200 MISS', 'those that do, do';
	is how(ask('/api/live?q=a&category=b')), '200 MISS', 'each';
	is how(ask('/api/live?category=b&q=a')), '200 HIT', 'in any order';
	is how(ask('/api/live?q=b&category=a')), '200 MISS', 'for what it is';
	is how(ask('/api/live?limit=x')), '400 MISS', 'a mistake';
	is how(ask('/api/live?limit=x')), '400 MISS', 'is not kept';
	$app->move_clock(1.2);
	is how(ask('/api/live')), '200 MISS', 'after its second it is made anew';
	for my $who ([ Authorization => 'Bearer abc' ], [ 'X-Sluice-Token' => 'abc' ]) {
		is how(ask('/api/live', @$who)), '200 MISS', "who says who he is ($who->[0]) is answered alone";
	}
	is how(ask('/api/live')), '200 HIT', 'and the others as before';
};

subtest 'a channel' => sub {
	is how(ask('/api/live/1')), '200 MISS', 'its token is asked for';
	is how(ask('/api/live/1')), '200 HIT', 'and known then';
	my $token = $gateway->channel(1)->{redirects};
	my $auto = ask('/api/live/1?quality=auto', 'Save-Data' => 'on');
	like $auto->header('Vary'), qr/Save-Data/, 'auto depends on who asks';
	is ask('/api/live/1?quality=auto')->json->{quality}, '720p', 'so that a good link gets more';
	is $auto->json->{quality}, '360p', 'than a bad one';
	is ask('/api/live/1?quality=audio')->json->{quality}, 'audio', 'each quality has its own answer';
	is $gateway->channel(1)->{redirects}, $token, 'the gateway is not asked again';
	my $before = ask('/api/live/1')->json->{token}{expiresAt};
	$app->move_clock(6);
	my $fresh = ask('/api/live/1/refresh')->json->{token}{expiresAt};
	isnt $fresh, $before, 'a refresh gets a new token';
	is ask('/api/live/1')->json->{token}{expiresAt}, $fresh, 'which is seen at once';
};

# Many at once, for each of whom a thread would be missing.
sub storm {
	my ($count, $target) = @_;
	my $begun = time;
	my @got = App::parallel($count, sub {
		my $reply = ask($target);
		return { how => how($reply), body => $reply->body, wait => $reply->header('Retry-After'), code => $reply->code, id => $reply->header('X-Request-Id') };
	});
	my (%how, %id);
	$how{ $_->{how} // 'none' }++, $id{ $_->{id} // '' }++ for @got;
	my $took = time - $begun;
	note join ', ', (map { "$_: $how{$_}" } sort keys %how), sprintf('in %.2f s', $took);
	is scalar keys %id, $count, 'each answer has its own name';
	return (\%how, $took, @got);
}

subtest 'a storm on a cold channel' => sub {
	my $before = $gateway->channel(2)->{redirects};
	$gateway->control('fault', kind => 'redirect', id => 2, set => 'slow_start=600ms,times=1');
	my ($how, $took, @got) = storm(60, '/api/live/2');
	is scalar(grep { $_->{how} =~ /^200/ } @got), 60, 'all are answered, though two threads are all there is';
	# What is made stays right for a second: on a slow machine others still come after that.
	cmp_ok $how->{'200 MISS'}, '<=', 1 + int $took, 'it is made once a second at most';
	cmp_ok $how->{'200 COALESCED'} // 0, '>=', 1, 'who comes meanwhile waits for it';
	is +($how->{'200 COALESCED'} // 0) + ($how->{'200 HIT'} // 0), 60 - $how->{'200 MISS'}, 'and all others get what was made';
	is $gateway->channel(2)->{redirects}, $before + 1, 'and the gateway was asked once';
	cmp_ok scalar(keys %{ { map { $_->{body} => 1 } grep { $_->{how} ne '200 HIT' } @got } }), '<=', $how->{'200 MISS'}, 'all hear the same';
};

subtest 'a storm that ends badly' => sub {
	my $before = $gateway->counts->{requests}{redirect};
	$gateway->control('fault', kind => 'redirect', id => 3, set => 'status=884,slow_start=600ms');
	my ($how, $took, @got) = storm(40, '/api/live/3');
	is scalar(grep { $_->{how} =~ /^503/ && $_->{wait} && $_->{code} } @got), 40, 'all hear that it failed, and when to ask again';
	is $gateway->counts->{requests}{redirect}, $before + 1, 'and the gateway was asked once';
	$gateway->control('clear');
	$app->move_clock(6);
	is ask('/api/live/3')->status, 200, 'then it works again';
};

subtest 'a storm on a master' => sub {
	my ($how, $took, @got) = storm(40, '/api/hls/1/master.m3u8');
	is scalar(grep { $_->{how} =~ /^200/ } @got), 40, 'viewers who tune in together all see it start';
	is $gateway->channel(1)->{streams}, 1, 'from one stream';
	my @hits = grep { how(ask('/api/hls/1/master.m3u8', 'User-Agent' => "player $_")) eq '200 HIT' } 1 .. 8;
	cmp_ok scalar @hits, '>=', 1, 'those who come later get the one that is kept';
	open my $file, '<:raw', $app->state_dir . '/live/work/live-1/viewers' or die "viewers: $!";
	my @who = unpack '(Q x16)*', do { local $/; <$file> };
	is scalar(grep { $_ } @who), 9, 'and each program is a viewer of the channel, whoever had it made';
};

# As Apache sends it: the end of a body of nothing comes in a packet of its own.
subtest 'a late end of the request' => sub {
	ask('/api/live');
	my $request = join '', App::Client::fcgi_request('GET', '/api/live');
	my $socket = IO::Socket::UNIX->new(Peer => $app->run_dir . '/api.sock') or die "no connection: $!\n";
	local $SIG{PIPE} = 'IGNORE';
	syswrite $socket, substr $request, 0, -8;
	select undef, undef, undef, 0.2;
	is syswrite($socket, substr $request, -8), 8, 'is waited for';
	my $answer = do { local $/; <$socket> };
	like $answer, qr/Status: 200/, 'and answered';
};

is $app->get('/health/live')->status, 200, 'the service is there';
unlike $app->log, qr/ error | died /, 'and had no trouble';
# What is answered alone takes a thread each. A moment more of them than there are is no reason to refuse
# any; when nobody gets done, it is.
subtest 'more than can be worked at' => sub {
	my @said = App::parallel(6, sub { return [ map { ask('/api/live', 'X-Sluice-Token' => 'abc')->status } 1 .. 20 ] });
	my $refused = grep { $_ != 200 } map { @$_ } @said;
	# Where a neighbour takes the machine for a fifth of a second, one may be.
	cmp_ok $refused, '<=', 3, 'six at a time, of which two can be worked at, are all answered';

	my $web = File::Temp->newdir;
	system 'cp', '-R', $app->_web_dir . '/.', "$web";
	open my $file, '>', "$web/large.js" or die "$web: $!\n";
	print $file "// nothing\n" x 100_000;
	close $file;
	my $slow = App->new(via => 'fastcgi', conf => { api_processes => 1, api_threads => 2, web_dir => "$web" });
	my $get = sub { return $slow->fcgi('api', 'GET', $_[0], [ 'X-Sluice-Token' => 'abc' ]) };
	my ($version) = $get->('/')->body =~ m{/web/([0-9a-f]+)/};
	my @readers = map {
		my $socket = IO::Socket::UNIX->new(Peer => $slow->run_dir . '/api.sock') or die "api.sock: $!\n";
		print $socket join '', App::Client::fcgi_request('GET', "/web/$version/large.js");
		$socket->flush;
		sysread $socket, my $begun, 100;
		$socket;
	} 1, 2;
	is $get->('/api/live')->code, 'busy', 'when the threads are held by who does not read, others are refused';
	is $get->('/api/live')->header('Retry-After'), 2, 'for a while';
	is $slow->fcgi('api', 'GET', '/api/live')->status, 200, 'but for what is the same for all, which is made';
	is $slow->fcgi('api', 'GET', '/api/live')->header('X-Cache'), 'HIT', 'or there';
	close $_ for @readers;
	ok $slow->wait_for(sub { $get->('/api/live')->status == 200 }, 10), 'when they have gone, everybody is answered again';
	like $slow->get('/metrics')->body, qr/^sluice_busy_refusals_total [1-9]/m, 'who was refused is counted';
};

done_testing;
