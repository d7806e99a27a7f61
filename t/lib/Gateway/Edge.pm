# t/lib/Gateway/Edge.pm - redirects to the edge, tokens, and what the edge streams.
# SPDX-License-Identifier: BSD-2-Clause
package Gateway::Edge;
use strict;
use warnings;
use Gateway::Faults;
use Gateway::Http;
use Gateway::Source;

my %TYPE = (mkv => 'video/x-matroska', mp4 => 'video/mp4', avi => 'video/x-msvideo');

# A play URL at the gateway: a new token and where to use it.
sub redirect {
	my ($server, $request, $wrong, $folder, $user, $password, $id, $suffix) = @_;
	my $account = $server->account($user, $password) or return $server->page(404);
	return $server->page(404) if ($account->{status} // 'Active') ne 'Active';
	my $kind = $folder eq 'live' ? 'live' : 'vod';
	$id -= 2_356_443_000 if $id > 2_356_443_000;
	my $path = $kind eq 'live' ? ($suffix // 'ts') =~ /^(?:ts|m3u8)$/ && -e "$server->{dir}/ch$id.ts" && "ch$id.ts" : film($server, $id);
	return $server->page(404) unless $path;
	my $of = $server->of($kind, $id);
	if ($request->{method} eq 'HEAD') { $of->{heads}++ } else { $of->{redirects}++ }
	my $over = _over($server, $account);
	if ($over && _full($server, $user, $request, $kind, $id)) {
		$of->{refused}++;
		return { %{ $server->page(404) }, status => $over };
	}
	my $token = _new_token($server, $request, $user, $kind, $id, $path);
	return _location($server, $request, $wrong, "/hls/$token->{token}/index.m3u8")
		if $kind eq 'live' && ($wrong->{hls} || ($suffix // '') eq 'm3u8');
	return _location($server, $request, $wrong, ($kind eq 'live' ? '/auth/' : '/vauth/') . $token->{token});
}

sub film {
	my ($server, $id) = @_;
	my ($path) = grep { -e "$server->{dir}/$_" } map { "$id.$_" } sort keys %TYPE;
	return $path;
}

sub _over { my ($server, $account) = @_; return $account->{over} || $server->{settings}{over} }

# Whether the account has no slot for this viewer, whose own old transfer of the same does not count.
sub _full {
	my ($server, $user, $request, $kind, $id) = @_;
	my $viewer = _viewer($request, $user, $kind, $id);
	my @others = grep { $_->{viewer} ne $viewer } $server->streams_of($user);
	my $max = $server->{accounts}{$user}{max};
	return $max && @others >= $max;
}

sub _viewer {
	my ($request, $user, $kind, $id) = @_;
	return join "\n", $user, $kind, $id, $request->{peer}, $request->{headers}{'user-agent'} // '';
}

sub _new_token {
	my ($server, $request, $user, $kind, $id, $path) = @_;
	my $token = join '', map { ('a' .. 'z', 0 .. 9)[ rand 36 ] } 1 .. 40;
	my $now = $server->time;
	for my $old (grep { $_->{issued} < $now - 86_400 } values %{ $server->{tokens} }) {
		delete $server->{tokens}{ $old->{token} };
	}
	return $server->{tokens}{$token} = {
		token => $token, user => $user, kind => $kind, id => $id, path => $path, issued => $now,
		spec  => $request->{spec}, range => $request->{headers}{range}, uses => 0,
	};
}

sub _location {
	my ($server, $request, $wrong, $path) = @_;
	my $how = $wrong->{location} // '';
	my %where = (
		path => $path, relative => "../../..$path", loop => $request->{target},
		scheme => "ftp://127.0.0.1:$server->{edge_port}$path", host => "http://localhost:$server->{edge_port}$path",
		dead => "http://127.0.0.1:$server->{dead_port}$path", clip => $server->edge_url . '/clip.ts',
	);
	my $location = $where{$how} // $server->edge_url . $path;
	return {
		status  => $wrong->{redirect} // 302,
		headers => [
			$how eq 'none' ? () : (Location => $location),
			'Cache-Control' => 'no-store', 'Content-Type' => 'text/html; charset=utf-8',
		],
		body => '',
	};
}

# The token's own faults go with it, whatever path it is used on.
sub stream_route {
	my ($server, $request, $token) = @_;
	return ($token->{kind}, $token->{id}, sub {
		my ($wrong) = @_;
		my $refused = _token_refused($server, $token, $wrong);
		if ($refused) {
			$server->of($token->{kind}, $token->{id})->{refused}++;
			return { %{ $server->page(404) }, status => $refused };
		}
		return $token->{kind} eq 'live'
			? _live($server, $request, $token, $wrong)
			: _vod($server, $request, $token, $wrong);
	}, $token->{spec});
}

# 0, or the status with which a token is turned away.
sub _token_refused {
	my ($server, $token, $wrong) = @_;
	my $age = $server->time - $token->{issued};
	$token->{dead_at} //= $token->{issued} + $wrong->{token_dead} if $wrong->{token_dead};
	return 403 if $token->{revoked} || defined $token->{dead_at} && $server->time >= $token->{dead_at};
	my $settings = $server->{settings};
	my $life = $wrong->{token_life} // $settings->{ $token->{kind} eq 'live' ? 'token_life' : 'vod_token_life' };
	my $lives = $token->{kind} eq 'vod' && $token->{uses}
		|| grep { $_->{token} eq $token->{token} } values %{ $server->{streams} };
	return $age > $life && !$lives ? 403 : 0;
}

# Enters a transfer into the account's books. Returns the status of a refusal, or 0 and the stream.
sub enter {
	my ($server, $request, $token) = @_;
	my $user   = $token->{user};
	my $viewer = _viewer($request, $user, @$token{qw(kind id)});
	for my $old (grep { $_->{viewer} eq $viewer } $server->streams_of($user)) {
		$server->{http}->end($old->{connection});
	}
	my $account = $server->{accounts}{$user};
	my @open = $server->streams_of($user);
	if ($account->{max} && @open >= $account->{max}) {
		my $over = _over($server, $account);
		return $over if $over;
		$server->{http}->end($open[0]{connection});
	}
	my $of = $server->of($token->{kind}, $token->{id});
	$of->{streams}++;
	$of->{now}++;
	$of->{peak} = $of->{now} if $of->{now} > $of->{peak};
	$token->{uses}++;
	my $serial = ++$server->{serial};
	my $stream = $server->{streams}{$serial} = {
		serial => $serial, user => $user, viewer => $viewer, token => $token->{token}, kind => $token->{kind},
		id => $token->{id}, connection => $request->{connection}, started => $server->time, bytes => 0,
	};
	return (0, $stream);
}

# What every transfer's reply needs: counting, and leaving the books.
sub entered {
	my ($server, $stream) = @_;
	return (
		count => sub {
			$stream->{bytes} += $_[0];
			$server->of(@$stream{qw(kind id)})->{bytes} += $_[0];
		},
		on_end => sub {
			delete $server->{streams}{ $stream->{serial} } or return;
			$server->of(@$stream{qw(kind id)})->{now}--;
		},
	);
}

sub _live {
	my ($server, $request, $token, $wrong) = @_;
	my $headers = [ 'Content-Type' => 'video/mp2t', 'Cache-Control' => 'no-store' ];
	return { status => 200, headers => $headers, close => 1 } if $request->{method} eq 'HEAD';
	my ($refused, $stream) = enter($server, $request, $token);
	return { %{ $server->page(404) }, status => $refused } if $refused;
	my $source = _channel($server, $token->{id}, $wrong);
	if (defined $token->{dead_at}) {
		$source = Gateway::Source->broken($source, after_s => $token->{dead_at} - $server->time, torn => 'cut');
	}
	return { status => 200, headers => $headers, source => $source, close => 1, entered($server, $stream) };
}

sub _channel {
	my ($server, $id, $wrong) = @_;
	my $clip  = $server->clip($id);
	my $time  = sub { $server->time * 90_000 };
	my $begun = $time->();
	my $burst = ($wrong->{burst} // $server->{settings}{burst}) * 90_000;
	my $reset = $wrong->{clock_reset};
	my $first = $clip->at($begun - $burst);
	my $usual = (3600 - $server->{started}) * 90_000;
	my $anew;
	my $shift = sub {
		my $now = $time->();
		return $usual + ($server->{timeline}{$id} // 0) if !$reset || $now < $begun + $reset * 90_000;
		# As when a broadcaster's encoder starts again: its clock begins at 10 s.
		return $anew //= 900_000 - int $now;
	};
	return $clip->source(
		next => $burst ? $clip->start_before($first) : $first,
		time => $time, shift => $shift, lose => $wrong->{lose},
	);
}

sub _vod {
	my ($server, $request, $token, $wrong) = @_;
	my ($suffix) = $token->{path} =~ /(\w+)$/;
	$request->{headers}{range} //= $token->{range} if defined $token->{range};
	my $file  = "$server->{dir}/$token->{path}";
	my $of    = $server->of(@$token{qw(kind id)});
	my $range = $request->{headers}{range};
	push @{ $of->{ranges} }, $range // '';
	shift @{ $of->{ranges} } if @{ $of->{ranges} } > 100;
	return file($request, $wrong, $file, $TYPE{$suffix}) if $request->{method} eq 'HEAD';
	my ($refused, $stream) = enter($server, $request, $token);
	return { %{ $server->page(404) }, status => $refused } if $refused;
	return { %{ file($request, $wrong, $file, $TYPE{$suffix}) }, entered($server, $stream) };
}

# A file with Range.
sub file {
	my ($request, $wrong, $path, $type) = @_;
	my @stat = stat $path or return { status => 404, headers => [], body => '' };
	return ranged($request, $wrong, $stat[7], $stat[9], $type, sub { Gateway::Source->file($path, @_) });
}

# What an expired account is shown instead of its channel: ten seconds of another film.
sub clip {
	my ($request, $wrong, $path) = @_;
	return ranged($request, $wrong, 188 * 14_000, 1_700_000_000, 'video/mp2t', sub { Gateway::Source->file($path, @_) });
}

sub virtual {
	my ($server, $request, $wrong, $size) = @_;
	my $of = $server->{counts}{virtual}{$size} //= { requests => 0, bytes => 0, now => 0, peak => 0 };
	my $reply = ranged($request, $wrong, $size, $wrong->{modified} // 1_700_000_000, 'audio/webm',
		sub { Gateway::Source->virtual(@_) });
	$of->{requests}++;
	$of->{now}++;
	$of->{peak} = $of->{now} if $of->{now} > $of->{peak};
	return { %$reply, count => sub { $of->{bytes} += $_[0] }, on_end => sub { $of->{now}-- } };
}

# $open->($first, $last) gives a source. RFC 9110 section 14, and what panels make of it.
sub ranged {
	my ($request, $wrong, $size, $mtime, $type, $open) = @_;
	my $quirk = $wrong->{range} // '';
	my $text  = $quirk eq 'ignore' ? '' : $request->{headers}{range} // '';
	my ($first, $last, $part) = _range($text, $size, $quirk);
	my @fields = ('Content-Type' => $type, $quirk eq 'ignore' ? () : ('Accept-Ranges' => 'bytes'));
	push @fields, ('Last-Modified' => _date($mtime), ETag => sprintf '"%x-%x"', $size, $mtime)
		unless $wrong->{no_validator};
	return { status => 416, headers => [ @fields, 'Content-Range' => "bytes */$size" ], body => '' }
		unless defined $first;
	my %said = (
		none => undef, star => "bytes $first-$last/*",
		wrong => sprintf('bytes %d-%d/%d', $first + 1, $last + 1, $size),
	);
	my $content_range = exists $said{$quirk} ? $said{$quirk} : "bytes $first-$last/$size";
	push @fields, 'Content-Range' => $content_range if defined $content_range && ($part || $quirk eq 'on200');
	my $length = $last - $first + 1;
	if (defined $wrong->{length}) {
		$length = $wrong->{length} eq 'none' ? undef : $length + $wrong->{length};
	}
	return { status => $part ? 206 : 200, headers => \@fields, source => $open->($first, $last), length => $length };
}

sub _range {
	my ($text, $size, $quirk) = @_;
	return (0, $size - 1, 0) unless $text =~ /^bytes=(\d*)-(\d*)$/ && length "$1$2";
	my ($first, $last) = ($1, $2);
	if (!length $first) {
		($first, $last) = $quirk eq 'prefix' ? (0, $last) : ($last > $size ? 0 : $size - $last, $size - 1);
	}
	$last = $size - 1 if !length $last || $last >= $size;
	return $first > $last ? () : ($first, $last, 1);
}

sub _date {
	my @t = gmtime $_[0];
	return sprintf '%s, %02d %s %d %02d:%02d:%02d GMT', (qw(Sun Mon Tue Wed Thu Fri Sat))[ $t[6] ], $t[3],
		(qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec))[ $t[4] ], $t[5] + 1900, @t[ 2, 1, 0 ];
}

1;
