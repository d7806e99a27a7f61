# t/bench/lib/Bench/Files.pm - a published file through the shipped configuration, and plainly.
# SPDX-License-Identifier: BSD-2-Clause
#
# The baselines are the same server with as short a configuration as sends files, and the same files:
# one that says nothing about them, and one that says what players in a browser need (CORS) and how
# long caches may keep them. Both keep an access log, as the shipped configuration does. Many short
# turns, because a microsecond is looked for.
package Bench::Files;
use strict;
use warnings;
use File::Path qw(make_path);
use App;
use Bench;
use Bench::Plain;

my $VERSION = '0123456789abcdef' x 2;

my $TURNS   = 31;
my $SECONDS = 0.12;

sub run {
	local ($Bench::RUNS, $Bench::SECONDS) = ($TURNS, $SECONDS);
	return map { server($_) } Bench::fronts();
}

sub server {
	my ($front) = @_;
	my $app = App->new(via => $front);
	my @servers = { name => $front, port => $app->port, sessions => [ $app->sessions ] };
	for my $open (0, 1) {
		my $plain = Bench::Plain->start($app, $front, $app->www, $open);
		push @servers, { name => $plain->{name}, port => $plain->{port}, sessions => [ $plain->{session} ] };
	}
	return map { file($_, @servers) } cases($app);
}

# What is asked for: a name, the address, the file with the body that must come, more.
sub cases {
	my ($app) = @_;
	my $segment = Bench::noise(200_000);
	my $list = "#EXTM3U\n#EXT-X-VERSION:6\n" . join('', map { "#EXTINF:6.00000,\n$_.ts\n" } 1 .. 24);
	$list = substr($list, 0, 437) . "\n";
	my $at = put($app, "/api/hls/vod-1/$VERSION/720p/index.m3u8", $list);
	my $ts = put($app, "/tv/live-bench/$VERSION/720p/1.ts", $segment);
	my $part = Bench::write_file($app->dir . '/part', substr $segment, 50_000, 100_000);
	return (
		[ 'playlist, 438 bytes', $at, $app->www . $at ],
		[ 'segment, 200 kB', $ts, $app->www . $ts ],
		[ 'half of it, by Range', $ts, $part, status => 206, headers => ['Range: bytes=50000-149999'] ],
	);
}

sub put {
	my ($app, $address, $bytes) = @_;
	make_path(($app->www . $address) =~ s{/[^/]*$}{}r);
	Bench::write_file($app->www . $address, $bytes);
	return $address;
}

sub file {
	my ($case, @servers) = @_;
	my ($what, $target, $body, %more) = @$case;
	my ($we, $plain, $open) = Bench::compare(map { +{ %$_, target => $target, body => $body, %more } } @servers);
	my ($cost, $rate) = (1 / $plain->{costs}, 1 / $plain->{rates});
	return Bench::row("$servers[0]{name}: $what", told($we),
		told($plain) . sprintf(' (plain); %.1f µs (plain, with the same headers)', $open->{us}),
		sprintf('≤ 1.05× the cost: %.2f× (with the same headers %.2f×), ≥ 0.95× the rate: %.2f×', $cost, 1 / $open->{costs}, $rate),
		$cost <= 1.05 && $rate >= 0.95 ? 1 : 0);
}

sub told {
	my ($seen) = @_;
	my $gb = $seen->{s_per_gb} < 5 ? sprintf(', %.2f s/GB', $seen->{s_per_gb}) : '';
	return sprintf '%.1f µs%s, %.0f/s', $seen->{us}, $gb, $seen->{rate};
}

1;
