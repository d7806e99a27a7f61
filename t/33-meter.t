#!/usr/bin/perl
# t/33-meter.t - hits and bytes are those of the front server's access log: each line once.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use App;
use Gateway;
use Prometheus;

my $ver = '0123456789abcdef' x 2;
my $gateway = Gateway->new;

sub stats { my ($app) = @_; return $app->fcgi('api', 'GET', '/health')->json->{cache}{stats} }
sub health { my ($app) = @_; return $app->fcgi('api', 'GET', '/health')->json }

# A file where the front server finds it by itself.
sub put {
	my ($app, $name, $bytes) = @_;
	File::Path::make_path($app->www . '/' . ($name =~ s{/[^/]+$}{}r));
	open my $file, '>', $app->www . "/$name" or die "$name: $!\n";
	print $file $bytes;
	close $file;
	return;
}

# --- without a log ------------------------------------------------------------------------------------
{
	my $app = App->new(via => 'fastcgi');
	my $health = health($app);
	is $health->{cache}{streamHitRate}, undef, 'without a log no hit rate is known';
	is_deeply [ @{ $health->{cache}{stats} }{qw(streamHits streamMisses thumbnailHits thumbnailMisses prefetchRequests)} ],
		[ (undef) x 5 ], 'nor are hits';
	like $health->{checks}{meter}, qr/no access log is connected/, 'and why is said';
	is_deeply [ $app->pids('meter') ], [], 'nobody reads what is not there';
}

# --- behind each front server ---------------------------------------------------------------------------
for my $via (grep { App::Front::is_here($_) } qw(lighttpd nginx apache)) {
	my $log = ($via eq 'apache' ? 'apache2' : $via) . '-access.log';
	my $app = App->new(gateway => $gateway, via => $via, conf => { access_log => $log });
	put($app, "api/hls/vod-7/$ver/720p/1.m4s", 'x' x 50_000);
	put($app, "api/hls/vod-7/$ver/thumbnails/0.jpg", 'x' x 3000);
	my $begun = stats($app);
	is health($app)->{cache}{streamHitRate}, undef, "$via: while nothing has been sent there is no hit rate";
	$app->get("/api/hls/vod-7/$ver/720p/1.m4s?CMCD=x") for 1 .. 3;
	$app->get("/api/hls/vod-7/$ver/720p/1.m4s", Range => 'bytes=0-9');
	$app->get("/api/hls/vod-7/$ver/thumbnails/0.jpg");
	$app->get('/prefetch?v=abc');
	# What a worker had to fetch, and then had: of a film of the catalogue, and a logo.
	is join(' ', map { $app->get('/cdn/stream/vod-102', Range => 'bytes=0-99')->header('X-Cache') } 1 .. 2), 'MISS HIT', "$via: a film is fetched";
	$app->head('/cdn/stream/vod-102');
	$app->get('/cdn/art/live-1?size=64') for 1 .. 3;
	my $seen = $app->wait_for(sub { my $s = stats($app); $s->{thumbnailHits} >= 3 && $s->{streamHits} >= 5 && $s }, 20, "$via\'s log");
	is $seen->{streamHits} - $begun->{streamHits}, 5, 'what it sent by itself is a hit, and what was there';
	is $seen->{streamMisses} - $begun->{streamMisses}, 1, 'what a worker had to fetch is a miss';
	is $seen->{thumbnailHits} - $begun->{thumbnailHits}, 3, 'thumbnails are counted apart';
	is $seen->{thumbnailMisses} - $begun->{thumbnailMisses}, 1, 'with what had to be made';
	is $seen->{prefetchRequests} - $begun->{prefetchRequests}, 1, 'and prefetches';
	my $health = health($app);
	is $health->{cache}{streamHitRate}, '83.33%', 'the rate is that';
	is $health->{cache}{thumbnailCacheSize}, 1, 'and the logo is kept';
	is $health->{checks}{meter}, 'ok', 'the log is read';
	my $metrics = Prometheus->read($app->fcgi('api', 'GET', '/metrics')->body);
	is_deeply [ $metrics->faults ], [], 'metrics have it too';
	is $metrics->value('sluice_sent_answers_total', family => 'segments', result => 'hit'), 4, 'by family';
	my $bytes = $metrics->value('sluice_sent_bytes_total', family => 'segments');
	ok $bytes > 150_010 && $bytes < 155_000, 'bytes are those that were sent' or diag $bytes;
	is $metrics->value('sluice_access_log_lines_unread_total'), 0, 'every line made sense';
	$app->end;
}

