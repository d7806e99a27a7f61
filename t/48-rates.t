#!/usr/bin/perl
# t/48-rates.t - how often a client may ask: on all hosts together, and whoever it says it is.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use Time::HiRes ();
use App;
use Gateway;
use Memcached;
use Resolver;

plan skip_all => Memcached::missing() if Memcached::missing();

my $refresh = '/api/live/live-1/refresh';    # of which there is none: nothing is asked for it

# The statuses of so many requests, as "404 404 429".
sub asked { my ($app, $count, @headers) = @_; return join ' ', map { $app->get($refresh, @headers)->status } 1 .. $count }

# In the first half of a minute of the program's clock, so that a window does not end meanwhile.
sub new_minute {
	my ($app) = @_;
	my $now = POSIX::fmod(Time::HiRes::time() + $app->{clock} / 1000, 60);
	$app->move_clock(60 - $now + 1);
	return;
}

# --- behind each front server: what a client says of itself does not help ----------------------------
for my $via (grep { App::Front::is_here($_) } qw(lighttpd nginx apache)) {
	my $app = App->new(via => $via, conf => { rate_refresh => 3 });
	new_minute($app);
	my @replies = map { $app->get($refresh) } 1 .. 4;
	is join(' ', map { $_->status } @replies), '404 404 404 429', "$via: three times a minute, and no more";
	is join(' ', map { $_->header('RateLimit-Limit') . '/' . $_->header('RateLimit-Remaining') } @replies), '3/2 3/1 3/0 3/0', 'which each answer says';
	my $refused = $replies[3];
	is $refused->code, 'rate_limited', 'in words';
	my $wait = $refused->header('Retry-After');
	cmp_ok $wait, '<=', 60, 'with the time to wait';
	is $wait, $refused->header('RateLimit-Reset'), 'which is that to the end of the minute';
	is $refused->json->{error}{retryAfter}, $wait, 'in the body too';
	for my $lie ([ 'X-Forwarded-For' => '203.0.113.1' ], [ 'X-Forwarded-For' => '203.0.113.2, 203.0.113.3' ], [ Forwarded => 'for=203.0.113.4' ],
		[ 'X-Real-IP' => '203.0.113.5' ], [ 'X-Forwarded-For' => '203.0.113.6', 'X-Forwarded-For' => '203.0.113.7' ],
		[ 'Remote-Addr' => '203.0.113.8' ], [ 'X_Forwarded_For' => '203.0.113.9' ])
	{
		is asked($app, 1, @$lie), '429', "$lie->[0]: $lie->[1] does not help";
	}
	is $app->get('/health/live')->status, 200, 'health is asked for as often as one likes';
	$app->move_clock($wait);
	is asked($app, 1), '404', 'which is true';

	# The same behind a proxy that is trusted: the last address is its client's.
	$app->end;
	$app = App->new(via => $via, conf => { rate_refresh => 3, trusted_proxies => '127.0.0.1' });
	new_minute($app);
	is asked($app, 4, 'X-Forwarded-For' => '203.0.113.1'), '404 404 404 429', 'a client of it has a limit';
	is asked($app, 1, 'X-Forwarded-For' => '203.0.113.2'), '404', 'another has its own';
	is asked($app, 1, 'X-Forwarded-For' => '203.0.113.77, 203.0.113.1'), '429', 'what stands before is anybody\'s';
	is asked($app, 1, 'X-Forwarded-For' => '203.0.113.77', 'X-Forwarded-For' => '203.0.113.1'), '429', 'also in a header of its own';
	is asked($app, 1, 'X-Forwarded-For' => '203.0.113.1', Forwarded => 'for=203.0.113.9'), '429', 'the other header is not read';
	# To what a front server tells the program the spelling makes no difference, to proxies it does.
	for my $spelt ('X_Forwarded_For', 'X-Forwarded_For', 'X_Forwarded-For', 'x.forwarded.for') {
		my @two = ([ 'X-Forwarded-For' => '203.0.113.1' ], [ $spelt => '203.0.113.88' ]);
		like asked($app, 1, map { @$_ } @$_), qr/^4(?:00|29)$/, "nor in one that is spelt $spelt" for [@two], [ reverse @two ];
	}
	is asked($app, 4, 'X-Forwarded-For' => '2001:db8:1:2::1'), '404 404 404 429', 'IPv6';
	is asked($app, 1, 'X-Forwarded-For' => '2001:db8:1:2:ffff::7'), '429', 'is counted by 64 bits';
	is asked($app, 1, 'X-Forwarded-For' => '2001:db8:1:3::1'), '404', 'and no fewer';
	$app->end;
}

# --- two hosts, one memcached ------------------------------------------------------------------------
my $memcached = Memcached->new;
my %same = (via => 'fastcgi', memcached => $memcached);
my @conf = (memcached_prefix => 'rates:', rate_refresh => 6, proxy_field => 'forwarded', trusted_proxies => '127.0.0.0/8');
my @hosts = map { App->new(%same, conf => {@conf}) } 1 .. 2;
# They go by one clock: the machine's.
sleep 1 while time % 60 > 50;
my @seen = map { $hosts[ $_ % 2 ]->get($refresh, Forwarded => 'for=203.0.113.9;proto=http')->status } 1 .. 8;
is "@seen", '404 404 404 404 404 404 429 429', 'hosts that share a memcached count together';
my $all = $hosts[0]->get('/metrics')->body;
like $all, qr/^sluice_rate_limit_refusals_total 1$/m, 'and each says how many it refused';
$memcached->kill;
is asked($hosts[0], 3, Forwarded => 'for=203.0.113.9'), '404 404 404', 'without memcached nobody is refused';
@hosts = ();

