# t/lib/App/Client.pm - asks over HTTP, or over FastCGI as a front server would.
# SPDX-License-Identifier: BSD-2-Clause
#
# Targets go out as they are given, however wrong: no library stands between test and program.
# All functions return an App::Reply; where there was no answer its status is 0 and its body says
# why.
package App::Client;
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;
use File::Temp ();
use POSIX ();
use Time::HiRes qw(time);

our $TIMEOUT = 20;    # seconds, for a whole answer

# http($port, $method, $target, \@headers, $body)
sub http {
	my ($port, $method, $target, $headers, $body) = @_;
	my $head = "$method $target HTTP/1.1\r\nConnection: close\r\n";
	my @pairs = @$headers;
	push @pairs, Host => "127.0.0.1:$port" unless grep { lc eq 'host' } @pairs;
	push @pairs, 'Content-Length' => length $body if defined $body;
	while (my ($name, $value) = splice @pairs, 0, 2) {
		$head .= "$name: $value\r\n";
	}
	return raw($port, "$head\r\n" . ($body // ''), $method eq 'HEAD');
}

# Sends these bytes and reads until the server closes or the answer is complete.
sub raw {
	my ($port, $bytes, $is_head) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5)
		or return App::Reply->none("no connection: $!");
	my $answer = _exchange($socket, $bytes, sub { _complete($_[0], $is_head) });
	my $end = index $answer, "\r\n\r\n";
	return App::Reply->none('no answer') if $end < 0;
	my ($line, @fields) = split /\r\n/, substr $answer, 0, $end;
	my ($status) = ($line // '') =~ m{^HTTP/1\.[01] (\d+)} or return App::Reply->none("no HTTP: $line");
	my $reply = App::Reply->new($status, \@fields, substr $answer, $end + 4);
	$reply->{body} = _unchunked($reply->{body}) if lc($reply->header('Transfer-Encoding') // '') eq 'chunked';
	my $length = $reply->header('Content-Length');
	return App::Reply->none("cut short: $status") if !$is_head && $status !~ /^(?:1..|204|304)$/
		&& (defined $length ? length $reply->{body} < $length : !defined $reply->{body});
	return $reply;
}

sub _exchange {
	my ($socket, $bytes, $complete) = @_;
	local $SIG{PIPE} = 'IGNORE';
	my ($end, $answer, $sent) = (time + $TIMEOUT, '', 0);
	$socket->blocking(0);
	while (time < $end) {
		my ($reads, $writes) = ('', '');
		vec($reads, fileno $socket, 1) = 1;
		vec($writes, fileno $socket, 1) = 1 if $sent < length $bytes;
		select $reads, $writes, undef, 1;
		if (vec $writes, fileno $socket, 1) {
			my $n = syswrite $socket, $bytes, 65_536, $sent;
			$sent = defined $n ? $sent + $n : $!{EAGAIN} ? $sent : length $bytes;
		}
		if (vec $reads, fileno $socket, 1) {
			my $n = sysread $socket, $answer, 262_144, length $answer;
			return $answer if defined $n ? $n == 0 : !$!{EAGAIN};
			return $answer if $complete->($answer);
		}
	}
	return $answer;
}

# Whether nothing more can belong to this answer; otherwise its end is the connection's.
sub _complete {
	my ($answer, $is_head) = @_;
	my $end = index $answer, "\r\n\r\n";
	return 0 if $end < 0;
	return 1 if $is_head;
	return length $answer >= $end + 4 + $1 if substr($answer, 0, $end) =~ /^Content-Length:\s*(\d+)/mi;
	return 0;
}

# undef when the last chunk is missing.
sub _unchunked {
	my ($text) = @_;
	my $body = '';
	while ($text =~ s/^([0-9A-Fa-f]+)[^\r\n]*\r\n//) {
		my $size = hex $1;
		return $body if $size == 0;
		return undef if length $text < $size + 2;
		$body .= substr $text, 0, $size;
		substr $text, 0, $size + 2, '';
	}
	return undef;
}

# fcgi($socket_path, $method, $target, \@headers, $body, %more): one request, FastCGI 1.0.
# %more are further parameters.
sub fcgi {
	my ($path, $method, $target, $headers, $body, %more) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $path) or return App::Reply->none("no connection to $path: $!");
	my $bytes = join '', fcgi_request($method, $target, $headers, $body, %more);
	my $answer = _exchange($socket, $bytes, sub { _ended($_[0]) });
	return _fcgi_reply($answer);
}

# The bytes of such a request: its first record, and the rest.
sub fcgi_request {
	my ($method, $target, $headers, $body, %more) = @_;
	my %params = (_params($method, $target, $headers // [], $body), %more);
	my $said = join '', map { _length_of($_, $params{$_}) } sort keys %params;
	return (_record(1, pack 'n C x5', 1, 0), _stream(4, $said) . _stream(5, $body // ''));
}

# cgi(\@command, $errors, \%environment, $method, $target, \@headers, $body): RFC 3875. What it says
# on standard error goes to the file $errors.
sub cgi {
	my ($command, $errors, $environment, $method, $target, $headers, $body) = @_;
	my $said = File::Temp->new;
	print $said $body // '';
	seek $said, 0, 0;
	defined(my $pid = open my $answer, '-|') or die "fork: $!\n";
	if (!$pid) {
		open STDIN, '<&', $said;
		open STDERR, '>>', $errors;
		%ENV = (%$environment, _params($method, $target, $headers, $body));
		exec { $command->[0] } @$command or POSIX::_exit(127);
	}
	my $text = do { local $/; <$answer> } // '';
	close $answer;
	return App::Reply->none("the program ended with $?") if $? & 127 || $text eq '';
	return _cgi_reply($text);
}

# What a front server tells of a request.
sub _params {
	my ($method, $target, $headers, $body) = @_;
	my ($script, $query) = split /\?/, $target, 2;
	my %params = (
		GATEWAY_INTERFACE => 'CGI/1.1', SERVER_PROTOCOL => 'HTTP/1.1', SERVER_SOFTWARE => 'test',
		REQUEST_METHOD => $method, REQUEST_URI => $target, SCRIPT_NAME => $script, QUERY_STRING => $query // '',
		REMOTE_ADDR => '127.0.0.1', REMOTE_PORT => 4000, SERVER_NAME => 'localhost', SERVER_PORT => 80,
		HTTP_HOST => 'localhost', defined $body ? (CONTENT_LENGTH => length $body) : (),
	);
	my @pairs = @$headers;
	while (my ($name, $value) = splice @pairs, 0, 2) {
		(my $key = uc $name) =~ tr/-/_/;
		$params{ $key =~ /^CONTENT_(?:TYPE|LENGTH)$/ ? $key : "HTTP_$key" } = $value;
	}
	return %params;
}

sub _length { my ($n) = @_; return $n < 128 ? chr $n : pack 'N', $n | 0x80000000 }

sub _length_of {
	my ($name, $value) = @_;
	return _length(length $name) . _length(length $value) . $name . $value;
}

sub _record { my ($type, $data) = @_; return pack('C C n n C x', 1, $type, 1, length $data, 0) . $data }

sub _stream {
	my ($type, $data) = @_;
	return join '', (map { _record($type, $_) } unpack '(a32768)*', $data), _record($type, '');
}

# The records of an answer: a list of [type, content].
sub _records {
	my ($bytes) = @_;
	my ($at, @records) = (0);
	while ($at + 8 <= length $bytes) {
		my ($type, $length, $padding) = unpack 'x C x2 n C', substr $bytes, $at, 8;
		last if $at + 8 + $length > length $bytes;
		push @records, [ $type, substr $bytes, $at + 8, $length ];
		$at += 8 + $length + $padding;
	}
	return @records;
}

sub _ended { my ($bytes) = @_; return scalar grep { $_->[0] == 3 } _records($bytes) }

sub _fcgi_reply {
	my ($answer) = @_;
	my @records = _records($answer);
	return App::Reply->none('the request was not ended') unless grep { $_->[0] == 3 } @records;
	return _cgi_reply(join '', map { $_->[1] } grep { $_->[0] == 6 } @records);
}

sub _cgi_reply {
	my ($text) = @_;
	my ($head, $body) = split /\r?\n\r?\n/, $text, 2;
	return App::Reply->none("no CGI header: $text") unless defined $body;
	my @fields = split /\r?\n/, $head;
	my ($status) = map { /^Status:\s*(\d+)/i ? $1 : () } @fields;
	return App::Reply->new($status // 200, [ grep { !/^Status:/i } @fields ], $body);
}

package App::Reply;
use JSON::PP ();

sub new {
	my ($class, $status, $fields, $body) = @_;
	my %headers;
	for my $field (@$fields) {
		my ($name, $value) = $field =~ /^([^:]+):\s*(.*?)\s*$/ or next;
		$headers{ lc $name } = exists $headers{ lc $name } ? "$headers{ lc $name }, $value" : $value;
	}
	return bless { status => $status, headers => \%headers, body => $body }, $class;
}

sub none { my ($class, $why) = @_; return $class->new(0, [], $why) }

sub status  { return $_[0]{status} }
sub header  { return $_[0]{headers}{ lc $_[1] } }
sub headers { return $_[0]{headers} }
sub body    { return $_[0]{body} }

# The body as data, or undef when it is no JSON.
sub json { my ($self) = @_; return eval { JSON::PP->new->utf8->decode($self->{body}) } }

# The code of an error answer.
sub code { my ($self) = @_; my $json = $self->json; return ref $json eq 'HASH' && ref $json->{error} ? $json->{error}{code} : undef }

1;
