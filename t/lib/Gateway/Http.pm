# t/lib/Gateway/Http.pm - the gateway's event loop and its HTTP/1.1.
# SPDX-License-Identifier: BSD-2-Clause
#
# One thread, no blocking: a slow viewer costs a socket and a few kilobytes.
#
#   my $http = Gateway::Http->new;
#   my $port = $http->listen($port_or_0, 'gateway', sub { my ($request) = @_; return \%reply });
#   $http->run;                       # until $http->stop
#
# A request: {method target path query params headers (names in lower case) pairs body peer side}.
# A reply:   {status, headers => [name => value, ...]} and of these what it needs:
#   body       bytes                     source   a Gateway::Source instead of bytes
#   length     Content-Length for source; without one the body ends with the connection
#   chunked    true: the source goes out in chunks
#   before     sources to be sent before the head (waiting is one)
#   head_rate  bytes/s at which the head drips       body_delay  seconds between head and body
#   raw        these bytes instead of a head          close       true: no keep-alive
#   count      sub ($bytes) called as body bytes go   on_end      sub () once, however it ends
package Gateway::Http;
use strict;
use warnings;
use IO::Socket::INET;
use Socket  qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Errno   qw(EAGAIN EINTR EWOULDBLOCK);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
use Gateway::Source;

my $AHEAD = 65_536;        # bytes taken from a source before the socket has taken the last ones
my $MOST_HEAD = 262_144;
my $MOST_BODY = 4_194_304;

my %REASON = (
	200 => 'OK', 204 => 'No Content', 206 => 'Partial Content', 301 => 'Moved Permanently',
	302 => 'Found', 303 => 'See Other', 304 => 'Not Modified', 307 => 'Temporary Redirect',
	308 => 'Permanent Redirect', 400 => 'Bad Request', 403 => 'Forbidden', 404 => 'Not Found',
	405 => 'Method Not Allowed', 416 => 'Range Not Satisfiable', 429 => 'Too Many Requests',
	500 => 'Internal Server Error', 503 => 'Service Unavailable',
);

sub new {
	my ($class) = @_;
	return bless { listeners => [], connections => {}, running => 1 }, $class;
}

sub now { return clock_gettime(CLOCK_MONOTONIC) }

# Takes a bound listening socket, or a port to bind on loopback. Returns the port.
sub listen {
	my ($self, $where, $side, $handler) = @_;
	my $socket = ref $where ? $where : listener($where);
	$socket->blocking(0);
	push @{ $self->{listeners} }, { socket => $socket, side => $side, handler => $handler };
	return $socket->sockport;
}

sub listener {
	my ($port) = @_;
	return IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		LocalPort => $port,
		Listen    => 1024,
		ReuseAddr => 1,
	) || die "cannot listen on 127.0.0.1:$port: $!\n";
}

# Calls $code when the handle is readable; used to notice that the parent has gone.
sub watch {
	my ($self, $handle, $code) = @_;
	$self->{watched} = { handle => $handle, code => $code };
	return;
}

sub stop { $_[0]{running} = 0; return }

sub run {
	my ($self) = @_;
	local $SIG{PIPE} = 'IGNORE';
	$self->turn while $self->{running};
	return;
}

sub turn {
	my ($self) = @_;
	my ($reads, $writes) = ('', '');
	my $now  = now();
	my $wake = $now + 1;
	vec($reads, fileno $_->{socket}, 1) = 1 for @{ $self->{listeners} };
	vec($reads, fileno $self->{watched}{handle}, 1) = 1 if $self->{watched};
	for my $c (values %{ $self->{connections} }) {
		vec($reads,  $c->{fd}, 1) = 1;
		vec($writes, $c->{fd}, 1) = 1 if $c->{blocked};
		$wake = $c->{wake} if defined $c->{wake} && $c->{wake} < $wake;
	}
	my $ready = select $reads, $writes, undef, $wake > $now ? $wake - $now : 0;
	$now = now();
	if ($ready > 0) {
		$self->_accept($_) for grep { vec $reads, fileno $_->{socket}, 1 } @{ $self->{listeners} };
		$self->{watched}{code}->()
			if $self->{watched} && vec $reads, fileno $self->{watched}{handle}, 1;
	}
	for my $c (my @all = values %{ $self->{connections} }) {
		next if $c->{gone};    # another's turn has ended it
		if ($ready > 0 && vec $reads, $c->{fd}, 1) {
			$self->_receive($c) or next;
		}
		my $due = defined $c->{wake} && $c->{wake} <= $now;
		$self->_send($c, $now) if $due || $ready > 0 && vec $writes, $c->{fd}, 1;
	}
	return;
}

