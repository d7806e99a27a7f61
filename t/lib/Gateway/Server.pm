# t/lib/Gateway/Server.pm - the gateway: its state, and which path is answered by whom.
# SPDX-License-Identifier: BSD-2-Clause
#
# The panel answers on the gateway port, its streams on the edge port; each port knows all paths,
# as a redirect may be relative. A path may begin with /x/FAULTS (Gateway::Faults), and so may the
# base URL that a client is given: what is wrong then holds for the API, for redirects, and
# through the token for the edge.
package Gateway::Server;
use strict;
use warnings;
use JSON::PP ();
use Time::HiRes ();
use Gateway::Control;
use Gateway::Edge;
use Gateway::Faults;
use Gateway::Hls;
use Gateway::Http;
use Gateway::Ts;
use Gateway::Xtream;

# dir       folder of t/media          accounts  {user => {password, max, over}}
# gateway, edge  listening sockets or ports (0: any)
sub new {
	my ($class, %how) = @_;
	my $self = bless {
		dir      => $how{dir},
		accounts => $how{accounts},
		http     => Gateway::Http->new,
		faults   => Gateway::Faults->new,
		settings => { token_life => 5, vod_token_life => 60, burst => 4, over => '', hls_sequence => 0 },
		clock    => 0,
		timeline => {},
		tokens   => {},
		streams  => {},
		clips    => {},
	}, $class;
	$self->{started} = int $self->time;
	$self->forget;
	my $answer = sub { $self->answer(@_) };
	$self->{gateway_port} = $self->{http}->listen($how{gateway}, 'gateway', $answer);
	$self->{edge_port}    = $self->{http}->listen($how{edge},    'edge',    $answer);
	$self->{xtream} = Gateway::Xtream->new($self);
	$self->{dead_port} = _dead_port();
	return $self;
}

# A port where nobody listens.
sub _dead_port {
	my $socket = Gateway::Http::listener(0);
	return $socket->sockport;
}

sub time { return Time::HiRes::time() + $_[0]{clock} }

sub url { my ($self) = @_; return "http://127.0.0.1:$self->{gateway_port}" }
sub edge_url { my ($self) = @_; return "http://127.0.0.1:$self->{edge_port}" }

# All counters to zero; what is open now stays counted.
sub forget {
	my ($self) = @_;
	$self->{counts} = { requests => {}, api => {}, channels => {}, titles => {}, statuses => {}, seen => {} };
	$self->{log} = [];
	for my $stream (values %{ $self->{streams} }) {
		my $of = $self->of($stream->{kind}, $stream->{id});
		$of->{now}++;
		$of->{peak} = $of->{now};
	}
	return;
}

# The counters of a channel or title.
sub of {
	my ($self, $kind, $id) = @_;
	return $self->{counts}{ $kind eq 'live' ? 'channels' : 'titles' }{$id} //= {
		redirects => 0, heads => 0, streams => 0, now => 0, peak => 0, bytes => 0, refused => 0, ranges => [],
	};
}

