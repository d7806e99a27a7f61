#!/usr/bin/perl
# t/52-upstreams.t - whatever a source does, hls.js in Chromium plays on, and the log says what was wrong.
# SPDX-License-Identifier: BSD-2-Clause
# A few of the rows; with SLUICE_LONG=1 all of them, some ten minutes. SLUICE_ROWS='gateway.*45' chooses.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use IPC::Open2;
use JSON::PP qw(decode_json);
use List::Util qw(max sum0);
use Test::More;
use Time::HiRes qw(time);
use App;
use Gateway;
use Watch;

my ($node) = App::which('node');
plan skip_all => 'node is not installed' unless $node;
plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');

my $gateway = Gateway->new;
my $app = App->new(gateway => $gateway, via => 'lighttpd', conf => { ladder => '240p' });
my $watch = Watch->new($app, 1, '240p');
ok $watch->until(sub { ($app->get('/api/live')->json->{channels}[0]{status} // '') eq 'on' }, 30), 'the channel plays';

my $player = open2(my $said, my $asked, $node, "$FindBin::Bin/browser/upstreams.mjs", 'http://127.0.0.1:' . $app->port . '/api/hls/1/master.m3u8');
chomp(my $began = <$said> // '');
if ($began =~ /^skip (.*)/) {
	SKIP: { skip $1, 1 }
	done_testing;
	exit;
}
is $began, 'playing', 'Chromium plays it';

# What the player has seen since it was asked last.
sub player { print $asked "\n"; $asked->flush; return decode_json(<$said> // '{}') }

# --- the rows -----------------------------------------------------------------------------------------

sub edge { my ($set, $id) = @_; return sub { $gateway->control('fault', kind => 'live', id => 1, set => $set); cut() } }
sub cut { return $gateway->control('cut', kind => 'live', id => 1, how => $_[0] // 'cut') }

# A gateway is asked again when the token is dead.
sub gateway {
	my ($set) = @_;
	return sub {
		$gateway->control('fault', kind => 'redirect', id => 1, set => $set);
		$gateway->control('tokens', kill => 1);
		cut();
	};
}

# The gateway leads to a playlist for so long, and then to a stream again.
sub as_hls {
	my ($seconds) = @_;
	return sub {
		gateway('hls')->();
		my $end = time + $seconds;
		$watch->look while time < $end;
		$gateway->control('clear');
		$gateway->control('tokens', kill => 1);
	};
}

sub everywhere {
	my ($set) = @_;
	return sub { $gateway->control('fault', kind => '', id => '', set => $set); cut() };
}

# Another program of the same address and name opens the same channel, and goes.
sub rival {
	my %seen = %{ $gateway->counts->{seen}{live} };
	my $left = 50;
	HTTP::Tiny->new(agent => $seen{'user-agent'}, timeout => 5)->get($gateway->live_url(1), { data_callback => sub { die "enough\n" if !$left-- } });
	return;
}

# Of a log line: a stream that was lost, a gateway's refusal.
sub lost { my ($why) = @_; return qr/ source_lost channel=live-1 why="$why/ }
sub refused { my ($reason, $why) = @_; return qr/ refused channel=live-1 reason=$reason why="$why/ }
my $address = qr{http://127\.0\.0\.1:\d+\S*:? };
my $silent = qr/${address}nothing came for too long/;

# Row: its name; what is done; what the log says; and of
#   stands  for how many seconds the picture may stand: only where no source has anything to give
#   lasts   goes on until the slate with this reason is shown
#   more    another sentence        quick  is done each time
my @rows = (
	[ 'a token that was used too late',      edge('token_life=1ms,times=1'),   lost('The source answers with status 403'), quick => 1 ],
	[ 'another client of the same viewer',   \&rival,                    lost('The source ended the stream') ],
	(map { [ "the edge says $_", edge("status=$_,times=1"), lost("The source answers with status $_") ] }
		qw(401 403 404 406 410 429 451 454 458 459 461 462 463 500 502 503 509 512 513 884)),
	[ 'the edge sends a web page',           edge('html=1,times=1'),     lost('The source sends a web page, not a stream'), quick => 1 ],
	[ 'a connection that is cut again and again', edge('cut_after=4s,times=4'), lost('The source ended the stream') ],
	[ 'a connection that is reset',          sub { cut('rst') },         lost("$address(?:Failure when receiving|.*reset)"), quick => 1 ],
	[ 'tokens that die every 20 s',          edge('token_dead=20s'),     lost('The source ended the stream'), seconds => 65 ],
	[ 'a slow start, then 404',              edge('slow_start=4s,status=404,times=1'), lost('The source answers with status 404'), stands => 4 ],
	[ 'a stream that stalls',                edge('stall_after=1s,times=1'), lost($silent), stands => 6 ],
	[ 'an edge that never answers',          edge('never=1,times=1'),    lost($silent), stands => 6 ],
	[ 'an edge that hangs up',               edge('hangup=cut,times=1'), lost("${address}Server returned nothing") ],
	[ 'an edge that resets',                 edge('hangup=rst,times=1'), lost("${address}") ],
	[ 'an edge that speaks no HTTP',         edge('nonsense=1,times=1'), lost("${address}") ],
	[ 'noise instead of media',              edge('garbage_at=0,garbage=300000,times=1'), lost('The source sends something that is no MPEG-TS') ],
	[ 'a head that drips',                   edge('head_rate=5,times=1'), lost($silent), stands => 6 ],
	[ 'a head of 500 fields',                edge('fields=500,times=1'), qr/ flowing channel=live-1 / ],
	[ 'a head with a field of 200 kB',       edge('big_field=200000,times=1'), lost("${address}"), stands => 2 ],
	[ 'a folded field',                      edge('folded=1,times=1'),   qr/ flowing channel=live-1 / ],
	[ 'a gzip bomb',                         edge('encoding=bomb,times=1'), lost('The source ') ],
	[ 'broken gzip',                         edge('encoding=broken,times=1'), lost('The source ') ],
	[ 'a broadcaster that sets its clock back', edge('clock_reset=2s'), qr/ flowing channel=live-1 /, seconds => 12 ],
	[ 'a clock that jumps ahead',            sub { $gateway->control('timeline', id => 1, add => 5000) }, qr/./, seconds => 8 ],
	[ 'HEAD is refused',                     edge('no_head=1'),          qr/ flowing channel=live-1 / ],
	[ 'an outage of 4 s',                    sub { edge('status=503')->(); my $end = time + 4; $watch->look while time < $end; $gateway->control('clear') },
		lost('The source answers with status 503') ],
	[ 'a source that is HLS for a while',    as_hls(15), qr/ flowing channel=live-1 .*as=hls .* flowing channel=live-1 .*as=ts/s ],
	(map { [ "the gateway redirects with $_", gateway("redirect=$_"), qr/ flowing channel=live-1 / ] } qw(301 303 307 308)),
	(map { [ "the gateway redirects to a $_", gateway("location=$_"), qr/ flowing channel=live-1 / ] } qw(relative path host)),
	[ 'the gateway redirects to itself',     gateway('location=loop,times=1'), refused('source_down', 'The gateway redirects to itself') ],
	[ 'the gateway redirects to nowhere',    gateway('location=none,times=1'), refused('source_down', 'The gateway redirects to nowhere') ],
	[ 'the gateway redirects to ftp',        gateway('location=scheme,times=1'), refused('source_down', 'The gateway redirects to what is neither http nor https') ],
	[ 'the gateway redirects to a dead port', gateway('location=dead,times=1'), lost($address) ],
	[ 'an expired account is shown a film',  gateway('location=clip,times=1'), lost('The source sends a clip of 2632000 bytes, not a live stream') ],
	[ 'the gateway says 403 once',           gateway('status=403,times=1'), refused('source_down', 'The gateway refuses this channel \(status 403\)') ],
	[ 'the gateway says 404 once',           gateway('status=404,times=1'), refused('source_down', 'The gateway does not know this channel \(404\)') ],
	(map { [ "the gateway says $_ once", gateway("status=$_,times=1"), refused('limit_reached', "The account's limit of connections is reached \\(status $_\\)") ] }
		qw(406 429 458 459 461 462 463 509 512 513 884)),
	[ 'the gateway sends a web page',        gateway('html=1,times=1'),  refused('source_down', 'The gateway sends a web page, not a stream') ],
	[ 'the gateway never answers',           gateway('never=1,times=1'), refused('source_down', qr/${address}no answer in time/), stands => 20, slate => 'source_down' ],
	[ 'the gateway speaks no HTTP',          gateway('nonsense=1,times=1'), refused('source_down', $address) ],
	[ 'a limit that lasts',                  gateway('status=458'), refused('limit_reached', "The account's limit"), stands => 5, slate => 'limit_reached', quick => 1 ],
	[ 'a flood protection that blocks the address', everywhere('status=403'), refused('source_down', 'The gateway refuses this channel \(status 403\)'),
		stands => 8, slate => 'source_down' ],
	[ 'a source that is away',               everywhere('hangup=rst'), refused('source_down', $address), stands => 8, slate => 'source_down' ],
);
@rows = grep { my ($name, $do, $says, %how) = @$_; $ENV{SLUICE_ROWS} ? $name =~ /$ENV{SLUICE_ROWS}/ : $ENV{SLUICE_LONG} || $how{quick} } @rows;

# --- one after the other ---------------------------------------------------------------------------------

sub look_for { my ($seconds, $code) = @_; $watch->look while time < $seconds && !$code->(); return $code->() }

my $well = time;    # since when the source is
for my $row (@rows) {
	my ($name, $do, $says, %how) = @$row;
	my $from = length $app->log;
	my $since = sub { substr $app->log, $from };
	$watch->until(sub { time > $well + 6 }, 7);    # one trouble has nothing to do with the other
	my ($began, $run) = (time, $watch->run);
	player();
	$do->();
	my $good = ok $watch->until(sub { $since->() =~ $says }, 30), "$name: the log says so";
	ok $watch->until(sub { $since->() =~ / slate channel=live-1 reason=$how{slate}/ }, 30), "the picture too: $how{slate}" if $how{slate};
	$watch->until(sub { time > $began + $how{seconds} }, $how{seconds}) if $how{seconds};
	$gateway->control('clear');
	ok $watch->until(sub { $gateway->channel(1)->{now} == 1 }, 30), 'the source is read again';
	$well = time;
	ok $watch->goes_on(3, 30), 'and goes on';
	my ($seen, @stalls);
	$watch->until(sub { $seen = player(); push @stalls, @{ $seen->{stalls} }; $seen->{ahead} > 2 }, 20);
	my $stood = sum0(map { $_->{ms} / 1000 } @stalls);
	$good &= cmp_ok $stood, '<=', $how{stands} // 0, sprintf 'the picture stands for %.1f s', $stood;
	diag grep { !/ request / } split /^/, $since->() if !$good;
	is_deeply $seen->{fatal}, [], 'nothing is fatal';
	is $watch->run, $run, 'in the same run';
	note sprintf '%.1f s; %.1f s ahead; %s', time - $began, $seen->{ahead}, join ' ', %{ $seen->{errors} };
}
is_deeply [ $watch->faults, $watch->joints ], [], 'with nothing wrong in any playlist, segment or joint';
is $gateway->channel(1)->{heads}, 0, 'nobody was asked by HEAD';
is join('', $app->log =~ /^.*(?: error | died ).*$/mg), '', 'and the service has nothing to complain of';
close $asked;
waitpid $player, 0;
done_testing;