sub _accept {
	my ($self, $listener) = @_;
	for (1 .. 64) {
		my $socket = $listener->{socket}->accept or return;
		$socket->blocking(0);
		setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
		$self->{connections}{ fileno $socket } = {
			socket   => $socket,
			fd       => fileno $socket,
			listener => $listener,
			peer     => $socket->peerhost // '',
			in       => '',
			out      => '',
		};
	}
	return;
}

# Returns false when the connection is gone.
sub _receive {
	my ($self, $c) = @_;
	my $got = sysread $c->{socket}, $c->{in}, 65_536, length $c->{in};
	if (!defined $got) {
		return 1 if $! == EAGAIN || $! == EINTR || $! == EWOULDBLOCK;
		return $self->end($c);
	}
	return $self->end($c) if $got == 0 || length $c->{in} > $MOST_HEAD + $MOST_BODY;
	return $c->{reply} ? 1 : $self->_next($c);
}

# Starts the next request that the connection has sent whole, if there is one.
sub _next {
	my ($self, $c) = @_;
	my $request = _request($c);
	return 1 unless $request;
	return $self->end($c) unless ref $request;
	$c->{head_only} = $request->{method} eq 'HEAD';
	my $wants_close = lc($request->{headers}{connection} // '') eq 'close' || $request->{version} < 1.1;
	my $reply = eval { $c->{listener}{handler}->($request) }
		// { status => 500, headers => [], body => "the gateway itself failed: $@\n", close => 1 };
	return 0 if $c->{gone};
	$self->_begin($c, $reply, $wants_close);
	return $self->_send($c, now());
}

# undef: more is to come. 'bad': hang up.
sub _request {
	my ($c) = @_;
	my $end = index $c->{in}, "\r\n\r\n";
	return length $c->{in} > $MOST_HEAD ? 'bad' : undef if $end < 0;
	my ($line, @fields) = split /\r\n/, substr $c->{in}, 0, $end;
	my ($method, $target, $version) = ($line // '') =~ m{^([A-Z]+) (\S+) HTTP/(1\.[01])$} or return 'bad';
	my @pairs = map { /^([^:]+):\s*(.*?)\s*$/ ? ($1, $2) : () } @fields;
	my %headers;
	for (my $i = 0; $i < @pairs; $i += 2) {
		$headers{ lc $pairs[$i] } = $pairs[ $i + 1 ];
	}
	my $size = $headers{'content-length'} // 0;
	return 'bad' if $size !~ /^\d{1,7}$/ || $size > $MOST_BODY;
	return undef if length $c->{in} < $end + 4 + $size;
	my $body = substr $c->{in}, $end + 4, $size;
	substr $c->{in}, 0, $end + 4 + $size, '';
	$target =~ s{^http://[^/]*}{};
	my ($path, $query) = split /\?/, $target, 2;
	return {
		method  => $method, target => $target, path   => unescape($path), query => $query // '',
		version => $version, headers => \%headers, pairs => \@pairs, body => $body,
		params  => { params($query // ''), ($headers{'content-type'} // '') =~ /urlencoded/ ? params($body) : () },
		peer    => $c->{peer}, side => $c->{listener}{side}, connection => $c,
	};
}

sub unescape {
	my ($text) = @_;
	$text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
	return $text;
}

sub params {
	my ($query) = @_;
	return map {
		my ($name, $value) = split /=/, $_, 2;
		map { (my $text = $_ // '') =~ tr/+/ /; unescape($text) } $name, $value
	} grep { length } split /&/, $query;
}

# Lines up what is to be sent: waits, head, wait, body.
sub _begin {
	my ($self, $c, $reply, $wants_close) = @_;
	my $source = $reply->{source} // Gateway::Source->bytes($reply->{body} // '');
	my $length = $reply->{source} ? $reply->{length} : length($reply->{body} // '');
	my $ends_with_connection = !defined $length && !$reply->{chunked} || defined $reply->{raw};
	$c->{close} = $wants_close || $reply->{close} || $ends_with_connection && !$c->{head_only};
	my $head = $reply->{raw} // _head($reply, $length, $c->{close});
	my $now  = now();
	my $sent = Gateway::Source->bytes($head);
	$sent = Gateway::Source->paced($sent, $reply->{head_rate}, $now) if $reply->{head_rate};
	$c->{parts} = [ @{ $reply->{before} // [] }, $sent ];
	if (!$c->{head_only}) {
		push @{ $c->{parts} }, Gateway::Source->wait($reply->{body_delay}) if $reply->{body_delay};
		push @{ $c->{parts} }, $source;
		$c->{body} = $source;
	}
	$c->{reply} = $reply;
	$c->{wake}  = $now;
	return;
}

sub _head {
	my ($reply, $length, $close) = @_;
	my @fields = @{ $reply->{headers} // [] };
	my $head   = "HTTP/1.1 $reply->{status} " . ($REASON{ $reply->{status} } // 'Other') . "\r\n";
	while (my ($name, $value) = splice @fields, 0, 2) {
		$head .= "$name: $value\r\n";
	}
	$head .= "Content-Length: $length\r\n"
		if defined $length && $head !~ /^Content-Length:/mi && $reply->{status} !~ /^(?:204|304)$/;
	$head .= "Transfer-Encoding: chunked\r\n" if $reply->{chunked};
	$head .= 'Connection: ' . ($close ? 'close' : 'keep-alive') . "\r\n\r\n";
	return $head;
}

# Sends until the socket is full, the reply is over or there is nothing yet. False: gone.
sub _send {
	my ($self, $c, $now) = @_;
	return 1 unless $c->{reply} || length $c->{out};
	for (1 .. 16) {    # then the others
		my $over = $self->_fill($c, $now) // return $self->end($c);
		if (!length $c->{out}) {
			$c->{blocked} = 0;
			return $over ? $self->_finish($c) : 1;
		}
		my $sent = syswrite $c->{socket}, $c->{out};
		if (!defined $sent) {
			return $self->end($c) unless $! == EAGAIN || $! == EINTR || $! == EWOULDBLOCK;
			$c->{blocked} = 1;
			$c->{wake}    = undef;
			return 1;
		}
		substr $c->{out}, 0, $sent, '';
	}
	$c->{wake} = $now;
	return 1;
}

# Takes bytes from the sources. True: all were taken; undef: the source tore the connection.
sub _fill {
	my ($self, $c, $now) = @_;
	while (length $c->{out} < $AHEAD) {
		my $part = $c->{parts}[0] or return 1;
		my ($bytes, $wake, $torn) = $part->read($AHEAD, $now);
		if (defined $bytes) {
			$self->_take($c, $part, $bytes);
		} elsif ($torn) {
			$self->reset_on_close($c) if $torn eq 'rst';
			syswrite $c->{socket}, $c->{out} if length $c->{out};
			return undef;
		} elsif (defined $wake) {
			$c->{wake} = $wake;
			return 0;
		} else {
			shift @{ $c->{parts} };
			$c->{out} .= "0\r\n\r\n" if $c->{reply}{chunked} && $c->{body} && $part == $c->{body};
		}
	}
	$c->{wake} = $now;
	return 0;
}

sub _take {
	my ($self, $c, $part, $bytes) = @_;
	my $is_body = $c->{body} && $part == $c->{body};
	$c->{reply}{count}->(length $bytes) if $is_body && $c->{reply}{count};
	$bytes = sprintf("%x\r\n", length $bytes) . "$bytes\r\n" if $is_body && $c->{reply}{chunked};
	$c->{out} .= $bytes;
	return;
}

sub _finish {
	my ($self, $c) = @_;
	return $self->end($c) if $c->{close};
	$self->_over($c);
	@$c{qw(reply parts body wake)} = ();
	return $self->_next($c);
}

sub _over {
	my ($self, $c) = @_;
	my $reply = delete $c->{reply} or return;
	$reply->{on_end}->() if $reply->{on_end};
	return;
}

# The next close of this connection is a TCP reset.
sub reset_on_close {
	my ($self, $c) = @_;
	setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
	return;
}

# Closes a connection, whatever it is doing. Returns false.
sub end {
	my ($self, $c) = @_;
	return 0 if $c->{gone};
	$c->{gone} = 1;
	delete $self->{connections}{ $c->{fd} };
	$self->_over($c);
	close $c->{socket};
	return 0;
}

1;
