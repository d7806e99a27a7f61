#!/usr/bin/perl
# t/80-resolve.t - programs that find addresses: run once for all who ask, within bounds, and kept.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Memcached;
use Resolver;

my $gateway = Gateway->new;
my $edge = $gateway->edge_port;
my $resolver = Resolver->new(base => "http://127.0.0.1:$edge/virtual/3M");
my @allow = ("127.0.0.1/32:$edge");
my %conf = (resolve_timeout => '3s', rate_video_info => 'none', relay_processes => 3, relay_threads => 210);
my $app = App->new(sources => [ $resolver->source(allow => [@allow]) ], conf => {%conf});

sub page { my ($how, $name) = @_; return "https://pages.example/$how/" . ($name // 'x') }
sub body_of { return JSON::PP->new->encode({ url => $_[0] }) }
sub info { my ($to, $url) = @_; return $to->post('/api/video-info', body_of($url), 'Content-Type' => 'application/json') }

# --- what programs do --------------------------------------------------------------------------------
for my $case (
	[ 'good',     200 ],
	[ 'holds',    200 ],
	[ 'forks',    200 ],
	[ 'short',    200 ],
	[ 'private',  200 ],
	[ 'pictures', 200 ],
	[ 'crash',    502, qr/ended by signal 11/ ],
	[ 'endless',  502, qr/printed too much/ ],
	[ 'garbage',  502, qr/no whole JSON object/ ],
	[ 'one',      502, qr/ended with status 1: ERROR: no such song at$/ ],
	[ 'list',     502, qr/a list, not one title/ ],
	[ 'ended',    502, qr/have ended/ ],
	[ 'never',    504, qr/did not end in time/ ],
) {
	my ($how, $status, $why) = @$case;
	my $reply = info($app, page($how));
	is $reply->status, $status, "a program that is '$how'" or diag $reply->body;
	like $reply->json->{error}{message}, $why, 'is told of in words' if $why;
	cmp_ok $reply->header('Retry-After') // 0, '>', 0, 'and when to ask again' if $why;
	unlike $reply->body, qr/SECRET/, 'no address is told';
}
my $sleeper = $resolver->sleeper;
is scalar(grep { $_->{command} =~ /^\Q$sleeper\E/ } $app->processes), 0, 'nothing that they started is left';
is scalar(grep { /^\Q$sleeper\E$/ } `ps -eo args`), 0, 'in no session either';
for my $url ('https://p.example/$(touch x);&|', 'https://p.example/`id`', 'https://p.example/a b', 'file:///etc/passwd',
	'http://', '-oProxyCommand=x', 'https://p.example/' . 'x' x 3000, "https://p.example/\n--exec") {
	my $reply = info($app, $url);
	like $reply->status, qr/^400$/, "no page: " . substr($url, 0, 30) =~ s/\n/\\n/r;
}
is info($app, q{https://p.example/$(id);x&y'*})->status, 200, 'what a shell would like, and URLs may hold, is an address';
is(($resolver->words)[-1], q{-- https://p.example/$(id);x&y'*}, 'the program gets it as one word, behind --');

# --- what comes back ---------------------------------------------------------------------------------
my $reply = info($app, page('good'));
is $reply->header('X-Cache'), 'HIT', 'what is known is not asked again';
is $resolver->calls('/good/'), 1, 'the program was run once';
my $json = $reply->json;
like $json->{id}, qr/^url-[0-9a-f]{22}$/, 'the page has an id';
is info($app, page('good') =~ s{^https://([^/]+)}{Https://\U$1}r)->json->{id}, $json->{id}, 'which it has however its host is written';
is_deeply [ @$json{qw(title duration thumbnail url)} ], [ 'A song', 212, "/cdn/art/$json->{id}", "/cdn/stream/$json->{id}" ], 'its title and how long it is';
is_deeply $json->{formats}[1], { id => 'mid', kind => 'audio', quality => 'medium', ext => 'mp3', codecs => undef, height => undef,
	kbps => 120, bytes => undef }, 'and its formats';
ok $app->wait_for(sub { $app->post("/prefetch/$json->{id}?quality=low", '')->json->{status} eq 'warm' }, 10), 'by its id it is made ready to be played';
is $app->post('/prefetch/url-' . '0' x 22, '')->status, 404, 'an id that nobody made is none';
for my $bad ('', '{', '[]', '{"url":"https://p.example/good\\u0000/x"}', '{"url":7}', '{"uri":"https://a/"}', '{"url":"' . 'x' x 10_000 . '"}') {
	is $app->post('/api/video-info', $bad)->status, 400, 'a body that is none: ' . substr $bad, 0, 20;
}

# --- prefetch ----------------------------------------------------------------------------------------
my $begun = time;
$reply = $app->get('/prefetch?v=abc-1&quality=high');
is $reply->status, 202, 'a prefetch is taken';
is_deeply [ @{ $reply->json }{qw(status videoId)} ], [ 'warming', 'abc-1' ], 'and under way';
ok $app->wait_for(sub { $app->get('/prefetch?v=abc-1&quality=high')->json->{status} eq 'warm' }, 10), 'then it is warm';
ok $app->wait_for(sub { $app->get('/prefetch?v=abc-1&quality=low')->json->{status} eq 'warm' }, 10), 'and another quality';
is $resolver->calls('/abc-1/'), 1, 'by one run';
is(($resolver->words)[-1], '-- https://tube.example/abc-1/watch', 'of the page that belongs to the id');
for my $bad ('/prefetch', '/prefetch?v=', '/prefetch?v=a%20b', '/prefetch?v=a%2fb', '/prefetch?v=x&quality=best', '/prefetch?v=x&format=wav') {
	is $app->get($bad)->status, 400, "no prefetch: $bad";
}
is $app->get('/prefetch?v=other.x')->status, 404, 'of a source that is none';
is $app->get('/prefetch/abc-1')->status, 405, 'by an id in the path it is a POST';

# --- once for all ------------------------------------------------------------------------------------
# Many at the same time, from one process of ours.
sub storm {
	my ($count, @apps) = @_;
	my $body = body_of(page('slow', "storm$count"));
	my @sockets = map {
		my $to = $apps[ $_ % @apps ];
		IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $to->port) or die "connect: $!\n";
	} 1 .. $count;
	for my $socket (@sockets) {
		print $socket "POST /api/video-info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
		$socket->flush;
	}
	my $good = 0;
	for my $socket (@sockets) {
		local $/;
		$good += (<$socket> // '') =~ m{^HTTP/1.1 200 .*"title":"A song"}s ? 1 : 0;
	}
	return $good;
}
SKIP: {
	skip 'there is no front server here', 3 if !$app->{front};
	is storm(200, $app), 200, '200 clients ask several processes for one page at once, and all are answered';
	is $resolver->calls('storm200'), 1, 'the program was run once';
	skip 'two hosts meet in a memcached', 1 if Memcached::missing();
	my $second = App->new(sources => [ $resolver->source(allow => [@allow]) ], memcached => $app->{memcached}, conf => { %conf, host_name => 'second.example' });
	is storm(40, $app, $second) . ' ' . $resolver->calls('storm40'), '40 1', 'on two hosts, too';
}

# --- time --------------------------------------------------------------------------------------------
is $app->get('/prefetch?v=short')->json->{status}, 'warming', 'an address that says when it ends';
ok $app->wait_for(sub { $app->get('/prefetch?v=short')->json->{status} eq 'warm' }, 10), 'is kept';
$app->move_clock(3300);
is $app->get('/prefetch?v=short')->json->{status}, 'warm', 'almost until then';
$app->move_clock(200);
is $app->get('/prefetch?v=short')->json->{status}, 'warming', 'but no longer';
ok $app->wait_for(sub { $resolver->calls('/short/watch') == 2 }, 10), 'then it is found anew';
$app->move_clock(200);
is $app->get('/prefetch?v=abc-1&quality=high')->json->{status}, 'warm', 'one that does not say it';
is info($app, page('good'))->status, 200, 'what is said of a title';
is $resolver->calls('/good/'), 2, 'is asked for again after an hour, though the addresses are good';
$app->move_clock(4 * 3600);
is $app->get('/prefetch?v=abc-1')->json->{status}, 'warming', 'is kept for 4 h';
is $app->get('/prefetch?v=abc-1')->status, 202, 'and found again';

info($app, page('one', 'again'));
is info($app, page('one', 'again'))->status . $resolver->calls('/one/again'), '5021', 'what has failed is left alone';
$app->move_clock(11);
is info($app, page('one', 'again'))->status . $resolver->calls('/one/again'), '5022', 'for 10 s';
$app->move_clock(11);
is info($app, page('one', 'again'))->status . $resolver->calls('/one/again'), '5022', 'the second time longer';
$app->move_clock(10);
is info($app, page('one', 'again'))->status . $resolver->calls('/one/again'), '5023', 'twice as long';

# --- trouble -----------------------------------------------------------------------------------------
ok $app->pids('jobs'), 'a process does this';
my $asked = open my $pipe, '-|';
if (!$asked) {
	print info($app, page('slow', 'killed'))->status;
	close STDOUT;
	POSIX::_exit(0);
}
$app->wait_for(sub { $resolver->calls('/slow/killed') }, 10, 'the program to be run');
$app->kill('jobs');
is scalar(<$pipe>), 200, 'when it is killed, who waits is answered by the next';
ok $app->wait_for(sub { !grep { $_->{command} =~ m{/resolver } } $app->processes }, 5), 'and no program is left running';
unlike $app->log, qr/SECRET/, 'the log holds no address';

$app->{memcached}->flush if $app->{memcached};
$app->stop;
$app->start;
is $app->post("/prefetch/$json->{id}", '')->status, 202, 'ids of pages outlive a restart';
ok $app->wait_for(sub { $app->post("/prefetch/$json->{id}", '')->json->{status} eq 'warm' }, 10), 'and can be played';

# --- who may, and without memcached ------------------------------------------------------------------
my $lonely = App->new(sources => [ $resolver->source(allow => [@allow], egress => '127.0.0.1', command => [ $resolver->program, '--from={egress}', '--n={fragments}',
	'--q={quality}' ]), $resolver->source(name => 'clips', media => 'video', allow => [@allow]) ], memcached => '', conf => { %conf, admin_token => 'let-me-in', resolve_fragments => 7 });
is info($lonely, page('alone'))->status, 403, 'with an admin_token not everybody may name a page';
is info($lonely, page('alone'))->code, 'forbidden', 'which is said';
my @admin = ('X-Sluice-Token' => 'let-me-in');
is $lonely->post('/api/video-info', body_of(page('alone')), @admin)->status, 200, 'the admin may';
is $lonely->post('/api/video-info', body_of(page('alone')), Authorization => 'Bearer let-me-in')->header('X-Cache'), 'HIT', 'and again: this host knows it';
is $lonely->post('/api/video-info', body_of(page('alone')), 'X-Sluice-Token' => 'let-me-out')->status, 403, 'but not with another token';
is $resolver->calls('/alone/'), 1, 'without memcached it was run once, too';
is(($resolver->words)[-1], '--from=127.0.0.1 --n=7 --q=720p -- ' . page('alone'), 'with the words of its configuration');
$lonely->get('/prefetch?v=qqq&quality=low');
ok $lonely->wait_for(sub { $lonely->get('/prefetch?v=qqq&quality=low')->json->{status} eq 'warm' }, 10), 'a quality that the program is told';
is $lonely->get('/prefetch?v=qqq&quality=high')->json->{status}, 'warming', 'is asked for by itself';
my $lower = $lonely->get('/cdn/stream/picky?quality=high', Range => 'bytes=0-9');
is $lower->status . ' ' . ($lower->header('X-Quality') // $lower->body), '206 medium', 'one that it fails for is given the next one down, which is said';
is join(' ', map { /--q=(\w+)/ } grep { m{/picky/} } $resolver->words), 'high medium', 'for which it is run again';
is $lonely->get('/cdn/stream/clips.picky', Range => 'bytes=0-9')->header('X-Quality'), '360p', 'an address of a source of pictures has one';

SKIP: {
	skip 'two hosts meet in a memcached', 3 if Memcached::missing();
	my ($first, $other) = map { App->new(via => 'fastcgi', sources => [ $resolver->source(allow => [@allow]) ], memcached => $app->{memcached},
		conf => { %conf, host_name => "$_.example", url_ttl => '10min', memcached_prefix => 'hosts:' }) } 'first', 'other';
	my $warm = sub { my ($to) = @_; return $to->get('/prefetch?v=hosts')->json->{status} };
	ok $first->wait_for(sub { $warm->($first) eq 'warm' }, 10), 'what one host has found';
	$_->move_clock(700) for $first, $other;
	ok $other->wait_for(sub { $warm->($other) eq 'warm' }, 10), 'has ended, and another one finds it anew';
	is $warm->($first) . ' ' . $resolver->calls('/hosts/watch'), 'warm 2', 'for the first, too, which has an old one';
}

# --- one process for everything ------------------------------------------------------------------------
# Its threads are 4, of which 2 may wait.
my $one = App->new(via => 'cgi', memcached => '', sources => [ $resolver->source ], conf => { %conf, api_threads => 2, relay_threads => 2 });
my $path = $one->run_dir . '/all.sock';
my $all_listener = IO::Socket::UNIX->new(Local => $path, Listen => 100) or die "$path: $!\n";
my $all = fork // die "fork: $!\n";
if (!$all) {
	POSIX::dup2(fileno $all_listener, 0);
	$ENV{SLUICE_CLOCK} = $one->dir . '/clock';
	exec App::program(), '-c', $one->dir . '/sluice.conf', 'fcgi', '--pool', 'all' or POSIX::_exit(127);
}
END { local $?; kill KILL => $all if $all }
my @answers = App::parallel(5, sub {
	my ($n) = @_;
	return App::Client::fcgi($path, 'POST', '/api/video-info', [], body_of(page('never', "all$n")))->status if $n <= 4;
	$one->wait_for(sub { $resolver->calls('/never/all') >= 2 }, 10);
	return App::Client::fcgi($path, 'GET', '/health/live', [])->status;
});
is join(' ', sort @answers[ 0 .. 3 ]), '503 503 504 504', 'half of those who ask for something slow wait for it, and the others are told at once';
is $answers[4], 200, 'and short answers are given meanwhile';
kill TERM => $all;
waitpid $all, 0;
undef $all;

# --- where a program can go ---------------------------------------------------------------------------
my $listener = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "listen: $!\n";
my $port = $listener->sockport;
my $server = fork // die "fork: $!\n";
if (!$server) {
	while (my $client = $listener->accept) {
		while (my $line = <$client>) { last if $line =~ /^\r?\n$/ }
		print $client "HTTP/1.1 200 OK\r\nContent-Length: 26\r\nConnection: close\r\n\r\nhttps://e.example/a/b.mp3\n";
		close $client;
	}
	POSIX::_exit(0);
}
END { local $?; kill KILL => $server if $server }
for my $host ("127.0.0.1:$port", "localhost:$port", "127.1:$port", '169.254.169.254') {
	like info($app, "https://pages.example/via/$host/x")->json->{error}{message}, qr/status 403$/, "a program cannot go to $host";
}
my $trusted = App->new(memcached => '', sources => [ $resolver->source(allow => [ @allow, "127.0.0.1/32:$port" ]) ], conf => {%conf});
is info($trusted, "https://pages.example/via/127.0.0.1:$port/x")->status, 200, 'but where its source allows it';
my $none = App->new(conf => {%conf}, memcached => '', sources => [ { name => 'x', type => 'http', url => 'https://e.example/{id}' } ]);
is info($none, page('good'))->code, 'no_resolver', 'where nothing can look at pages, that is said';
done_testing;
