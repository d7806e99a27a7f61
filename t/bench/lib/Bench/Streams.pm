# t/bench/lib/Bench/Streams.pm - streams that lie elsewhere: a crowd at a cold one, and a seek in a large one.
# SPDX-License-Identifier: BSD-2-Clause
#
# The origin is t/lib/Gateway.pm, one process. The baseline of the crowd is the same crowd at a file that the
# same front server sends by itself, and one request to the origin beside it; that of the seek is the same
# part asked of the origin.
package Bench::Streams;
use strict;
use warnings;
use File::Temp ();
use Time::HiRes qw(time);
use App;
use App::Client;
use Gateway;
use Gateway::Source;
use Bench;
use Bench::Files;

my $CLIENTS   = 500;
my $SIZE      = 2_000_000;
my $LARGE     = 1_000_000_000;
my $PART      = 65_536;
my $PROCESSES = 8;
my $TURNS     = 3;

sub run {
	my $dir     = File::Temp->newdir;
	my $gateway = Gateway->new(dir => "$dir");
	my $edge    = $gateway->edge_port;
	my $app = App->new(import => 0, conf => { stream_quota => '8G', relay_processes => $PROCESSES, relay_threads => 250, log_level => 'info' },
		sources => [ { name => 'v', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"], url => "http://127.0.0.1:$edge/virtual/{id}/x" } ]);
	return (crowd($gateway, $app), seek_far($gateway, $app));
}

sub bytes {
	my ($size) = @_;
	return substr join('', map { Gateway::Source::block(undef, $_) } 0 .. int($size / 65_536)), 0, $size;
}

# Objects of slightly different sizes, so that each is cold once.
sub crowd {
	my ($gateway, $app) = @_;
	my $target = Bench::Files::put($app, '/tv/live-bench/' . 'cd' x 16 . '/720p/1.ts', bytes($SIZE));
	my (@ours, @plain, @origin);
	my $fetched = 0;
	for my $turn (1 .. $TURNS) {
		my $size = $SIZE + $turn;
		my $seen = Bench::load('-c', $CLIENTS, '-n', $CLIENTS, $app->port, "/cdn/stream/$size");
		my $answers = join ', ', map { "$seen->{statuses}{$_} of $_" } sort keys %{ $seen->{statuses} };
		die "/cdn/stream/$size: $seen->{broken} broken, $answers\n" if $seen->{broken} || ($seen->{statuses}{200} // 0) != $CLIENTS;
		push @ours, { last_ms => $seen->{max_us} / 1000 };
		$fetched += $gateway->counts->{virtual}{$size}{bytes} / $size / $TURNS;
		push @plain, { last_ms => Bench::load('-c', $CLIENTS, '-n', $CLIENTS, $app->port, $target)->{max_us} / 1000 };
		push @origin, { last_ms => 1000 * took($gateway->edge_port, '/virtual/' . ($size + 100) . '/x') };
	}
	my ($we, $they, $origin) = map { Bench::medians(@$_)->{last_ms} } \@ours, \@plain, \@origin;
	return Bench::row("$CLIENTS clients, $PROCESSES processes, one cold object of 2 MB",
		sprintf('each byte fetched %.2f times, last after %.0f ms', $fetched, $we),
		sprintf('%.0f ms (the same from a file), origin %.0f ms', $they, $origin),
		'each byte once, ≤ 1.3 × (file + origin)', $fetched == 1 && $we <= 1.3 * ($they + $origin) ? 1 : 0);
}

sub took {
	my ($port, $target, @headers) = @_;
	my $begun = time;
	my $reply = App::Client::http($port, GET => $target, \@headers);
	die "$target: " . $reply->status . "\n" unless $reply->status =~ /^20[06]$/;
	return time - $begun;
}

sub seek_far {
	my ($gateway, $app) = @_;
	my (@ours, @origin);
	my $over = 0;
	for my $turn (1 .. $TURNS) {
		my $size  = $LARGE + $turn;
		my $first = int($size * 0.9);
		my @part  = (Range => "bytes=$first-" . ($first + $PART - 1));
		push @ours, { ms => 1000 * took($app->port, "/cdn/stream/$size", @part) };
		my $bytes = $gateway->counts->{virtual}{$size}{bytes};
		$over = $bytes if $bytes > $over;
		push @origin, { ms => 1000 * took($gateway->edge_port, "/virtual/$size/x", @part) };
	}
	my ($we, $they) = map { Bench::medians(@$_)->{ms} } \@ours, \@origin;
	return Bench::row('64 KiB at nine tenths of a cold 1 GB', sprintf('%.1f ms, at most %.0f KiB fetched', $we, $over / 1024),
		sprintf('%.1f ms (the origin)', $they), '≤ 10 ms + origin, ≤ the part and a block on each side',
		$we <= 10 + $they && $over <= $PART + 2 * 262_144 ? 1 : 0);
}

1;
