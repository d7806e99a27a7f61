# t/lib/Gateway/Faults.pm - what is to go wrong, and when.
# SPDX-License-Identifier: BSD-2-Clause
#
# A specification is "key=value,key=value"; a key may be held to one kind of request by a prefix:
# "live.cut_after=3s,times=2". Kinds: api (player_api.php), redirect (a play URL at the gateway),
# live and vod (the edge), list, segment and key (of HLS), picture, virtual. A key without a prefix goes for every kind.
#   times=N   only the first N requests of a kind     after=N   not the first N
#   tag=WORD  nothing: tells equal specifications apart, since each has its own counters
# The other keys are the table below. Values: 3s 250ms (seconds), 100k 2M (bytes, in thousands),
# 3s or 100k (a place in a body), words joined by "+".
package Gateway::Faults;
use strict;
use warnings;
use Compress::Zlib ();
use Gateway::Source;

my %KEYS = (
	# instead of the answer
	status   => 'number',     # this status, with the panel's error page
	html     => 'flag',       # 200 and the panel's error page
	never    => 'flag',       # accepted, read, never answered
	nonsense => 'flag',       # bytes that are no HTTP
	hangup   => 'word',       # cut or rst before a byte
	no_head  => 'flag',       # HEAD is 405
	# the head
	slow_start => 'seconds', head_rate => 'number', body_delay => 'seconds',
	type       => 'word',     # another Content-Type; none: no such field
	fields     => 'number',   # so many more header fields
	big_field  => 'number',   # one more of so many bytes
	folded     => 'flag',     # one that goes on in a second line
	# redirects
	redirect => 'word',       # 301 302 303 307 308
	location => 'word',       # none loop relative path scheme host dead clip (of another film)
	# the body
	cut_after   => 'place', rst_after => 'place', stall_after => 'place', stall_for => 'seconds',
	garbage_at  => 'place', garbage   => 'number', throttle   => 'number',
	chunked     => 'flag',
	encoding    => 'word',    # gzip that nobody asked for: broken bomb
	# API
	gzip  => 'word',          # good broken bomb
	json  => 'word',          # strings empty nulls big_ids garbage truncated html (joined by +)
	count => 'number',        # a list of so many entries
	# tokens
	token_life => 'seconds',  # to be used within
	token_dead => 'seconds',  # dead at this age, connections too
	# live
	burst => 'seconds', clock_reset => 'seconds', lose => 'number',
	# HLS: Gateway::Hls
	hls => 'flag', hls_window => 'number', hls_segment => 'seconds', hls_master => 'flag', hls_apart => 'flag',
	hls_token => 'word', hls_frozen => 'flag', hls_ended => 'flag', hls_key => 'word', hls_urls => 'word',
	hls_break => 'flag', hls_fmp4 => 'flag', hls_packed => 'flag', hls_dead => 'word', hls_pad => 'number',
	# films
	range => 'word',          # ignore star none wrong prefix on200
	length => 'word',         # none, or +N or -N bytes beside the truth
	no_validator => 'flag',
	modified => 'number',     # of virtual files: another Last-Modified, so another file
);
my %HOW = (times => 'number', after => 'number', tag => 'word');
my %READ = (
	number => sub { $_[0] =~ /^(\d+(?:\.\d+)?)([kM]?)$/ ? $1 * _scale($2) : undef },
	seconds => sub { $_[0] =~ /^(\d+(?:\.\d+)?)(s|ms)$/ ? $1 * ($2 eq 'ms' ? 0.001 : 1) : undef },
	flag  => sub { $_[0] =~ /^(?:1|yes|)$/ ? 1 : undef },
	word  => sub { $_[0] =~ /^[\w.\/:;+-]+$/ ? $_[0] : undef },
	place => sub {
		my ($text) = @_;
		return { s => $1 * ($2 eq 'ms' ? 0.001 : 1) } if $text =~ /^(\d+(?:\.\d+)?)(s|ms)$/;
		return { bytes => $1 * _scale($2) } if $text =~ /^(\d+)([kM]?)$/;
		return undef;
	},
);

sub _scale { return { '' => 1, k => 1_000, M => 1_000_000 }->{ $_[0] } }

sub new { my ($class) = @_; return bless { counts => {}, set => [], parsed => {} }, $class }

