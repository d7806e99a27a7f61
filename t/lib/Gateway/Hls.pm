# t/lib/Gateway/Hls.pm - the gateway's channels as HLS: playlists, segments, keys, and what goes wrong there.
# SPDX-License-Identifier: BSD-2-Clause
#
# /live/USER/PASSWORD/ID.m3u8 leads to /hls/TOKEN/index.m3u8 at the edge (and with the fault `hls` so
# does ID.ts). Segments are cut at whatever packet the time has come for, a second each, and numbered by
# the channel's clock, so that every token shows the same. What else there is, by the keys of
# Gateway::Faults:
#   hls_window=N   segments that a list has (6)      hls_segment=2s  how long they are
#   hls_master     index.m3u8 lists variants         hls_pad=N       so many bytes of comments more
#   hls_token=WORD segment: each address has a token for 8 s; poll: the addresses of a list die with
#                  the second list after it
#   hls_frozen     nothing new is listed             hls_ended       the list says so
#   hls_key=WORD   AES-128: good; iv: with a vector; wrong: another key is given; short: 5 bytes;
#                  sample: another method is said
#   hls_urls=WORD  relative (the usual), path, absolute, host (another host), file, gopher, private
#   hls_dead=NAME  the list of that variant is not there: high or low, of a master
#   hls_break      a DISCONTINUITY before each segment whose timestamps have jumped
#   hls_fmp4       MP4 segments, those of DIR/fmp4 (see t/odd-media)   hls_apart  and the sound apart
#   hls_packed     sound without a container, that of DIR/packed.aac; with hls_apart the sound alone
# /_ctl/set hls_sequence=N adds N to the numbers; /_ctl/clock moves the window.
package Gateway::Hls;
use strict;
use warnings;
use Gateway::Ts;

my @KEY = map { join '', map { chr(($_ * 7 + 3) % 256) } @$_ } [ 1 .. 16 ], [ 2 .. 17 ];

# What is asked for below /hls/TOKEN/: (kind, sub ($wrong) -> reply), or nothing.
sub route {
	my ($server, $request, $token, $what) = @_;
	my $reply = sub { my ($do, @more) = @_; return sub { _checked($server, $request, $token, $_[0], $do, @more) } };
	return ('list', $reply->(\&_index)) if $what eq 'index.m3u8';
	return ('list', $reply->(\&_list, $1)) if $what =~ /^(high|low|sound|picture)\.m3u8$/;
	return ('key', $reply->(\&_key)) if $what eq 'key';
	return ('segment', $reply->(\&_init, $1)) if $what =~ /^(all|sound|picture)\.mp4$/;
	return ('segment', $reply->(\&_segment, $1, $2, $3)) if $what =~ m{^(?:p(\w+)/)?(all|sound|picture)/(\d+)\.(?:ts|m4s|aac)$};
	return;
}

sub _checked {
	my ($server, $request, $token, $wrong, $do, @more) = @_;
	my $age = $server->time - $token->{issued};
	my $dead = $token->{revoked} || $wrong->{token_dead} && $age >= $wrong->{token_dead};
	my $life = $wrong->{token_life} // $server->{settings}{token_life};
	if ($dead || !$token->{uses} && $age > $life) {
		$server->of('live', $token->{id})->{refused}++;
		return { %{ $server->page(404) }, status => 403 };
	}
	$token->{uses}++;
	return $do->($server, $request, $token, $wrong, @more);
}

sub _text {
	my ($type, $body) = @_;
	return { status => 200, headers => [ 'Content-Type' => $type, 'Cache-Control' => 'no-store' ], body => $body };
}
sub _playlist { return _text('application/vnd.apple.mpegurl', join '', map { "$_\n" } @_) }

