#!/usr/bin/perl
# t/33-direct.t - a channel's stream as its source sends it: any number of viewers, one upstream.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Hls;
use Ts;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');

my $MOST = $ENV{SLUICE_LONG} ? 200 : 60;         # as direct_max is, where there is time for them
my $EACH = 300_000;                              # bytes of memory that each of so many may take
my $gateway = Gateway->new;
$gateway->control('set', token_life => 3600);
my $app = App->new(gateway => $gateway, via => App::via('lighttpd'), conf => { ladder => '240p', direct_max => $MOST, relay_processes => 2, relay_threads => 64, live_idle => '10s' });
my $path = '/api/live/1/direct';

# --- viewers -------------------------------------------------------------------------------------------

my $all = IO::Select->new;
my %viewers;

# One more who asks; {head} and {body} fill up in watch(), {ended} says that the answer did.
sub viewer {
	my ($target) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $app->port, Timeout => 5) or die "no connection: $!\n";
	print $socket "GET $target HTTP/1.0\r\nHost: t\r\nUser-Agent: t\r\n\r\n";
	$socket->blocking(0);
	$all->add($socket);
	return $viewers{ fileno $socket } = { socket => $socket, head => '', body => '', began => time };
}

sub leave { my ($v) = @_; delete $viewers{ fileno $v->{socket} }; $all->remove($v->{socket}); close $v->{socket}; return }

sub take {
	my ($v) = @_;
	my $n = sysread $v->{socket}, my $bytes, 1 << 20;
	return if !defined $n && $!{EAGAIN};
	if (!$n) {
		$v->{ended} = 1;
		$all->remove($v->{socket});
		return;
	}
	$v->{body} .= $bytes;
	($v->{head}, $v->{body}) = ($1, $2) if !length $v->{head} && $v->{body} =~ /\A(.*?)\r\n\r\n(.*)\z/s;
	return;
}

# Reads what comes for all of them until it is true.
sub watch {
	my ($what, $seconds) = @_;
	my $end = time + $seconds;
	until ($what->()) {
		return 0 if time > $end;
		take($viewers{ fileno $_ }) for $all->can_read(0.1);
	}
	return 1;
}

sub status { my ($v) = @_; return $v->{head} =~ m{\AHTTP/1\.\d (\d+)} ? $1 : 0 }
sub body { my ($v) = @_; return substr $v->{body}, 0, int(length($v->{body}) / 188) * 188 }
sub has { my ($bytes, @who) = @_; return sub { !grep { length $_->{body} < $bytes } @who } }
sub ts { return Ts->read(body($_[0])) }

# Seconds of picture that there are.
sub seconds {
	my @units = ts($_[0])->units('video');
	return @units ? Ts::difference($units[-1]{dts}, $units[0]{dts}) / 90_000 : 0;
}

sub decode {
	my ($v) = @_;
	my $file = $app->dir . '/direct.ts';
	open my $out, '>:raw', $file or die "$file: $!\n";
	print $out body($v);
	close $out;
	my $frame = `ffprobe -v error -select_streams v -show_entries frame=key_frame -of csv=p=0 -read_intervals '%+#1' $file 2>&1`;
	my $said = `ffmpeg -nostdin -v error -i $file -t 1 -f null - 2>&1`;
	return ($frame =~ /(\d)/ ? $1 : "none: $frame", $said);
}

# --- one viewer, and fifty ---------------------------------------------------------------------------------

my $json = $app->get('/api/live/1')->json;
like $json->{direct}, qr{\Q$path\E$}, 'JSON names the stream';
my $reply = $app->head($path);
is $reply->status . ' ' . $reply->header('Content-Type'), '200 video/mp2t', 'HEAD says what it is';
is $gateway->channel(1)->{streams}, 0, 'and starts nothing';

my $first = viewer($path);
ok watch(has(200_000, $first), 20), 'the stream comes';
note sprintf 'after %.2f s', time - $first->{began};
is status($first), 200, 'with 200';
like $first->{head}, qr{^Content-Type: video/mp2t\r?$}mi, 'as MPEG-TS';
like $first->{head}, qr{^Cache-Control: no-store\r?$}mi, 'which nobody keeps';
unlike $first->{head}, qr{^Content-Length}mi, 'and has no end';
is scalar(my @encoders = $app->pids('ffmpeg')), 0, 'nothing is encoded for it';

ok watch(sub { seconds($first) > 4 }, 20), 'it goes on';
my @crowd = map { viewer($path) } 1 .. 49;
ok watch(has(400_000, @crowd), 30), 'fifty viewers have it';
is_deeply [ map { $gateway->channel(1)->{$_} } qw(redirects streams now peak) ], [ 1, 1, 1, 1 ], 'from one upstream';
is_deeply [ map { ts($_)->start_faults } @crowd ], [], 'each begins with the tables and a picture to begin with';
is_deeply [ map { ts($_)->faults } $first, @crowd ], [], 'and there is nothing wrong in what each has got';
my $late = viewer($path);
my $in_hand = sub { length $late->{body} ? seconds($late) - (time - $late->{began}) : 0 };
ok watch(sub { $in_hand->() > 1.5 }, 5), sprintf 'one who comes late has %.1f s in hand', $in_hand->();
my ($key, $said) = decode($late);
is $key, 1, 'ffmpeg decodes it from its first picture on';
is $said, '', 'and has nothing to complain of';

