# t/lib/Gateway/Control.pm - what tests ask of the gateway behind its back.
# SPDX-License-Identifier: BSD-2-Clause
#
# GET (or POST with a form or a JSON object) on the gateway's port, answered in JSON:
#   /_ctl            all counters            /_ctl/log        the last 500 requests
#   /_ctl/reset      counters to zero        /_ctl/tokens     all tokens; kill=1 revokes them
#   /_ctl/streams    what is being sent      /_ctl/faults     what is set
#   /_ctl/fault      kind= id= set=FAULTS    (kind, id empty: all; set as in Gateway::Faults)
#   /_ctl/clear      kind= id=               (neither: everything)
#   /_ctl/cut        kind= id= how=cut|rst   tears what is being sent, tells how many
#   /_ctl/clock      add=SECONDS             moves the gateway's clock: tokens age, channels go on
#   /_ctl/timeline   id= add=SECONDS         a channel's timestamps jump, as at an encoder's restart
#   /_ctl/as         id= path=               another film for a channel's next viewers
#   /_ctl/set        token_life= vod_token_life= burst= over= hls_sequence=   (over: status, or blank:
#                    cut the oldest)
#   /_ctl/account    user= password= max= over= status= expires=
package Gateway::Control;
use strict;
use warnings;
use JSON::PP ();

my %DO = (
	''     => sub { my ($server) = @_; +{ %{ $server->{counts} }, streams => scalar keys %{ $server->{streams} } } },
	log    => sub { $_[0]{log} },
	reset  => sub { $_[0]->forget; {} },
	tokens => \&_tokens,
	streams => sub { [ map { _public($_) } values %{ $_[0]{streams} } ] },
	faults => sub { $_[0]{faults}->list },
	fault  => sub { $_[0]{faults}->set($_[1]{kind} // '', $_[1]{id} // '', $_[1]{set} // ''); {} },
	clear  => \&_clear,
	cut    => \&_cut,
	clock  => sub { $_[0]{clock} += $_[1]{add}; { now => $_[0]->time } },
	timeline => sub { $_[0]{timeline}{ $_[1]{id} } += int(90_000 * $_[1]{add}); {} },
	as      => sub { $_[0]{as}{ $_[1]{id} } = $_[1]{path}; {} },
	set     => \&_set,
	account => \&_account,
);

sub answer {
	my ($server, $request) = @_;
	my ($what) = $request->{path} =~ m{^/_ctl/?(\w*)$};
	my $do = $DO{ $what // '-' } or return Gateway::Server::json(404, { error => 'no such control' });
	my $params = $request->{params};
	my $result = eval {
		$params = { %$params, %{ JSON::PP->new->utf8->decode($request->{body}) } } if $request->{body} =~ /^\s*\{/;
		$do->($server, $params);
	};
	return defined $result
		? Gateway::Server::json(200, $result)
		: Gateway::Server::json(400, { error => "$@" });
}

sub _tokens {
	my ($server, $params) = @_;
	my @tokens = values %{ $server->{tokens} };
	$_->{revoked} = 1 for $params->{kill} ? @tokens : ();
	return [ sort { $a->{issued} <=> $b->{issued} } @tokens ];
}

sub _public {
	my ($stream) = @_;
	return { map { $_ => $stream->{$_} } qw(serial user kind id token started bytes) };
}

sub _clear {
	my ($server, $params) = @_;
	my $all = !exists $params->{kind} && !exists $params->{id};
	return { cleared => $server->{faults}->clear($all ? () : ($params->{kind} // '', $params->{id} // '')) };
}

sub _cut {
	my ($server, $params) = @_;
	my @streams = grep {
		(!length($params->{kind} // '') || $_->{kind} eq $params->{kind})
			&& (!length($params->{id} // '') || $_->{id} eq $params->{id})
	} values %{ $server->{streams} };
	for my $stream (@streams) {
		$server->{http}->reset_on_close($stream->{connection}) if ($params->{how} // '') eq 'rst';
		$server->{http}->end($stream->{connection});
	}
	return { cut => scalar @streams };
}

sub _set {
	my ($server, $params) = @_;
	for my $name (keys %$params) {
		exists $server->{settings}{$name} or die "there is no setting '$name'\n";
		$server->{settings}{$name} = $params->{$name};
	}
	return $server->{settings};
}

sub _account {
	my ($server, $params) = @_;
	my $account = $server->{accounts}{ $params->{user} } //= { password => '', max => 1 };
	$account->{$_} = $params->{$_} for grep { defined $params->{$_} } qw(password max over status expires);
	return $account;
}

1;