sub _index {
	my ($server, $request, $token, $wrong) = @_;
	return _list($server, $request, $token, $wrong, 'high') if !$wrong->{hls_master} && !$wrong->{hls_apart};
	return _playlist('#EXTM3U', '#EXT-X-VERSION:6',
		'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Sound",LANGUAGE="eng",DEFAULT=YES,URI="sound.m3u8"',
		'#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS="avc1.42c01e,mp4a.40.2",AUDIO="a"', 'picture.m3u8')
		if $wrong->{hls_apart};
	my $urls = $wrong->{hls_urls} // '';
	return _playlist('#EXTM3U',
		'#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=320x180,CODECS="avc1.42c00d,mp4a.40.2"', 'low.m3u8',
		'#EXT-X-STREAM-INF:BANDWIDTH=5800000,RESOLUTION=1920x1080,CODECS="avc1.640028,mp4a.40.2"', 'missing.m3u8',
		'#EXT-X-STREAM-INF:BANDWIDTH=2400000,RESOLUTION=426x240,CODECS="avc1.42c015,mp4a.40.2"',
		($urls eq 'host' ? "http://localhost:$server->{edge_port}/hls/$token->{token}/" : '') . 'high.m3u8');
}

# What a segment is called in the list.
sub _address {
	my ($server, $token, $wrong, $which, $n, $suffix) = @_;
	my $name = "$which/$n.$suffix";
	my $way = $wrong->{hls_token} // '';
	$name = "p$token->{polls}[-1]/$name" if $way eq 'poll';
	$name .= '?t=' . ($token->{for}{$n} = join '', int($server->time), map { ('a' .. 'z')[ rand 26 ] } 1 .. 8) if $way eq 'segment';
	my %before = (
		path => "/hls/$token->{token}/", absolute => $server->edge_url . "/hls/$token->{token}/",
		host => "http://localhost:$server->{edge_port}/hls/$token->{token}/",
		file => 'file:///etc/', gopher => "gopher://127.0.0.1:$server->{edge_port}/", private => 'http://10.0.0.1:1/',
	);
	return ($before{ $wrong->{hls_urls} // '' } // '') . $name;
}

sub _list {
	my ($server, $request, $token, $wrong, $name) = @_;
	return $server->page(404) if $name eq ($wrong->{hls_dead} // '');
	my $which = $name =~ /^(?:sound|picture)$/ ? $name : 'all';
	my $film = _film($server, $wrong, $which);
	push @{ $token->{polls} }, ++$server->{serial};
	_shift($server, $token->{id}, int($server->time / ($wrong->{hls_segment} // 1)) - 1);
	my $seconds = $film ? $film->seconds : $wrong->{hls_segment} // 1;
	my $last = $wrong->{hls_frozen} ? $token->{frozen} //= int($server->time / $seconds) - 1 : int($server->time / $seconds) - 1;
	my $first = $last - ($wrong->{hls_window} // 6) + 1;
	my $zero = int($server->{started} / $seconds) - 100;    # where the numbers begin
	my @lines = ('#EXTM3U', '#EXT-X-VERSION:6', '#EXT-X-TARGETDURATION:' . int($seconds + 0.999),
		'#EXT-X-MEDIA-SEQUENCE:' . ($first - $zero + ($server->{settings}{hls_sequence} || 0)));
	push @lines, '# ' . 'x' x 998 for 1 .. ($wrong->{hls_pad} // 0) / 1000;
	push @lines, qq{#EXT-X-MAP:URI="$which.mp4"} if $film && $film->init($which);
	my $iv = ($wrong->{hls_key} // '') eq 'iv' ? ',IV=0x' . _iv(0, 1) : '';
	my $method = ($wrong->{hls_key} // '') eq 'sample' ? 'SAMPLE-AES' : 'AES-128';
	push @lines, qq{#EXT-X-KEY:METHOD=$method,URI="key"$iv} if $wrong->{hls_key};
	for my $n ($first .. $last) {
		push @lines, '#EXT-X-DISCONTINUITY' if $wrong->{hls_break} && _shift($server, $token->{id}, $n) != _shift($server, $token->{id}, $n - 1);
		push @lines, sprintf('#EXTINF:%.3f,', $seconds), _address($server, $token, $wrong, $which, $n, $film ? $film->suffix : 'ts');
	}
	push @lines, '#EXT-X-ENDLIST' if $wrong->{hls_ended};
	return _playlist(@lines);
}

# Whose segments they are: undef, the channel's own.
sub _film {
	my ($server, $wrong, $which) = @_;
	if ($wrong->{hls_packed} && $which ne 'picture') {
		require Gateway::Packed;
		return $server->{packed} //= Gateway::Packed->load("$server->{dir}/odd/packed.aac");
	}
	return unless $wrong->{hls_fmp4};
	require Gateway::Fmp4;
	return $server->{film} //= Gateway::Fmp4->load("$server->{dir}/odd/fmp4");
}

sub _iv { my ($n, $said) = @_; return sprintf '%016x%016x', $said ? 0xfeed : 0, $n }

sub _key {
	my ($server, $request, $token, $wrong) = @_;
	my $key = $KEY[ ($wrong->{hls_key} // '') eq 'wrong' ? 1 : 0 ];
	return _text('application/octet-stream', ($wrong->{hls_key} // '') eq 'short' ? substr $key, 0, 5 : $key);
}

sub _init {
	my ($server, $request, $token, $wrong, $which) = @_;
	return _text('video/mp4', _film($server, $wrong, $which)->init($which));
}

# A token of the list that named it, where there are such.
sub _may {
	my ($server, $request, $token, $wrong, $poll, $n) = @_;
	my $way = $wrong->{hls_token} // '';
	my @polls = @{ $token->{polls} // [] };
	return !!grep { $_ eq ($poll // '') } grep { defined } @polls[ -2, -1 ] if $way eq 'poll' && @polls > 1;
	return ($poll // '') eq $polls[0] if $way eq 'poll';
	return 1 if $way ne 'segment';
	my ($since) = ($request->{params}{t} // '') =~ /^(\d+)[a-z]{8}$/;
	return defined $since && $server->time - $since < 8;
}

sub _segment {
	my ($server, $request, $token, $wrong, $poll, $which, $n) = @_;
	return { %{ $server->page(404) }, status => 403 } unless _may($server, $request, $token, $wrong, $poll, $n);
	my ($refused, $stream) = Gateway::Edge::enter($server, $request, $token);
	return { %{ $server->page(404) }, status => $refused } if $refused;
	my $zero;
	my $bytes;
	if (my $film = _film($server, $wrong, $which)) {
		$bytes = $film->segment($which, $n);
		$zero = int($server->{started} / $film->seconds) - 100;
	} else {
		my $seconds = $wrong->{hls_segment} // 1;
		$bytes = _cut($server, $token->{id}, $n, $seconds);
		$zero = int($server->{started} / $seconds) - 100;
	}
	my $sequence = $n - $zero + ($server->{settings}{hls_sequence} || 0);
	$bytes = _encrypt($bytes, ($wrong->{hls_key} eq 'iv' ? _iv(0, 1) : _iv($sequence))) if $wrong->{hls_key};
	my $reply = _text($wrong->{hls_fmp4} ? 'video/mp4' : 'video/mp2t', $bytes);
	return { %$reply, close => 1, Gateway::Edge::entered($server, $stream) };
}

# What is added to the timestamps of segment $n: as it was when that was first listed.
sub _shift {
	my ($server, $id, $n) = @_;
	return $server->{shifts}{$id}{$n} //= (3600 - $server->{started}) * 90_000 + ($server->{timeline}{$id} // 0);
}

# The packets that go out in the second number $n, with the timestamps that they first had.
sub _cut {
	my ($server, $id, $n, $seconds) = @_;
	my $clip = $server->clip($id);
	my ($from, $to) = map { $clip->at($_ * $seconds * 90_000) } $n, $n + 1;
	my $shift = _shift($server, $id, $n);
	my $bytes = '';
	while ($from < $to) {
		my $piece = $clip->packets($from, $to - $from, $shift);
		$from += length($piece) / Gateway::Ts::PACKET;
		$bytes .= $piece;
	}
	return $bytes;
}

# By the openssl command: Perl's own modules have no AES.
sub _encrypt {
	my ($bytes, $iv) = @_;
	local $SIG{PIPE} = 'DEFAULT';
	my $path = "/tmp/gateway-$$.bin";
	open my $file, '>:raw', $path or die "$path: $!\n";
	print $file $bytes;
	close $file;
	my $key = unpack 'H*', $KEY[0];
	open my $pipe, '-|:raw', 'openssl', 'enc', '-aes-128-cbc', '-K', $key, '-iv', $iv, '-in', $path or die "openssl: $!\n";
	my $out = do { local $/; <$pipe> };
	close $pipe;
	unlink $path;
	return $out;
}

1;