# --- what is kept ------------------------------------------------------------------------------------------
{
	my $edge = $gateway->edge_port;
	my $app = App->new(import => 0, via => 'fastcgi', conf => { prefetch_ttl => '10min' }, sources => [
		{ name => 'plain', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"], url => "http://127.0.0.1:$edge/virtual/{id}/x" } ]);
	my $kept = sub { my $cache = health($app)->{cache}; return "$cache->{streamCacheSize} $cache->{prefetchCacheSize}" };
	is $kept->(), '0 0', 'at first nothing is kept';
	$app->get("/cdn/stream/$_") for '1M', '2M', '1M';
	ok $app->wait_for(sub { $kept->() eq '2 0' }, 30, 'two streams'), 'then each stream that was played' or diag $kept->();
	is $app->get('/prefetch?v=3M')->status, 202, 'one is asked for in advance';
	ok $app->wait_for(sub { $kept->() =~ / 1$/ }, 30, 'a warm one'), 'and warm';
	$app->move_clock(601);
	ok $app->wait_for(sub { $kept->() =~ / 0$/ }, 30, 'its end'), 'for as long as it is said' or diag $kept->();
	$app->move_clock(5 * 3600);
	ok $app->wait_for(sub { $kept->() eq '0 0' }, 30, 'their end'), 'streams are kept for hours' or diag $kept->();
}

# --- a log that lives ---------------------------------------------------------------------------------
my $app = App->new(via => 'fastcgi', conf => { access_log => 'a.log' });
my $log = $app->dir . '/a.log';
my $lines = 0;

# A time as logs write it, in the names of no locale.
sub log_time {
	my @tm = gmtime $_[0];
	return sprintf '%02d/%s/%d:%02d:%02d:%02d +0000', $tm[3], (qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec))[ $tm[4] ],
		$tm[5] + 1900, @tm[ 2, 1, 0 ];
}
my $now = log_time(time);

sub add {
	my ($count, $to) = @_;
	open my $file, '>>', $to // $log or die "$log: $!\n";
	print $file join '', map { ++$lines; "127.0.0.1 h - [$now] \"GET /tv/8/$ver/720p/$lines.ts\" 200 1000 0.001 -\n" } 1 .. $count;
	close $file;
	return;
}

sub hits { return stats($app)->{streamHits} // -1 }
sub is_counted { my ($what) = @_; $app->wait_for(sub { hits() == $lines }, 30); is hits(), $lines, $what; return }

is_deeply [ @{ health($app) }{'status'}, health($app)->{checks}{meter} ], [ 'healthy', "the front server's access log is waited for" ],
	'a front server may begin its log after us';
$app->move_clock(61);
like health($app)->{checks}{meter}, qr{^the access log has not been read for \d+ s; see the log$}, 'a log that does not come is said to be missing';
is health($app)->{status}, 'degraded', 'which is not well';
add(10);
is_counted('what comes is counted');
is health($app)->{checks}{meter}, 'ok', 'and all is well';
unlike $app->log, qr/meter_/, 'one that is begun after us is no event';

# Killed while it reads, and while it is written to, and while it is rotated both ways.
for my $round (1 .. 6) {
	add(20_000);
	sleep 0.02 * $round;
	is $app->kill('meter'), 1, 'the meter is killed' if $app->wait_for(sub { scalar $app->pids('meter') }, 15);
	add(100);
	rename $log, "$log.1" if $round == 2;
	if ($round == 4) {
		system 'cp', $log, "$log.2";
		truncate $log, 0;
	}
	add(10);
}
$app->wait_for(sub { $app->move_clock(70); hits() == $lines }, 40);
is hits(), $lines, 'after kills and rotations each line has been counted once';
is health($app)->{checks}{meter} && $app->get('/metrics')->body =~ /^sluice_access_log_losses_total (\d+)$/m ? $1 : -1, 0, 'nothing is missing';

# Nobody reads for a while, and then there is much: it is done in little memory.
$app->stop;
add(100_000);
$app->start;
is_counted('a backlog is worked off');
my ($meter) = $app->pids('meter');
open my $status, '<', "/proc/$meter/status" or die;
my ($kb) = map { /^VmHWM:\s*(\d+)/ ? $1 : () } <$status>;
cmp_ok $kb, '<', App::sanitized() ? 400_000 : 20_000, 'in less than 20 MB';
my ($ticks) = (split ' ', App::_slurp("/proc/$meter/stat"))[13];
diag sprintf 'the meter took %.1f s of a processor for a million lines', $ticks / 100 * 10;

# --- in sums -----------------------------------------------------------------------------------------
my $day = time - 3 * 86_400;    # another month, maybe
my $at = log_time($day);
open my $days, '>>', $log or die;
print $days map { "127.0.0.1 h - [$at] \"GET $_->[0]\" 200 $_->[1] 0.001 $_->[2]\n" }
	[ "/api/hls/vod-7/$ver/720p/1.m4s", 2_000_000_000, '-' ], [ "/api/hls/vod-7/$ver/480p/1.m4s", 1_000_000_000, 'MISS' ],
	[ "/api/hls/vod-8/$ver/720p/1.m4s", 500_000_000, 'HIT' ], [ '/api/live', 500_000_000, 'MISS' ];
close $days;
$lines += 2;
is_counted('another day');
my $year = $app->get('/api/stats/bandwidth?period=year')->json;
is_deeply [ map { [ @{$_}{qw(id bytesServed hits misses)} ] } grep { $_->{id} ne 'live-8' } @{ $year->{byTitle} } ],
	[ [ 'vod-7', 3_000_000_000, 1, 1 ], [ 'vod-8', 500_000_000, 1, 0 ] ], 'bytes by title';
is_deeply [ map { $_->{rendition} } @{ $year->{byRendition} } ], [ '720p', '480p' ], 'by rendition';
my ($then) = grep { $_->{day} eq POSIX::strftime('%Y-%m-%d', gmtime $day) } @{ $year->{byDay} };
is $then->{bytesServed}, 4_000_000_000, 'by day';
my $sum = 0;
$sum += $_->{bytesServed} for @{ $year->{byDay} };
is $year->{bytesServed}, $sum, 'which make up the whole';
is $year->{bytesSaved}, $year->{bytesServed}, 'of which nothing was fetched';
is $year->{hitRate} < 1 && $year->{hitRate} > 0.99 ? 1 : $year->{hitRate}, 1, 'and next to nothing made';
cmp_ok abs($year->{cost} - $sum / 2**30 * 0.1), '<', 0.01, 'at a price';
my $month = $app->get('/api/stats/bandwidth')->json;
is $month->{cost}, 0, 'a month\'s first 100 GB are free';
is $month->{budget}{limit}, 500 * 2**30, 'the budget is told';
cmp_ok $month->{budget}{forecast}, '>=', $month->{budget}{used}, 'and what will be used of it';

# What is no line.
open my $nonsense, '>>', $log or die;
print $nonsense "nonsense\n", "\xff\0\n";
close $nonsense;
add(1);
is_counted('nonsense is left out');
is +($app->get('/metrics')->body =~ /^sluice_access_log_lines_unread_total (\d+)$/m)[0], 2, 'and counted';
$app->write_conf(access_log => '');
is +($app->command('reload'))[0], 0, 'the log is taken away by a reload';
ok $app->wait_for(sub { !$app->pids('meter') }, 15, 'the meter to end'), 'and nobody reads it any more';
$app->stop;
done_testing;
