# t/bench/lib/Bench/Resolve.pm - what is known of a page against asking for it, and first bytes of streams.
# SPDX-License-Identifier: BSD-2-Clause
#
# The program that resolves is a shell script, which is some hundred times faster than any that asks a
# web site: what remains is what the service itself costs.
package Bench::Resolve;
use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes qw(time);
use App;
use Gateway;
use Resolver;
use Songs;
use Bench;

my $PAGES    = 40;
my $GOAL     = 10;     # times as fast
my $WARM_MS  = 50;
my $SEEN_MS  = 100;    # in a browser
my $SONGS    = 20;
my $COLD_MS  = 100;    # beside the resolver's own time
my $TOKEN    = 'let-me-in';    # only who has it may name a page

sub run {
	my $gateway = Gateway->new;
	my $edge = $gateway->edge_port;
	my $resolver = Resolver->new(base => "http://127.0.0.1:$edge/virtual/3M");
	my $app = App->new(import => 0, sources => [ $resolver->source(allow => ["127.0.0.1/32:$edge"]) ],
		conf => { log_level => 'info', rate_video_info => 'none', rate_api => 'none', resolvers => 1, admin_token => $TOKEN });
	my $alone = median(map { timed(sub { system "$resolver->{dir}/resolver -- https://tube.example/x/watch >/dev/null" }) } 1 .. $PAGES);
	first_byte($app, 'GET', '/cdn/stream/begin');    # the processes that are started by the first request
	my @cold = map { first_byte($app, 'POST', '/api/video-info', qq({"url":"https://p.example/$_"})) } 1 .. $PAGES;
	my @known = map { first_byte($app, 'POST', '/api/video-info', qq({"url":"https://p.example/$_"})) } 1 .. $PAGES;
	my ($cold, $known) = map { median(@$_) } \@cold, \@known;
	my @new = map { first_byte($app, 'GET', "/cdn/stream/track-$_") } 1 .. $PAGES;
	my @warm = map { first_byte($app, 'GET', "/cdn/stream/track-$_") } 1 .. $PAGES;
	my ($new, $warm) = map { median(@$_) } \@new, \@warm;
	return (
		Bench::row("video-info of $PAGES pages, known", sprintf('%.1f ms', $known), sprintf('%.1f ms, resolved (the program alone: %.1f ms)', $cold, $alone),
			sprintf('≥ %d× as fast: %.0f×', $GOAL, $cold / $known), $cold >= $GOAL * $known ? 1 : 0),
		Bench::row("first byte of $PAGES streams, warm, through a worker", sprintf('%.1f ms, the slowest %.1f ms', $warm, most(@warm)), '',
			"≤ $WARM_MS ms", most(@warm) <= $WARM_MS ? 1 : 0),
		Bench::row("first byte of $PAGES streams, cold", sprintf('%.1f ms, the slowest %.1f ms', $new, most(@new)), sprintf('%.1f ms (the resolver alone)', $alone),
			"≤ the resolver's time + $COLD_MS ms", $new <= $alone + $COLD_MS ? 1 : 0),
		in_browser(),
	);
}

# In Chromium, behind lighttpd: streams whose first bytes were fetched ahead, and a file of the front
# server's beside them. Browser and service share the machine.
sub in_browser {
	my $node = App::which('node') or return Bench::row('first byte in Chromium', 'node is not installed', '', '', undef);
	my $songs = Songs->new(count => $SONGS + 1, seconds => 5) or return Bench::row('first byte in Chromium', 'ffmpeg is not installed', '', '', undef);
	Bench::use_cores('0,1');
	my $app = App->new($songs->app(via => 'lighttpd', conf => { log_level => 'info', stream_quota => '1G' }));
	for my $id ($songs->ids) {
		$app->wait_for(sub { $app->get("/prefetch?v=$id")->json->{status} eq 'warm' }, 20, "$id to be warm") or die "$id is not made ready\n";
	}
	Bench::write_file($app->www . '/song.wav', Bench::read_file($songs->file));
	my $streams = seen($node, $app, map { "/cdn/stream/$_" } $songs->ids);
	my $file = seen($node, $app, map { "/song.wav?$_" } 0 .. $SONGS);
	return map {
		my ($how, $what, $goal) = @$_;
		my @ms = map { $_->{$how} } @$streams;
		Bench::row("$what, $SONGS streams, warm, in Chromium", sprintf('%.1f ms, the slowest %.1f ms', median(@ms), most(@ms)),
			sprintf('%.1f ms, the slowest %.1f ms (a file of lighttpd)', median(map { $_->{$how} } @$file), most(map { $_->{$how} } @$file)),
			$goal ? "≤ $goal ms" : '', $goal ? (most(@ms) <= $goal ? 1 : 0) : undef);
	} [ script => 'first byte', $SEEN_MS ], [ sound => 'until an <audio> knows what it plays' ];
}

sub seen {
	my ($node, $app, @paths) = @_;
	my $said = qx{$node @{[Bench::srcdir()]}/t/browser/first.mjs http://127.0.0.1:@{[$app->port]} @{[map { "'$_'" } @paths]}};
	my $seen = eval { JSON::PP->new->decode($said) } or die "nothing was seen in Chromium\n";
	die "$seen->{skip}\n" if ref $seen eq 'HASH';
	return $seen;
}

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[ @sorted / 2 ] }
sub most { my @sorted = sort { $b <=> $a } @_; return $sorted[0] }
sub timed { my ($do) = @_; my $begun = time; $do->(); return (time - $begun) * 1000 }

# Milliseconds until the first byte of the answer's body is there.
sub first_byte {
	my ($app, $method, $target, $body) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $app->port) or die "connect: $!\n";
	$body //= '';
	my $begun = time;
	syswrite $socket, "$method $target HTTP/1.1\r\nHost: x\r\nX-Sluice-Token: $TOKEN\r\nConnection: close\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
	my $answer = '';
	while ($answer !~ /\r\n\r\n./s) {
		sysread $socket, $answer, 16_384, length $answer or die "$target: no answer\n";
	}
	my $ms = (time - $begun) * 1000;
	$answer =~ m{^HTTP/1\.1 200 } or die "$target: " . substr($answer, 0, 15) . "\n";
	1 while sysread $socket, $answer, 262_144;    # the next one begins when this one is through
	return $ms;
}

1;
