#!/usr/bin/perl
# t/46-fcgi-mutation.t - FastCGI streams and requests out of joint: at most one worker dies of one, and
# nobody else notices. SLUICE_LONG sends many more.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Mutation;

my $LONG = $ENV{SLUICE_LONG};
my $STREAMS = $LONG ? 6000 : 1000;
my $REQUESTS = $LONG ? 100_000 : 3000;
my $WARM = $LONG ? 10_000 : 1000;
# Under a sanitizer memory is another matter, and forking takes its time.
my $SLOW = App::sanitized();
my $RESPAWN_S = 0.2;    # a worker is back
my $GROWTH = $LONG ? 0.05 : 0.1;    # of resident memory; in a short run some pages are still touched first
my @targets = ('/', '/watch/1', '/watch/live-99?a=b', '/api/live', '/api/live?q=one&limit=2', '/api/live/99', '/api/hls/99/master.m3u8?quality=auto',
	'/api/hls/1/999p.m3u8', '/health', '/health/live', '/health/ready', '/metrics', '/web/0123456789abcdef/base.css', '/nothing/here?x=%41',
	'/api/stats/cache', '/tv/live-1/x/720p/1.ts', '/proxy?v=a&b=c');

my $via = App::which('lighttpd') ? 'lighttpd' : 'fastcgi';
# Debug lines of so many requests would be most of the work.
my $app = App->new(gateway => Gateway->new, via => $via, conf => { log_level => 'info', api_processes => 2, relay_processes => 2 },
	environment => { map { $_ => join ':', $ENV{$_} // (), 'allocator_may_return_null=1' } qw(ASAN_OPTIONS TSAN_OPTIONS) });
my $seed = $ENV{SLUICE_SEED} // 4711;
note "seed $seed";
local $SIG{PIPE} = 'IGNORE';

sub socket_to { my ($pool) = @_; return IO::Socket::UNIX->new(Peer => $app->run_dir . "/$pool.sock") }
sub workers { my @pids = sort { $a <=> $b } $app->pids('api'), $app->pids('relay'); return @pids }
sub deaths { return scalar(() = $app->log =~ / died role=(?:api|relay) /g) }

# What the socket says until it is closed, or for so long.
sub rest_of {
	my ($socket, $seconds) = @_;
	my ($end, $answer) = (time + $seconds, '');
	while ((my $left = $end - time) > 0) {
		vec(my $reads = '', fileno $socket, 1) = 1;
		select($reads, undef, undef, $left) or last;
		sysread $socket, $answer, 65_536, length $answer or return $answer;
	}
	return $answer;
}

# --- somebody who notices ---------------------------------------------------------------------------------

# Twenty requests a second beside all this, until the pipe closes; how many failed, of how many, and the slowest.
sub watch {
	pipe my $stopped, my $stop or die "pipe: $!\n";
	pipe my $result, my $to or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		close $stop;
		my ($asked, $failed, $worst, $why) = (0, 0, 0, '');
		vec(my $wait = '', fileno $stopped, 1) = 1;
		while (!select(my $reads = $wait, undef, undef, 0.05)) {
			my $begun = time;
			my $reply = $app->get('/api/live');
			$asked++;
			$worst = time - $begun if time - $begun > $worst;
			next if $reply->status == 200;
			$failed++;
			$why = $reply->status . ' ' . $reply->body;
		}
		print $to "$asked $failed $worst $why\n";
		close $to;
		POSIX::_exit(0);
	}
	close $to;
	return sub { close $stop; my $line = <$result> // ''; waitpid $pid, 0; return split / /, $line, 4 };
}

# --- requests -------------------------------------------------------------------------------------------------

# One request on a kept connection, by FastCGI: (status, headers and body).
sub ask_fcgi {
	my ($held, $pool, $method, $target, @headers) = @_;
	my ($path, $query) = split /\?/, $target, 2;
	my @params = ([ REQUEST_METHOD => $method ], [ REQUEST_URI => $target ], [ SCRIPT_NAME => $path // '' ], [ QUERY_STRING => $query // '' ],
		[ SERVER_PROTOCOL => 'HTTP/1.1' ], [ HTTP_HOST => 'localhost' ]);
	while (my ($name, $value) = splice @headers, 0, 2) {
		(my $key = "HTTP_\U$name") =~ tr/-/_/;
		push @params, [ $key => $value ];
	}
	my $bytes = Mutation::record(1, 1, pack 'n C x5', 1, 1) . Mutation::record(4, 1, join '', map { Mutation::pair(@$_) } @params)
		. Mutation::record(4, 1, '') . Mutation::record(5, 1, '');
	$held->{$pool} //= socket_to($pool) or return (0, 'no connection');
	syswrite $held->{$pool}, $bytes;
	my ($buffer, $text) = ('', '');
	while (1) {
		vec(my $reads = '', fileno $held->{$pool}, 1) = 1;
		if (!select($reads, undef, undef, 10) || !sysread $held->{$pool}, $buffer, 262_144, length $buffer) {
			delete $held->{$pool};
			return (0, 'no answer');
		}
		while (length $buffer >= 8) {
			my ($type, $length, $padding) = unpack 'x C x2 n C', $buffer;
			last if length $buffer < 8 + $length + $padding;
			$text .= substr $buffer, 8, $length if $type == 6;
			substr $buffer, 0, 8 + $length + $padding, '';
			return ($text =~ /^Status: (\d+)/ ? $1 : 200, $text) if $type == 3;
		}
	}
}

# The same through the front server.
sub ask_http {
	my ($held, $pool, $method, $target, @headers) = @_;
	my $text = "$method $target HTTP/1.1\r\n";
	my %named = @headers;
	push @headers, Host => 'localhost' unless exists $named{Host};
	while (my ($name, $value) = splice @headers, 0, 2) { $text .= "$name: $value\r\n" }
	my $socket = $held->{http} //= IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $app->port) or return (0, 'no connection');
	syswrite $socket, "$text\r\n";
	my ($buffer, $length) = ('');
	while (1) {
		vec(my $reads = '', fileno $socket, 1) = 1;
		if (!select($reads, undef, undef, 10) || !sysread $socket, $buffer, 262_144, length $buffer) { delete $held->{http}; last }
		my $end = index $buffer, "\r\n\r\n";
		next if $end < 0;
		my $head = substr $buffer, 0, $end;
		delete $held->{http} if $head =~ /^Connection: close/mi;
		last if $method eq 'HEAD' || $head =~ m{^HTTP/1.1 (?:204|304)};
		if ($head =~ /^Content-Length: (\d+)/mi) { last if length $buffer >= $end + 4 + $1 }
		elsif ($head =~ /^Transfer-Encoding: chunked/mi) { last if $buffer =~ /(?:^|\r\n)0\r\n\r\n\z/ }
	}
	return $buffer =~ m{^HTTP/1\.[01] (\d+)} ? ($1, $buffer) : (0, 'no answer');
}

sub resident {
	my %bytes;
	for my $pid (workers()) {
		open my $file, '<', "/proc/$pid/status" or next;
		$bytes{$pid} = (map { /^VmRSS:\s+(\d+) kB/ ? $1 : () } <$file>)[0];
	}
	return \%bytes;
}

# The same, once each worker of a pool has had its share: until then some have memory to touch first.
sub warm {
	my $bytes = resident();
	for my $pool ('api', 'relay') {
		my @sorted = sort { $a <=> $b } map { $bytes->{$_} // 0 } $app->pids($pool);
		return if $sorted[0] < 0.8 * $sorted[-1];
	}
	return $bytes;
}

for my $way ('FastCGI', $via eq 'lighttpd' ? 'lighttpd' : ()) {
	subtest "requests by $way" => sub {
		my $mutation = Mutation->new(seed => $seed + 1, targets => \@targets);
		my $ask = $way eq 'FastCGI' ? \&ask_fcgi : \&ask_http;
		my $halves = $via eq 'lighttpd' ? 2 : 1;
		my ($count, $warm_up) = map { int($_ / $halves) } $REQUESTS, $WARM;
		my ($died, %seen, @bad, %held, $warm) = (deaths());
		my @before = workers();
		my $begun = time;
		for my $n (1 .. $count) {
			# Connections are kept, but not for ever, so that each thread of each worker has its share.
			%held = () if $n % ($warm ? 50 : 2) == 0;
			$warm = warm() if !$warm && $n >= $warm_up && $n % 100 == 0;
			my ($method, $target, @headers) = $mutation->request;
			my ($status, $answer) = $ask->(\%held, App::_pool($target), $method, $target, @headers);
			$seen{$status}++;
			push @bad, "$n: $method $target (@headers): $status $answer" if $status == 500 || $status == 0 || $status == 502;
			push @bad, "$method $target: a header was made of it" if $answer =~ /^X-Evil/mi;
		}
		note sprintf '%d in %.1f s: %s', $count, time - $begun, join ' ', map { "$_: $seen{$_}" } sort keys %seen;
		is join("\n", map { substr $_, 0, 400 } @bad[ 0 .. ($#bad > 5 ? 5 : $#bad) ]), '', 'every one is answered, none by 500';
		ok $seen{200} && $seen{400} && $seen{404} && $seen{405}, 'good ones well, the others each in its way';
		is deaths(), $died, 'no worker dies';
		is join(' ', workers()), join(' ', @before), 'they are the same to the end';
		ok $warm, 'each has its share of them';
		my $after = $SLOW ? $warm : resident();
		for my $pid (sort keys %$warm) {
			my $growth = $after->{$pid} / $warm->{$pid} - 1;
			cmp_ok $growth, '<', $GROWTH, sprintf 'the memory of a worker grows by %.1f %% of %d MB', 100 * $growth, $warm->{$pid} / 1024;
		}
	};
}

# --- streams ------------------------------------------------------------------------------------------------

# Sends a stream and waits for the end of it. A few come a byte at a time.
sub send_stream {
	my ($pool, $bytes, $drip) = @_;
	my $socket = socket_to($pool) or return 'no connection';
	if ($drip) { for my $byte (split //, substr $bytes, 0, 60) { syswrite $socket, $byte; sleep 0.002 } substr $bytes, 0, 60, '' }
	while (length $bytes) {
		my $n = syswrite $socket, $bytes, 65_536 or last;
		substr $bytes, 0, $n, '';
	}
	shutdown $socket, 1;
	return rest_of($socket, 5);
}

subtest 'streams' => sub {
	my $mutation = Mutation->new(seed => $seed, targets => \@targets);
	my (%sent, @wrong, @slow);
	my $stop = watch();
	my $begun = time;
	for my $n (1 .. $STREAMS) {
		my ($kind, $bytes) = $mutation->stream;
		my $pool = $mutation->one_of('api', 'relay');
		my $before = time;
		my $answer = send_stream($pool, $bytes, $n % 100 == 0);
		$sent{$kind}++;
		push @slow, sprintf '%s: %.1f s', $kind, time - $before if time - $before > 3;
		push @wrong, "$kind: not answered" if $kind eq 'whole' && $answer !~ /Status: [234]\d\d/;
		push @wrong, "$kind: 500" if $answer =~ /Status: 500/;
	}
	note sprintf '%d streams of %d kinds in %.1f s, %d workers died', $STREAMS, scalar keys %sent, time - $begun, deaths();
	is_deeply [ sort keys %sent ], [ Mutation::kinds() ], 'every kind was sent';
	is join("\n", @wrong), '', 'what is whole is answered, nothing by 500';
	is join("\n", @slow), '', 'none keeps a worker for long';
	cmp_ok deaths(), '<=', $sent{huge_lengths}, 'one worker at most dies of one, and of lengths without measure alone';
	my ($asked, $failed, $worst, $why) = $stop->();
	note sprintf 'beside them %d requests, %d failed, the slowest took %.0f ms', $asked, $failed, $worst * 1000;
	cmp_ok $asked, '>', 20, 'others asked meanwhile';
	cmp_ok $failed, '<=', 1 + $asked / 100, 'and at most one in a hundred went down with its worker' or diag $why;
	cmp_ok $worst, '<', 2, 'none waited for long';
	# Whoever held a thread has let go of it.
	ok $app->wait_for(sub { workers() == 4 }, 5, 'four workers'), 'all workers are there';
};

subtest 'truncated at each byte' => sub {
	my $whole = Mutation->new(seed => 1, targets => ['/api/live?limit=1'])->whole(1, 0);
	my $before = join ' ', workers();
	my $died = deaths();
	send_stream($_ % 2 ? 'api' : 'relay', substr $whole, 0, $_) for 0 .. length($whole) - 1;
	is deaths(), $died, 'no worker dies';
	is join(' ', workers()), $before, 'they are the same';
	like send_stream('api', $whole), qr/Status: 200/, 'and the whole is answered';
};

subtest 'a worker that dies' => sub {
	my $mutation = Mutation->new(seed => 2);
	my @lethal = ([ 0x7fffffff, 0 ], [ 0x7ffffff0, 8 ], [ 0x40000000, 0x3fffffff ], [ 0x3fffffff, 0x3fffffff ], [ 0x7fffffff, 0x7fffffff ]);
	my $deaths = 0;
	for my $round (1 .. 2) {
		for my $lengths (@lethal) {
			my ($before, $died) = (join(' ', workers()), deaths());
			send_stream('api', $mutation->huge_lengths(@$lengths));
			$app->wait_for(sub { my @now = workers(); @now == 4 && (deaths() == $died || join(' ', @now) ne $before) }, 5, 'the next worker');
			cmp_ok deaths() - $died, '<=', 1, sprintf 'one at most dies of lengths %x and %x', @$lengths;
			$deaths += deaths() - $died;
		}
	}
	note "$deaths died";
	my @late = grep { $_ > $RESPAWN_S * 1000 / 2 } $app->log =~ / died role=(?:api|relay) .*again_in_ms=(\d+)/g;
	is "@late", '', 'each is started again at once, however often';
	send_stream('relay', $mutation->huge_lengths(@$_)) for (@lethal) x 2;
	my $begun = time;
	like send_stream('relay', $mutation->whole(1, 0)), qr/Status: 200/, 'with a whole pool dead, the next request waits for its successor';
	my $took = time - $begun;
	note sprintf 'answered after %.0f ms', $took * 1000;
	cmp_ok $took, '<', $RESPAWN_S * ($SLOW ? 10 : 1), 'which is there soon';
};

is $app->get('/health/ready')->status, 200, 'the service is still there';
unlike $app->log . $app->output('sluice'), qr/ERROR: \w+Sanitizer|WARNING: ThreadSanitizer: data|runtime error|must hold/, 'and tells of no mistake of ours';
done_testing;
