#!/usr/bin/perl
# t/31-hostile-lists.t - channels whose playlists are an attack: each is refused in words, within bounds, and
# leads nowhere. Addresses that are private are the subject of t/21-private.t.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use POSIX ();
use Test::More;
use App;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
my $origin = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 100, ReuseAddr => 1) or die "nobody can listen: $!\n";
my $at = 'http://127.0.0.1:' . $origin->sockport;

my $head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n";
my $segment = "#EXTINF:4,\n$at/nothing.ts\n";
my $variant = '#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=640x360';
my $too_large = qr/too large/;
# Path => what lies there, and what is said of the channel that it is.
my %list = (
	entries   => [ $head . join('', map { "#EXTINF:4,\n$at/$_.ts\n" } 1 .. 100_000), $too_large ],
	line      => [ $head . '#' . 'x' x 4_000_000, $too_large ],
	variants  => [ "#EXTM3U\n" . "$variant\nv\n" x 20_000, qr/status 404/ ],
	attributes => [ "#EXTM3U\n#EXT-X-STREAM-INF:" . 'A=1,' x 100_000 . "BANDWIDTH=1\nv\n", qr/status 404/ ],
	nested    => [ "#EXTM3U\n$variant\n$at/variants\n", qr/variant is a list of variants/ ],
	itself    => [ "#EXTM3U\n$variant\n$at/itself\n", qr/variant is a list of variants/ ],
	longkey   => [ "$head#EXT-X-KEY:METHOD=AES-128,URI=\"$at/entries\"\n$segment", $too_large ],
	shortkey  => [ "$head#EXT-X-KEY:METHOD=AES-128,URI=\"$at/short\"\n$segment", qr/key is of 1 bytes, not of 16/ ],
	map       => [ "$head#EXT-X-MAP:URI=\"$at/entries\"\n$segment", $too_large ],
	turning   => [ "#EXTM3U\n$variant\n$at/turn\n", qr/redirects/i ],
	ended     => [ "$head#EXT-X-MEDIA-SEQUENCE:99999999999999999999\n#EXTINF:1e308,\n$at/x.ts\n#EXT-X-ENDLIST\n", qr/has ended|nothing to play/ ],
	page      => [ '<html><body>no list</body></html>', qr/is none/ ],
);
for my $scheme (qw(file concat pipe data crypto subfile ftp gopher)) {
	$list{"to_$scheme"} = [ "#EXTM3U\n$variant\n$scheme:///etc/passwd\n", qr/leads to $scheme, which is not fetched|no address/ ];
	$list{"key_$scheme"} = [ "$head#EXT-X-KEY:METHOD=AES-128,URI=\"$scheme:///etc/passwd\"\n$segment", qr/leads to $scheme, which is not fetched|no address/ ] if $scheme =~ /^[fd]/;
}

sub serve {
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	$SIG{PIPE} = $SIG{CHLD} = 'IGNORE';
	while (1) {
		my $client = $origin->accept or next;
		next if fork;
		sysread $client, my $request, 8192;
		my ($path) = $request =~ m{^GET /(\S+)};
		my $body = $path eq 'channels' ? "#EXTM3U\n" . join('', map { "#EXTINF:-1,$_\n$at/$_\n" } sort keys %list)
			: $path eq 'short' ? 'x' : $list{$path} && $list{$path}[0];
		print $client $path eq 'turn' ? "HTTP/1.1 302 Found\r\nLocation: /turn\r\nContent-Length: 0\r\n\r\n"
			: defined $body ? "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\nContent-Length: " . length($body) . "\r\n\r\n$body"
			: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
		POSIX::_exit(0);
	}
}
my $server = serve();
my $app = App->new(via => 'fastcgi', conf => { ladder => '240p', slate_dir => '', api_threads => 32, live_idle => '300s' },
	sources => [ { name => 'x', type => 'm3u', url => "$at/channels", allow => ['127.0.0.1/32'] } ]);
my %id = map { $_->{name} => $_->{id} } @{ $app->get('/api/live?limit=100')->json->{channels} };
is_deeply [ sort keys %id ], [ sort keys %list ], 'the channels are there';
my @ids = values %id;
App::parallel(scalar @ids, sub { return $app->get("/api/hls/$ids[ $_[0] - 1 ]/240p.m3u8")->status });
for my $what (sort keys %id) {
	my $line = qr/ source_lost channel=\Q$id{$what}\E .*$list{$what}[1]/;
	ok $app->wait_for(sub { $app->log =~ $line || !$app->get("/api/hls/$id{$what}/240p.m3u8") }, 30, "$what to be refused"), "$what is refused in words"
		or diag join "\n", grep { /\Q$id{$what}\E/ && !/ request / } split /\n/, $app->log;
}

# The most memory that a process has had, in KiB.
sub peak {
	my ($pid) = @_;
	open my $in, '<', "/proc/$pid/status" or return 0;
	return (map { /^VmHWM:\s+(\d+)/ ? $1 : () } <$in>)[0] // 0;
}
my ($most) = sort { $b <=> $a } map { peak($_) } $app->pids('live');
cmp_ok $most // 0, '>', 0, 'they are still tried';
cmp_ok $most, '<', 40_000, "which took none of them more than $most KiB" unless App::sanitized();
unlike $app->log, qr/ died |root:/, 'nobody died of it';

kill 'KILL', $server;
waitpid $server, 0;
done_testing;