# --- all at once, and the general limit ---------------------------------------------------------------
my $app = App->new(via => 'fastcgi', conf => { rate_refresh => 4, rate_factor => '0.5', rate_api => 100, trusted_proxies => '127.0.0.1' });
new_minute($app);
is asked($app, 3), '404 404 429', 'one factor tightens all';
my @from = ('X-Forwarded-For' => '203.0.113.9');
my %count;
$count{ $app->get('/api/live', @from)->status }++ for 1 .. 70;
is $count{200} // 0, 50, 'whatever else is asked has a limit too' or diag join ' ', %count;
is $count{429}, 20, 'beyond which it is refused';
is $app->get('/api/live', 'X-Forwarded-For' => '203.0.113.10')->status, 200, 'others are not';
for my $bad ([ trusted_proxies => 'proxy.example' ], [ trusted_proxies => '10.0.0.1:80' ], [ rate_factor => '0' ], [ rate_factor => '1.2345' ], [ rate_refresh => '-1' ]) {
	my $before = $app->{conf}{ $bad->[0] };
	$app->write_conf(@$bad);
	my ($status, $text) = $app->command('check');
	isnt $status, 0, "$bad->[0] = $bad->[1] is refused";
	like $text, qr/\b$bad->[0]\b/, 'by its name';
	$app->write_conf($bad->[0] => $before // 1);
}
# --- what a program has to be run for -------------------------------------------------------------------
my $edge = Gateway->new;
my $resolver = Resolver->new(base => 'http://127.0.0.1:' . $edge->edge_port . '/virtual/300k');
$app = App->new(via => 'fastcgi', import => 0, sources => [ $resolver->source(allow => [ '127.0.0.1/32:' . $edge->edge_port ]) ],
	conf => { rate_resolve => 4, rate_video_info => 2, trusted_proxies => '127.0.0.1', relay_threads => 40 });
new_minute($app);
my $reply;
my %ways = (stream => '/cdn/stream/%s', proxy => '/proxy?v=%s', prefetch => '/prefetch?v=%s', art => '/cdn/art/%s', list => '/cdn/hls/%s/master.m3u8',
	part => '/cdn/hls/%s/sound.m3u8', bytes => '/cdn/hls/%s/sound.mp4');
sub cold { my ($way, $id, @as) = @_; return $app->get(sprintf($ways{$way}, $id), @as ? @as : @from) }
is join(' ', map { cold(stream => "song-$_")->status } 1 .. 4), '200 200 200 200', 'streams that have to be found are counted';
is cold(proxy => 'song-1')->status, 200, 'one that is known is not';
for my $way (sort keys %ways) {
	$reply = cold($way, "other-$way");
	is $reply->status . ' ' . ($reply->code // ''), '429 rate_limited', "above the limit none is found: $way" or diag $reply->body;
	is $reply->header('Retry-After'), $reply->header('RateLimit-Reset'), 'and it is said for how long';
}
is scalar(grep { /other-/ } $resolver->words), 0, 'no program was run for that';
$app->move_clock(60);
my %storm;
$storm{$_}++ for App::parallel(30, sub {
	$app->wait_for(sub { $resolver->calls('/slow/') }, 20) if $_[0] > 1;
	return $app->get('/cdn/stream/slow', @from)->status;
});
is_deeply \%storm, { 200 => 30 }, 'many who want what is just being found are let have it';
is cold(stream => 'song-2')->status, 200, 'what is known is sent as before';
is cold(stream => 'song-5', 'X-Forwarded-For' => '203.0.113.10')->status, 200, 'others are not refused';
is join(' ', map { $app->get("/cdn/stream/here-$_")->status } 1 .. 6), '200 200 200 200 200 200', 'nor who is on this host';

$app->move_clock(60);
is join(' ', map { $app->post('/api/video-info', '{"url":"https://p.example/good/x"}')->status } 1 .. 3), '200 200 429',
	'pages are looked at so often, whoever asks';

# --- addresses that a process would remember in one place ask by turns ----------------------------------
sub place {
	my $hash = 2166136261;
	$hash = (($hash ^ $_) * 16777619) & 0xffffffff for (0) x 10, 0xff, 0xff, split /\./, $_[0];
	return $hash % 1024;
}
my @twins = ('198.51.100.1');
for my $n (1 .. 60_000) {
	my $address = join '.', 203, 0, $n >> 8, $n & 255;
	push @twins, $address if place($address) == place($twins[0]);
	last if @twins == 2;
}
$app = App->new(via => 'fastcgi', conf => { rate_api => 128, api_processes => 1, trusted_proxies => '127.0.0.1' });
new_minute($app);
my ($begun, %turn) = (time);
$turn{ $app->get('/api/live', 'X-Forwarded-For' => $twins[ $_ % 2 ])->status }++ for 1 .. 280;
SKIP: {
	skip 'the minute was over', 1 if time - $begun > 55;
	is $turn{200} // 0, 256, "they do not have each other forgotten: @twins" or diag join ' ', %turn;
}
done_testing;