# The faults of a specification as [kind or '', key, value], or dies with what is wrong.
sub parse {
	my ($text) = @_;
	my @faults;
	for my $pair (split /,/, $text) {
		my ($kind, $key, $value) = $pair =~ /^(?:([a-z]+)\.)?([a-z_0-9]+)(?:=(.*))?$/
			or die "cannot read '$pair' in the faults\n";
		my $type = $KEYS{$key} // $HOW{$key} // die "there is no fault '$key'\n";
		my $read = $READ{$type}->($value // '') // die "'$value' is no value for the fault '$key'\n";
		push @faults, [ $kind // '', $key, $read ];
	}
	return \@faults;
}

# Sets faults for all requests of a kind ('' for all), of one id if that is given.
sub set {
	my ($self, $kind, $id, $text) = @_;
	parse($text);
	$self->clear($kind, $id);
	push @{ $self->{set} }, { kind => $kind, id => $id, text => $text };
	return;
}

# Forgets what was set: for one kind and id, or without them everything.
sub clear {
	my ($self, $kind, $id) = @_;
	my @gone = grep { !defined $kind || $_->{kind} eq $kind && $_->{id} eq $id } @{ $self->{set} };
	delete @{ $self->{counts} }{ grep { my $key = $_; grep { index($key, _name($_)) == 0 } @gone }
			keys %{ $self->{counts} } };
	$self->{set} = [ grep { my $one = $_; !grep { $_ == $one } @gone } @{ $self->{set} } ];
	return scalar @gone;
}

sub list { return $_[0]{set} }

sub _name { return "set $_[0]{kind} $_[0]{id} $_[0]{text}" }

# What goes wrong with this request: a hash of keys, empty for nothing. Counts the request.
sub draw {
	my ($self, $kind, $id, $path_text) = @_;
	my %wrong;
	for my $one (@{ $self->{set} }) {
		next if $one->{kind} ne '' && $one->{kind} ne $kind || $one->{id} ne '' && $one->{id} ne $id;
		%wrong = (%wrong, $self->_draw_one(_name($one), $one->{text}, $kind));
	}
	%wrong = (%wrong, $self->_draw_one("path $path_text", $path_text, $kind)) if length $path_text;
	return \%wrong;
}

sub _draw_one {
	my ($self, $name, $text, $kind) = @_;
	my $faults = $self->{parsed}{$text} //= parse($text);
	my %wrong  = map { $_->[1] => $_->[2] } grep { $_->[0] eq '' || $_->[0] eq $kind } @$faults;
	my ($times, $after) = delete @wrong{qw(times after)};
	delete $wrong{tag};
	return () unless %wrong;
	my $count = ++$self->{counts}{"$name $kind"};
	return () if $count <= ($after // 0) || defined $times && $count > $times + ($after // 0);
	return %wrong;
}

# Wraps the body of an answer in what slows and breaks it.
sub wrap {
	my ($wrong, $source, $now) = @_;
	my $broken = sub {
		my ($place, %how) = @_;
		$source = Gateway::Source->broken($source, after_s => $place->{s}, after_bytes => $place->{bytes}, %how);
	};
	$source = Gateway::Source->paced($source, $wrong->{throttle}, $now) if $wrong->{throttle};
	$broken->($wrong->{garbage_at} // { bytes => 0 }, insert => join '', map { chr rand 256 } 1 .. $wrong->{garbage})
		if $wrong->{garbage};
	$broken->($wrong->{stall_after}, seconds => $wrong->{stall_for}) if $wrong->{stall_after};
	$broken->($wrong->{cut_after}, torn => 'cut') if $wrong->{cut_after};
	$broken->($wrong->{rst_after}, torn => 'rst') if $wrong->{rst_after};
	return $source;
}

# Applies what concerns the answer as a whole.
sub spoil {
	my ($wrong, $request, $reply, $page, $now) = @_;
	$reply = { %$page, status => $wrong->{status} // 200 } if $wrong->{status} || $wrong->{html};
	$reply = { status => 405, headers => [ Allow => 'GET' ], body => '' }
		if $wrong->{no_head} && $request->{method} eq 'HEAD';
	my @before;
	push @before, Gateway::Source->wait($wrong->{slow_start}) if $wrong->{slow_start};
	push @before, Gateway::Source->wait(undef) if $wrong->{never};
	push @before, Gateway::Source->broken(undef, after_bytes => 0, torn => $wrong->{hangup}) if $wrong->{hangup};
	$reply->{before} = \@before if @before;
	$reply->{raw} = "SSH-2.0-nonsense\r\n\x00\x01\x02\r\n\r\n" if $wrong->{nonsense};
	$reply->{$_} = $wrong->{$_} for grep { $wrong->{$_} } qw(head_rate body_delay);
	_spoil_fields($wrong, $reply->{headers} //= []);
	_encode($wrong->{encoding}, $reply) if $wrong->{encoding};
	if (grep { $wrong->{$_} } qw(throttle garbage stall_after cut_after rst_after)) {
		$reply->{length} //= length $reply->{body} if defined $reply->{body};
		$reply->{source} = wrap($wrong, $reply->{source} // Gateway::Source->bytes($reply->{body} // ''), $now);
	}
	if ($wrong->{chunked} && $request->{version} > 1.0) {
		$reply->{source} //= Gateway::Source->bytes($reply->{body} // '');
		$reply->{chunked} = 1;
		delete $reply->{length};
	}
	return $reply;
}

sub _spoil_fields {
	my ($wrong, $headers) = @_;
	if (defined $wrong->{type}) {
		for (my $i = 0; $i < @$headers; $i += 2) {
			splice @$headers, $i, 2 if $headers->[$i] eq 'Content-Type';
		}
		push @$headers, 'Content-Type', $wrong->{type} if $wrong->{type} ne 'none';
	}
	push @$headers, map { ("X-Field-$_" => $_) } 1 .. $wrong->{fields} if $wrong->{fields};
	push @$headers, 'X-Big', 'x' x $wrong->{big_field} if $wrong->{big_field};
	push @$headers, 'X-Folded', "one\r\n two" if $wrong->{folded};
	return;
}

sub _encode {
	my ($how, $reply) = @_;
	my $size = $how eq 'bomb' ? 200_000_000 : 4_000_000;
	my $bytes = Compress::Zlib::memGzip(' ' x $size);
	substr $bytes, 20, 400, "\xaa" x 400 if $how eq 'broken';
	push @{ $reply->{headers} }, 'Content-Encoding', 'gzip';
	delete @$reply{qw(source length)};
	$reply->{body} = $bytes;
	return;
}

1;