# --- too many ------------------------------------------------------------------------------------------

sub memory {
	my $kb = 0;
	for my $pid ($app->pids('relay')) {
		open my $file, '<', "/proc/$pid/smaps_rollup" or next;
		$kb += /^Private_\w+:\s+(\d+)/ ? $1 : 0 while <$file>;
	}
	return 1024 * $kb;
}
my $before = memory();
push @crowd, map { viewer($path) } 1 .. $MOST - 51;
ok watch(has(188, @crowd), 40), "as many as $MOST have a place";
my $grown = (memory() - $before) / ($MOST - 51);
cmp_ok $grown, '<=', $EACH, sprintf 'who take little memory: %.0f KiB each', $grown / 1024 if $MOST > 60 && !App::sanitized();
$reply = $app->get($path);
is $reply->status, 503, 'one more has none';
is $reply->code, 'direct_full', 'which is said in a word';
like $reply->json->{error}{message}, qr{/api/hls/1/master\.m3u8}, 'with what plays the channel too';
ok $reply->header('Retry-After'), 'and when to ask again';
leave(pop @crowd);
my $next;
ok $app->wait_for(sub { $next = viewer($path); watch(sub { length $next->{head} }, 10); status($next) == 200 or leave($next) && 0 }, 20),
	'when one has gone there is a place';
leave($_) for splice(@crowd, 5), $next;

# --- what happens upstream, and to us ----------------------------------------------------------------------

my $had = length $first->{body};
$gateway->control('cut', kind => 'live', how => 'rst');
ok watch(has($had + 600_000, $first), 20), 'when the source is cut the same answer goes on';
is $gateway->channel(1)->{streams}, 2, 'from another connection';
is_deeply [ ts($first)->faults ], [], 'without a seam';

my @playlist = ('/api/hls/1/240p.m3u8');
ok $app->wait_for(sub { watch(sub { 0 }, 0.2); grep { /\.ts$/ } split /\n/, $app->get(@playlist)->body }, 20), 'its playlist plays beside it';
is $gateway->channel(1)->{peak}, 1, 'from the same upstream';
ok watch(sub { $app->pids('ffmpeg') == 1 }, 15), 'which is encoded now';
# A quick encoder needs no slate, and on a slow machine the seam may have left the list.
my $is_joined = sub {
	my $body = $app->get(@playlist)->body;
	return $app->log =~ / slate .*channel=live-1\b/ ? $body =~ /DISCONTINUITY\n|DISCONTINUITY-SEQUENCE:[1-9]/ : Hls->read($body)->segments > 2;
};
ok $app->wait_for(sub { watch(sub { 0 }, 0.2); $is_joined->() }, 20), 'after a slate, if there was one';
my $list = Hls->read($app->get(@playlist)->body);
cmp_ok abs(time + $app->{clock} / 1000 - ($list->segments)[-1]{date}), '<', 15, 'with the date of now';
for (1 .. 4) { $app->move_clock(3); watch(sub { 0 }, 0.4) }
ok watch(sub { !$app->pids('ffmpeg') }, 10), 'when nobody asks for that any more nothing is encoded';
$had = length $first->{body};
ok watch(has($had + 200_000, $first), 10), 'and the stream goes on';
is_deeply [ ts($first)->faults ], [], 'as it was';
is $gateway->channel(1)->{streams}, 2, 'from the same connection';

$had = length $first->{body};
$app->kill('live');
ok watch(has($had + 600_000, $first), 20), 'when the channel\'s process is killed the next one goes on with the answer';
is $first->{ended}, undef, 'which has not ended';
is $gateway->channel(1)->{peak}, 1, 'over one connection at a time';

my @relays = $app->pids('relay');
my %from = map { $_->{socket} => length $_->{body} } my @rest = ($first, $late, @crowd);
kill 'KILL', $relays[0];
ok watch(sub { !grep { !$_->{ended} && length $_->{body} < $from{ $_->{socket} } + 300_000 } @rest }, 30),
	'when a worker is killed its viewers see it, and those of another one do not';
note scalar(grep { $_->{ended} } @rest), ' of ', scalar @rest, ' have ended';
my $again = viewer($path);
ok watch(has(300_000, $again), 20), 'and who asks again has it again';
is $gateway->channel(1)->{peak}, 1, 'over one connection at a time';

# --- the end ---------------------------------------------------------------------------------------------

leave($_) for values %viewers;
for (1 .. 5) { $app->move_clock(3); sleep 0.3 }
ok $app->wait_for(sub { !$app->pids('live') }, 20), 'when they have all gone the channel stops';
is $gateway->channel(1)->{now}, 0, 'and its source is left alone';
is_deeply [ glob $app->state_dir . '/live/work/*/spool*' ], [], 'with nothing left over';

$gateway->control('fault', kind => 'redirect', id => 2, set => 'status=403');
$reply = $app->get('/api/live/2/direct');
is $reply->status, 502, 'a channel that cannot be had says why';
like $reply->json->{error}{message}, qr/refuses this channel/, 'in a sentence';
is $app->get('/api/live/999/direct')->status, 404, 'an unknown one is not there';
unlike $app->log =~ s/^.* died role=relay status=137 .*$//mr, qr/ error /, 'and the service has nothing to complain of';
diag grep { !/ debug (?:api|relay)/ } map { "$_\n" } split /\n/, $app->log if grep { !$_ } Test::More->builder->summary;
done_testing;
