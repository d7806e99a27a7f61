#!/usr/bin/perl
# t/00-gateway.t - the fake gateway itself: what the other tests rely on.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib ();
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);
use Gateway;
use Ts;

plan skip_all => 'ffmpeg is not installed' if system 'command -v ffmpeg >/dev/null';

my $gateway = Gateway->new;
my $http = HTTP::Tiny->new(timeout => 10, max_redirect => 0);

# The first $bytes of what a play URL leads to, or all, and how the transfer ended.
sub play {
	my ($url, $bytes, %headers) = @_;
	my $redirect = $http->get($url, { headers => \%headers });
	return $redirect if $redirect->{status} !~ /^30/;
	return stream($redirect->{headers}{location}, $bytes, %headers);
}

sub stream {
	my ($url, $bytes, %headers) = @_;
	my ($taken, $enough) = ('', 0);
	my $one = HTTP::Tiny->new(timeout => 10, max_redirect => 0);
	my $reply = $one->get($url, { headers => \%headers, data_callback => sub {
		$taken .= $_[0];
		die "enough\n" if defined $bytes && length $taken >= $bytes;
	} });
	$reply->{enough} = $reply->{status} == 599 && $reply->{content} eq "enough\n";
	$reply->{taken}  = $taken;
	return $reply;
}

sub wait_for {
	my ($code, $seconds) = @_;
	my $end = time + $seconds;
	while (time < $end) {
		return 1 if $code->();
		select undef, undef, undef, 0.02;
	}
	return 0;
}

sub api { my ($action, $faults) = @_; return $http->get($gateway->api_url($action, $faults)) }

subtest 'the panel' => sub {
	my $login = decode_json(api()->{content});
	is $login->{user_info}{auth}, 1, 'the account is let in';
	like api()->{content}, qr/"max_connections":"5"/, 'its connections are a number in a string';
	my $list = decode_json(api('get_live_streams')->{content});
	is_deeply [ map { $_->{stream_id} } @$list ], [ 1, 2, 3 ], 'there are three channels';
	is_deeply [ map { $_->{stream_id} } @{ decode_json(api('get_live_streams&category_id=2')->{content}) } ], [3],
		'a category names its own';
	is_deeply [ map { "$_->{stream_id}.$_->{container_extension}" } @{ decode_json(api('get_vod_streams')->{content}) } ],
		[ '101.mkv', '102.mp4', '103.avi' ], 'three films';
	my $series = decode_json(api('get_series_info&series_id=201')->{content});
	is_deeply [ map { $_->{id} } @{ $series->{episodes}{1} } ], [ '20101', '20102' ], 'and two episodes';
	my $refused = $http->get($gateway->url . '/player_api.php?username=demo&password=wrong');
	is_deeply decode_json($refused->{content}), { user_info => { auth => 0 } }, 'a wrong password is told as panels do';
	is $http->get($list->[0]{stream_icon})->{headers}{'content-type'}, 'image/png', 'a channel has a logo';
};

subtest 'API quirks' => sub {
	like api('get_live_streams', 'json=strings')->{content}, qr/"stream_id":"1".*"category_id":2|"category_id":1.*"stream_id":"1"/,
		'numbers become strings and strings numbers';
	like api('get_live_streams', 'json=big_ids')->{content}, qr/"stream_id":2356443001\b/, 'ids of more than 31 bits';
	like api('get_live_streams', 'json=nulls')->{content}, qr/"name":null/, 'names that are null';
	is ref decode_json(api('get_series_info&series_id=201', 'json=empty')->{content})->{episodes}, 'ARRAY',
		'an array for an object';
	is scalar @{ decode_json(api('get_vod_streams', 'count=5000')->{content}) }, 5000, 'long lists';
	my $squeezed = api('get_live_streams', 'gzip=good');
	is Compress::Zlib::memGunzip($squeezed->{content}), api('get_live_streams')->{content}, 'gzip';
	is Compress::Zlib::memGunzip(api('get_live_streams', 'gzip=broken')->{content}), undef, 'broken gzip';
	ok !eval { decode_json(api('get_live_streams', "json=$_")->{content}) }, "no JSON: $_" for qw(garbage truncated html);
};

