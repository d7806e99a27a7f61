# t/lib/Mutation.pm - what nobody sends by good will: FastCGI streams and HTTP requests, out of joint.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $mutation = Mutation->new(seed => 4711, targets => ['/api/live', ...]);
#   my ($kind, $bytes) = $mutation->stream;          # for a FastCGI socket
#   my ($method, $target, @headers) = $mutation->request;
#
# The same seed gives the same in the same order, whatever perl it is.
package Mutation;
use strict;
use warnings;

sub new {
	my ($class, %how) = @_;
	return bless { state => $how{seed} // 1, targets => $how{targets} // ['/health/live'], made => 0 }, $class;
}

# A number from 0 to $n - 1.
sub pick {
	my ($self, $n) = @_;
	$self->{state} = ($self->{state} * 1_103_515_245 + 12_345) & 0x7fffffff;
	return int(($self->{state} >> 8) * $n / (1 << 23));
}

sub one_of { my ($self, @of) = @_; return $of[ $self->pick(scalar @of) ] }
sub bytes { my ($self, $n) = @_; return join '', map { chr $self->pick(256) } 1 .. $n }

# --- FastCGI 1.0 ----------------------------------------------------------------------------------

my %TYPE = (begin => 1, abort => 2, end => 3, params => 4, stdin => 5, stdout => 6, data => 8, get_values => 9);

sub record {
	my ($type, $id, $data, $padding) = @_;
	$padding //= 0;
	return pack('C C n n C x', 1, $type, $id, length $data, $padding) . $data . "\0" x $padding;
}

sub length_of { my ($n) = @_; return $n < 128 ? chr $n : pack 'N', $n | 0x80000000 }
sub pair { my ($name, $value) = @_; return length_of(length $name) . length_of(length $value) . $name . $value }

sub params {
	my ($self, $target) = @_;
	my ($path, $query) = split /\?/, $target, 2;
	return [ REQUEST_METHOD => 'GET' ], [ REQUEST_URI => $target ], [ SCRIPT_NAME => $path ], [ QUERY_STRING => $query // '' ],
		[ SERVER_PROTOCOL => 'HTTP/1.1' ], [ HTTP_HOST => 'localhost' ], [ REMOTE_ADDR => '127.0.0.1' ];
}

# A request as it should be, of one or several records a stream.
sub whole {
	my ($self, $id, $keep, $more) = @_;
	my $said = join '', map { pair(@$_) } $self->params($self->one_of(@{ $self->{targets} })), @{ $more // [] };
	my $step = 1 + $self->pick(length $said);
	return join '', record($TYPE{begin}, $id, pack('n C x5', 1, $keep)),
		(map { record($TYPE{params}, $id, $_, $self->pick(8)) } unpack "(a$step)*", $said),
		record($TYPE{params}, $id, ''), record($TYPE{stdin}, $id, '');
}

# Name and value lengths that no memory holds, and that overflow when they are added up.
my @LENGTHS = (0x7fffffff, 0x7ffffff0, 0x40000000, 0x7fffffff - 8, 0x3fffffff, 0x10000, 128, 0);

sub huge_lengths {
	my ($self, $name, $value) = @_;
	my $said = pack('N N', ($name // $self->one_of(@LENGTHS)) | 0x80000000, ($value // $self->one_of(@LENGTHS)) | 0x80000000);
	return record($TYPE{begin}, 1, pack 'n C x5', 1, 0) . record($TYPE{params}, 1, $said . 'A' x $self->pick(200))
		. record($TYPE{params}, 1, '') . record($TYPE{stdin}, 1, '');
}

my %KIND = (
	whole => sub { $_[0]->whole(1, 0) },
	truncated => sub { my $all = $_[0]->whole(1, 0); substr $all, 0, $_[0]->pick(length $all) },
	flipped => sub {
		my ($self) = @_;
		my $all = $self->whole(1, 0);
		for (1 .. 1 + $self->pick(6)) {
			my $at = $self->pick(length $all);
			substr $all, $at, 1, chr(ord(substr $all, $at, 1) ^ 1 << $self->pick(8));
		}
		return $all;
	},
	cut_out => sub {
		my ($self) = @_;
		my $all = $self->whole(1, 0);
		substr $all, $self->pick(length $all), 1 + $self->pick(20), $self->bytes($self->pick(20));
		return $all;
	},
	noise => sub { $_[0]->bytes(1 + $_[0]->pick(600)) },
	nothing => sub { '' },
	huge_lengths => sub { $_[0]->huge_lengths },
	wrong_lengths => sub {
		my ($self) = @_;
		my $all = $self->whole(1, 0);
		substr $all, 16 + 4, 2, pack 'n', $self->pick(65_536);
		return $all;
	},
	padded => sub { my $all = $_[0]->whole(1, 0); substr $all, 6, 1, chr $_[0]->pick(256); $all },
	many_params => sub { my ($self) = @_; $self->whole(1, 0, [ map { [ "HTTP_X_$_" => $self->bytes(20) ] } 1 .. 400 ]) },
	empty_names => sub { $_[0]->whole(1, 0, [ [ '', 'x' ], [ '', '' ], [ "A\0B" => "C\0D" ], [ "X=Y" => 'Z' ] ]) },
	twice_params => sub { $_[0]->whole(1, 0, [ map { [ REQUEST_URI => $_ ], [ REQUEST_METHOD => 'X' x 70 ] } '/', "\0", '', '/' . 'a' x 9000 ]) },
	no_params => sub { record($TYPE{begin}, 1, pack 'n C x5', 1, 0) . record($TYPE{params}, 1, '') . record($TYPE{stdin}, 1, '') },
	aborted => sub {
		my ($self) = @_;
		my $all = $self->whole(1, $self->pick(2));
		return substr($all, 0, $self->one_of(16, length $all)) . record($TYPE{abort}, 1, '');
	},
	kept => sub { my ($self) = @_; join '', map { $self->whole($_, $_ < 4 ? 1 : 0) } 1 .. 4 },
	multiplexed => sub {
		my ($self) = @_;
		my @parts = map { [ $self->whole($_, 1) =~ /(.{1,40})/gs ] } 1 .. 3;
		my $all = '';
		while (my @left = grep { @$_ } @parts) { $all .= shift @{ $left[ $self->pick(scalar @left) ] } }
		return $all;
	},
	two_begun => sub { my ($self) = @_; record($TYPE{begin}, 1, pack 'n C x5', 1, 1) . record($TYPE{begin}, 2, pack 'n C x5', 1, 1) . $self->whole(1, 0) },
	wrong_role => sub { my ($self) = @_; record($TYPE{begin}, 1, pack 'n C x5', $self->one_of(0, 2, 3, 4, 65_535), $self->pick(256)) . substr $self->whole(1, 0), 16 },
	wrong_version => sub { my ($self) = @_; my $all = $self->whole(1, 0); substr $all, 8 * $self->pick(2) * 2, 1, chr $self->pick(256); $all },
	unknown_type => sub { my ($self) = @_; record($self->pick(256), $self->pick(3), $self->bytes($self->pick(60))) . $self->whole(1, 0) },
	short_begin => sub { my ($self) = @_; record($TYPE{begin}, 1, $self->bytes($self->pick(8))) . $self->whole(1, 0) },
	management => sub { my ($self) = @_; record($TYPE{get_values}, 0, pair('FCGI_MAX_CONNS', '') . pair('FCGI_MPXS_CONNS', '') . $self->bytes($self->pick(30))) . $self->whole(1, 0) },
	from_us => sub { my ($self) = @_; record($self->one_of(3, 6, 7, 10, 11), 1, $self->bytes(8)) . $self->whole(1, 0) },
	long_body => sub {
		my ($self) = @_;
		my $all = $self->whole(1, 0, [ [ CONTENT_LENGTH => $self->one_of('99999999999999999999', '-1', '65535', 'x', '') ], [ REQUEST_METHOD => 'POST' ] ]);
		return substr($all, 0, -8) . join '', map { record($TYPE{stdin}, 1, $self->bytes(50) x 400) } 1 .. $self->pick(4);
	},
);

sub kinds { return sort keys %KIND }

# A kind after the other, each at random.
sub stream {
	my ($self) = @_;
	my @kinds = kinds();
	my $kind = $kinds[ $self->{made}++ % @kinds ];
	return ($kind, $KIND{$kind}->($self));
}

# --- HTTP -----------------------------------------------------------------------------------------

my @PIECES = ('%', '/', '?', '.', '&', '=', '%0', '%00', '%2e%2e', '%2F', '%C3%A9', '%FF', '~', '\\', '+', ';', ':', '@', '0', 'live-', '.m3u8', 'a' x 70, '9' x 25);
my %FIELDS = (
	Range => [ 'bytes=0-', 'bytes=-1', 'bytes=9-1', 'bytes=0-0,2-3', 'bytes=99999999999999999999-', 'items=1', '' ],
	'If-Range' => [ 'Thu, 01 Jan 1970 00:00:00 GMT', '"x"', 'W/"x"', 'Fri, 99 Foo 2026' ],
	'If-Modified-Since' => [ 'Fri, 27 Nov 2026 04:00:00 GMT', 'Friday, 27-Nov-26 04:00:00 GMT', 'Fri Nov 27 04:00:00 2026', '0', 'x' x 300 ],
	Accept => [ 'text/html', 'application/json;q=0.1, text/html;q=1.001', '*/*;q=', ';;;,,,', 'a/b' . ',c/d' x 200 ],
	'Accept-Encoding' => [ 'gzip, br', 'br;q=0, gzip;q=0', 'x' x 500, '' ],
	'Save-Data' => [ 'on', 'off', 'ON;x' ], ECT => [ '2g', 'slow-2g', '9g' ], Downlink => [ '0.35', '-1', '1e400', '9' x 40 ],
	'CMCD-Request' => [ 'mtp=2500,bl=3', 'mtp=' . '9' x 30, 'mtp="' ], Origin => [ 'null', 'http://x', "http://x/\x{7f}" ],
	Cookie => [ 'a=' . 'b' x 4000 ], Host => [ 'x', '[::1]', 'a' x 300 ], 'X-Forwarded-For' => [ '1.2.3.4, evil' ],
	Authorization => [ 'Basic !!!', 'Bearer ' . 'x' x 200 ], 'X-Sluice-Token' => [ 'x' ],
);

sub request {
	my ($self) = @_;
	my $target = $self->one_of(@{ $self->{targets} });
	for (1 .. $self->pick(4)) {
		substr $target, 1 + $self->pick(length $target), $self->pick(3), $self->one_of(@PIECES) if length $target > 1;
	}
	my @headers;
	for (1 .. $self->pick(4)) {
		my $name = $self->one_of(sort keys %FIELDS);
		my $value = $self->one_of(@{ $FIELDS{$name} });
		substr $value, $self->pick(length $value), 1, chr 33 + $self->pick(94) if length $value && !$self->pick(3);
		push @headers, $name, $value;
	}
	return ($self->one_of(('GET') x 8, qw(HEAD HEAD OPTIONS POST PUT DELETE TRACE G)), substr($target, 0, 9000), @headers);
}

1;