# The clip of a channel, loaded at its first use; undef where there is none.
sub clip {
	my ($self, $id) = @_;
	my $path = "$self->{dir}/" . ($self->{as}{$id} // "ch$id.ts");
	return $self->{clips}{$path} //= -e $path ? Gateway::Ts->load($path) : undef;
}

sub answer {
	my ($self, $request) = @_;
	my $reply = $request->{path} =~ m{^/_ctl(?:/|$)}
		? Gateway::Control::answer($self, $request)
		: $self->_answer($request);
	return $reply if $request->{path} =~ m{^/_ctl};
	$self->{counts}{statuses}{ $reply->{status} }++;
	push @{ $self->{log} }, {
		at => $self->time, side => $request->{side}, method => $request->{method},
		target => $request->{target}, status => $reply->{status}, headers => $request->{headers},
	};
	shift @{ $self->{log} } if @{ $self->{log} } > 500;
	return $reply;
}

sub _answer {
	my ($self, $request) = @_;
	my ($spec, $path) = $request->{path} =~ m{^/x/([^/]*)(/.*)$}s ? ($1, $2) : ('', $request->{path});
	my ($kind, $id, $do, $carried) = $self->_route($request, $path);
	return _text(404, $self->page(404)->{body}) unless $kind;
	$self->{counts}{requests}{$kind}++;
	$self->{counts}{seen}{$kind} = $request->{headers};
	$request->{spec} = $spec = $carried // $spec;
	my $wrong = eval { $self->{faults}->draw($kind, $id, $spec) };
	return _text(400, "$@") unless $wrong;
	my $instead = grep { $wrong->{$_} } qw(status html never hangup nonsense);
	$instead ||= $wrong->{no_head} && $request->{method} eq 'HEAD';
	my $reply = $instead ? { status => 200, headers => [] } : $do->($wrong);
	return Gateway::Faults::spoil($wrong, $request, $reply, $self->page(200), Gateway::Http::now());
}

# (kind, id, sub ($wrong) -> reply, the token's faults) or nothing.
sub _route {
	my ($self, $request, $path) = @_;
	if ($path =~ m{^/(?:player_api|panel_api)\.php$}) {
		my $action = $request->{params}{action} // 'login';
		$self->{counts}{api}{$action}++;
		return ('api', $action, sub { $self->{xtream}->answer($request, $action, @_) });
	}
	if ($path eq '/get.php') {
		$self->{counts}{api}{list}++;
		return ('api', 'list', sub { $self->{xtream}->list($request, @_) });
	}
	if ($path =~ m{^/(live|movie|series)/([^/]+)/([^/]+)/(\d+)(?:\.(\w+))?$}) {
		my @named = ($1, $2, $3, $4, $5);
		return ('redirect', $4, sub { Gateway::Edge::redirect($self, $request, $_[0], @named) });
	}
	if ($path =~ m{^/v?auth/(\w+)$}) {
		my $token = $self->{tokens}{$1} or return;
		return Gateway::Edge::stream_route($self, $request, $token);
	}
	if ($path =~ m{^/hls/(\w+)/(.+)$}) {
		my $token = $self->{tokens}{$1} or return;
		my ($kind, $do) = Gateway::Hls::route($self, $request, $token, $2) or return;
		return ($kind, $token->{id}, $do, $token->{spec});
	}
	return ('vod', 'clip', sub { Gateway::Edge::clip($request, $_[0], "$self->{dir}/ch2.ts") }) if $path eq '/clip.ts';
	if ($path =~ m{^/picture/[^/]+/[^/]+/(\w+)\.png$}) {
		my $file = "$self->{dir}/$1.png";
		return ('picture', $1, sub { Gateway::Edge::file($request, $_[0], $file, 'image/png') });
	}
	if ($path =~ m{^/virtual/(\d+)([kMGT]?)(?:/|$)}) {
		my $size = $1 * { '' => 1, k => 1e3, M => 1e6, G => 1e9, T => 1e12 }->{$2};
		return ('virtual', $size, sub { Gateway::Edge::virtual($self, $request, $_[0], $size) });
	}
	return;
}

# The panel's one page for everything that goes wrong.
sub page {
	my ($self, $status) = @_;
	return _text($status, "<html><head><title>404 Not Found</title></head><body>"
		. "<center><h1>404 Not Found</h1></center><hr><center>nginx</center></body></html>\n");
}

sub _text {
	my ($status, $body) = @_;
	return { status => $status, headers => [ 'Content-Type' => 'text/html; charset=utf-8' ], body => $body };
}

sub json {
	my ($status, $data) = @_;
	my $body = ref $data ? JSON::PP->new->canonical->utf8->encode($data) : $data;
	return { status => $status, headers => [ 'Content-Type' => 'application/json' ], body => $body };
}

# The account that a user name and password open, or undef.
sub account {
	my ($self, $user, $password) = @_;
	my $account = $self->{accounts}{ $user // '' } or return undef;
	return $account->{password} eq ($password // '') ? $account : undef;
}

sub streams_of {
	my ($self, $user) = @_;
	return sort { $a->{serial} <=> $b->{serial} } grep { $_->{user} eq $user } values %{ $self->{streams} };
}

1;