subtest 'a channel goes on for ever' => sub {
	require Gateway::Ts;
	for my $id (1 .. 3) {
		my $clip = Gateway::Ts->load(Gateway::media() . "/ch$id.ts");
		my $from = $clip->start_before($clip->at(90_000 * (32 * 50 + 29)));
		my $to = $clip->at(90_000 * (32 * 52 + 3));
		my $bytes = '';
		while ($from < $to) {
			my $some = $clip->packets($from, $to - $from < 333 ? $to - $from : 333, 0);
			$from += length($some) / 188;
			$bytes .= $some;
		}
		my $ts = Ts->read($bytes);
		is join('; ', $ts->faults, $ts->start_faults), '', "channel $id: no fault over two joins";
		is_deeply [ keys %{ $ts->steps('video') } ], [ $id == 3 ? 3000 : 3600 ], 'pictures are evenly spaced';
		my @late = grep { $_ > 90_000 / 2 || $_ <= 0 } keys %{ $ts->steps('audio') };
		is "@late", '', 'and so is the sound';
		is_deeply $ts->types, { video => 0x1b, audio => 0x0f }, 'it is H.264 and AAC';
	}
};

subtest 'live' => sub {
	$gateway->control('reset');
	my $redirect = $http->get($gateway->live_url(1));
	is $redirect->{status}, 302, 'a play URL is a redirect';
	like $redirect->{headers}{location}, qr{^http://127\.0\.0\.1:${\$gateway->edge_port}/auth/\w+$}, 'to the edge with a token';
	is $redirect->{headers}{'cache-control'}, 'no-store', 'not to be kept';
	my $begun  = time;
	my $stream = stream($redirect->{headers}{location}, 700_000);
	ok $stream->{enough} && time - $begun < 2, 'the last seconds come at once';
	my $ts = Ts->read(substr $stream->{taken}, 0, 188 * int(length($stream->{taken}) / 188));
	is join('; ', $ts->faults, $ts->start_faults), '', 'from a keyframe with its tables on';
	ok wait_for(sub { $gateway->channel(1)->{now} == 0 }, 5), 'the end of a viewer is noticed';
	my $counts = $gateway->channel(1);
	is "$counts->{redirects} $counts->{streams} $counts->{peak}", '1 1 1', 'redirects and streams are counted';
	ok $counts->{bytes} >= 700_000, 'and bytes';
	is play($gateway->live_url(9))->{status}, 404, 'an unknown channel is the 404 page';
	$begun = time;
	my $slow = play($gateway->live_url(1, 'burst=0s'), 500_000);
	ok $slow->{enough} && time - $begun > 1, 'without a burst it comes as it is made';
};

subtest 'every viewer sees the same' => sub {
	my ($one, $two) = map { play($gateway->live_url(2), 700_000, 'User-Agent' => "viewer $_")->{taken} } 1, 2;
	my $piece = substr $one, 300 * 188, 50 * 188;
	ok index($two, $piece) >= 0, 'what one was sent the other was, too';
};

subtest 'tokens' => sub {
	my $old = $http->get($gateway->live_url(1))->{headers}{location};
	my $late = $http->get($gateway->live_url(1, 'token_life=30s'))->{headers}{location};
	my $film = $http->get($gateway->vod_url('102.mp4'))->{headers}{location};
	$gateway->control('clock', add => 6);
	is stream($old)->{status}, 403, 'a live token must be used within 5 s';
	ok stream($late, 1000)->{enough}, 'or as long as is asked for';
	is stream($film)->{status}, 200, 'a film\'s lives longer';
	my $dead = $http->get($gateway->live_url(1, 'token_dead=1s'))->{headers}{location};
	my $begun = time;
	is stream($dead)->{enough}, '', 'a token that dies';
	ok time - $begun > 0.9 && time - $begun < 5, 'ends its stream';
	is stream($dead)->{status}, 403, 'and opens no other';
	is stream($gateway->url . '/auth/unknown')->{status}, 404, 'an unknown token is the 404 page';
};

subtest 'connections' => sub {
	$gateway->control('account', user => 'demo', max => 1);
	my @open;
	my $open = sub {
		my ($id, $agent) = @_;
		my $to = $http->get($gateway->live_url($id), { headers => { 'User-Agent' => $agent } });
		return $to->{status} if $to->{status} != 302;
		my ($path) = $to->{headers}{location} =~ m{(/auth/.*)};
		my $socket = IO::Socket::INET->new("127.0.0.1:$gateway->{edge_port}");
		print $socket "GET $path HTTP/1.1\r\nHost: x\r\nUser-Agent: $agent\r\n\r\n";
		sysread $socket, my $head, 12;
		push @open, $socket;
		return substr $head, 9, 3;
	};
	my $closed = sub {
		my ($socket) = @_;
		return wait_for(sub { $socket->blocking(0); while (sysread $socket, my $got, 65_536) { } !$!{EAGAIN} }, 5);
	};
	is $open->(1, 'a'), 200, 'the first is let in';
	is $open->(2, 'b'), 200, 'so is the second';
	ok $closed->($open[0]), 'and the first, the oldest, is closed';
	is $open->(2, 'b'), 200, 'the same viewer opens the same again';
	ok $closed->($open[1]), 'and its first transfer is killed';
	$gateway->control('account', user => 'demo', over => 458);
	is $open->(3, 'c'), 458, 'or who comes too late is refused';
	is scalar @{ $gateway->control('streams') }, 1, 'one is being sent';
	is $gateway->control('cut', how => 'rst')->{cut}, 1, 'and can be cut';
	ok $closed->($open[2]), 'so that it ends';
	$gateway->control('account', user => 'demo', over => '', max => 5);
};

subtest 'films' => sub {
	open my $file, '<:raw', Gateway::media() . '/101.mkv';
	my $film = do { local $/; <$file> };
	ok play($gateway->vod_url('101.mkv'))->{taken} eq $film, 'a film is its file';
	my $part = play($gateway->vod_url('101.mkv'), undef, Range => 'bytes=1000-1999');
	is "$part->{status} $part->{headers}{'content-range'}", '206 bytes 1000-1999/' . length $film, 'a part is said to be one';
	ok $part->{taken} eq substr($film, 1000, 1000), 'and is that part';
	my $kept = $http->get($gateway->vod_url('101.mkv'), { headers => { Range => 'bytes=-10' } })->{headers}{location};
	ok stream($kept)->{taken} eq substr($film, -10), 'the token remembers the range';
	is play($gateway->vod_url('101.mkv'), undef, Range => 'bytes=99999999-')->{status}, 416, 'beyond the end is 416';
	is play($gateway->vod_url('101.mkv', 'range=ignore'), undef, Range => 'bytes=0-9')->{status}, 200, 'ranges may be ignored';
	is play($gateway->vod_url('101.mkv', 'range=prefix'), undef, Range => 'bytes=-9')->{headers}{'content-range'},
		'bytes 0-9/' . length $film, 'or misread';
	ok play($gateway->vod_url('20101.mkv'))->{taken}, 'episodes play as well';
	my $far = $http->get($gateway->url . '/virtual/9T', { headers => { Range => 'bytes=6553600000000-6553600000015' } });
	is $far->{content}, "000000100000000\n", 'any byte of 9 TB is known';
};

subtest 'faults' => sub {
	is play($gateway->live_url(1, 'redirect.status=884'))->{status}, 884, 'a status of its own';
	is play($gateway->live_url(1, 'live.status=403'))->{status}, 403, 'at the edge alone';
	is api(undef, 'live.status=403')->{status}, 200, 'but not elsewhere';
	is api(undef, 'html')->{headers}{'content-type'}, 'text/html; charset=utf-8', 'HTML for JSON';
	is $http->get($gateway->live_url(1, 'location=none'))->{headers}{location}, undef, 'a redirect to nowhere';
	like $http->get($gateway->live_url(1, 'location=relative,redirect=307'))->{headers}{location}, qr{^\.\./}, 'a relative one';
	is $http->request('HEAD', $gateway->live_url(1, 'no_head'))->{status}, 405, 'HEAD refused';
	is api(undef, 'nonsense')->{status}, 599, 'no HTTP';
	is api(undef, 'hangup=rst')->{status}, 599, 'a reset';
	ok !HTTP::Tiny->new(timeout => 0.5)->get($gateway->api_url(undef, 'never'))->{success}, 'no answer';
	my $begun = time;
	is api(undef, 'slow_start=300ms')->{status}, 200, 'a slow answer';
	ok time - $begun >= 0.3, 'takes its time';
	$begun = time;
	is api(undef, 'head_rate=1k')->{status}, 200, 'a dripping head';
	ok time - $begun >= 0.1, 'drips';
	is scalar(grep { /^x-field/ } keys %{ api(undef, 'fields=50')->{headers} }), 50, 'many fields';
	is length play($gateway->live_url(1, 'live.cut_after=300k'))->{taken}, 300_000, 'a cut at a byte';
	$begun = time;
	ok !play($gateway->live_url(1, 'live.rst_after=500ms'))->{enough}, 'a reset at a time';
	ok time - $begun >= 0.5 && time - $begun < 5, 'at that time';
	is play($gateway->vod_url('102.mp4', 'vod.throttle=500k'), 200_000)->{enough}, 1, 'a throttled film';
	my $wrong = play($gateway->live_url(1, 'garbage=1000'), 200_000)->{taken};
	isnt ord $wrong, 0x47, 'garbage first';
	my $chunks = api('get_live_streams', 'chunked');
	is $chunks->{headers}{'transfer-encoding'}, 'chunked', 'chunks';
	is $chunks->{content}, api('get_live_streams')->{content}, 'add up';
	is $http->get($gateway->live_url(1, 'no_such_fault'))->{status}, 400, 'a fault that does not exist is refused';
};

subtest 'faults that pass' => sub {
	my @got = map { api(undef, 'status=500,after=1,times=2,tag=first')->{status} } 1 .. 5;
	is "@got", '200 500 500 200 200', 'the second and the third request fail';
	is api(undef, 'status=500,after=1,times=2,tag=second')->{status}, 200, 'another tag counts for itself';
	$gateway->control('fault', kind => 'live', id => 1, set => 'status=509,times=1');
	is play($gateway->live_url(2), 1000)->{enough}, 1, 'a fault can be set for one channel';
	is play($gateway->live_url(1))->{status}, 509, 'for its next stream';
	is play($gateway->live_url(1), 1000)->{enough}, 1, 'and no longer';
	$gateway->control('fault', kind => 'redirect', id => '', set => 'status=429');
	is play($gateway->live_url(1))->{status}, 429, 'or for all';
	is $gateway->control('clear')->{cleared}, 2, 'and be cleared';
	is play($gateway->live_url(1), 1000)->{enough}, 1, 'so that all is well';
};

subtest 'a clock that jumps' => sub {
	my $reset = play($gateway->live_url(1, 'clock_reset=1s,live.cut_after=2s'))->{taken};
	my @steps = sort { $a <=> $b } keys %{ Ts->read(substr $reset, 0, 188 * int(length($reset) / 188))->steps('video') };
	ok $steps[0] < -90_000 * 60, 'timestamps go back in the middle of a stream';
	$gateway->control('timeline', id => 3, add => 5000);
	my $moved = Ts->read(substr play($gateway->live_url(3), 200_000)->{taken}, 0, 188 * 1000);
	ok +($moved->units('video'))[0]{pts} > 90_000 * 8000, 'or for all viewers of a channel';
};

subtest 'sixty viewers' => sub {
	$gateway->control('account', user => 'demo', max => 0);
	$gateway->control('reset');
	my @sockets;
	for my $n (1 .. 60) {
		my $to = $http->get($gateway->live_url(1 + $n % 3), { headers => { 'User-Agent' => "viewer $n" } });
		my ($path) = $to->{headers}{location} =~ m{(/auth/.*)};
		my $socket = IO::Socket::INET->new("127.0.0.1:$gateway->{edge_port}");
		print $socket "GET $path HTTP/1.1\r\nHost: x\r\nUser-Agent: viewer $n\r\n\r\n";
		push @sockets, $socket;
	}
	ok wait_for(sub { @{ $gateway->control('streams') } == 60 }, 10), 'are all served';
	my $begun = time;
	is api()->{status}, 200, 'and the panel still answers';
	ok time - $begun < 1, 'soon';
	close $_ for @sockets;
	ok wait_for(sub { !@{ $gateway->control('streams') } }, 10), 'until they leave';
	is $gateway->channel($_)->{peak}, 20, "channel $_ had 20 viewers" for 1 .. 3;
};

done_testing;
