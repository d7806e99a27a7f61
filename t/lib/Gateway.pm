# t/lib/Gateway.pm - starts a fake Xtream gateway beside a test and talks to it.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $gateway = Gateway->new;                         # user, password: demo; accounts => {...}
#   $gateway->url                                       # base URL of the panel
#   $gateway->url('live.cut_after=3s,times=2')          # the same with faults: Gateway::Faults
#   $gateway->live_url(1), $gateway->vod_url('101.mkv') # play URLs of that account
#   $gateway->channel(1)->{streams}                     # counters: redirects streams now peak bytes
#   $gateway->control('fault', kind => 'live', id => 1, set => 'stall_after=2s')   # Gateway::Control
#
# The gateway is a process of its own and ends with the object or with the test, however it ends.
package Gateway;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use HTTP::Tiny;
use JSON::PP ();
use POSIX ();
use Gateway::Http;
use Gateway::Server;

my $T = abs_path(dirname(__FILE__) . '/..');

# Where tests keep the demo media, made at the first use. Dies when that fails.
sub media {
	my ($dir) = @_;
	$dir //= $ENV{SLUICE_DEMO_MEDIA} // ($ENV{SLUICE_BUILDDIR} // '/tmp') . '/demo-media';
	system("$T/media", $dir) == 0 or die "the demo media could not be made in $dir\n";
	return abs_path($dir);
}

sub new {
	my ($class, %how) = @_;
	my $dir = $how{dir} // media();
	my ($gateway, $edge) = map { Gateway::Http::listener($_) } $how{port} // 0, $how{edge_port} // 0;
	my $self = bless {
		port => $gateway->sockport, edge_port => $edge->sockport, owner => $$,
		user => $how{user} // 'demo', password => $how{password} // 'demo',
		agent => HTTP::Tiny->new(timeout => 10, max_redirect => 0),
	}, $class;
	pipe my $life, $self->{life} or die "pipe: $!\n";
	my $accounts = $how{accounts} // { $self->{user} => { password => $self->{password}, max => 5 } };
	defined($self->{pid} = fork) or die "fork: $!\n";
	if (!$self->{pid}) {
		close $self->{life};
		$SIG{INT} = $SIG{TERM} = 'DEFAULT';
		eval {
			my $server = Gateway::Server->new(dir => $dir, accounts => $accounts, gateway => $gateway, edge => $edge);
			$server->{http}->watch($life, sub { POSIX::_exit(0) });
			$server->{http}->run;
		};
		print STDERR "gateway: $@";
		POSIX::_exit(1);
	}
	return $self;
}

sub port { return $_[0]{port} }
sub edge_port { return $_[0]{edge_port} }

sub url {
	my ($self, $faults) = @_;
	return "http://127.0.0.1:$self->{port}" . (defined $faults ? "/x/$faults" : '');
}

sub live_url {
	my ($self, $id, $faults) = @_;
	return $self->url($faults) . "/live/$self->{user}/$self->{password}/$id.ts";
}

sub vod_url {
	my ($self, $file, $faults) = @_;
	my $folder = $file =~ /^\d{5}/ ? 'series' : 'movie';
	return $self->url($faults) . "/$folder/$self->{user}/$self->{password}/$file";
}

sub api_url {
	my ($self, $action, $faults) = @_;
	return $self->url($faults) . "/player_api.php?username=$self->{user}&password=$self->{password}"
		. (defined $action ? "&action=$action" : '');
}

sub control {
	my ($self, $what, %params) = @_;
	my $reply = $self->{agent}->post_form("http://127.0.0.1:$self->{port}/_ctl/" . ($what // ''), \%params);
	my $data  = eval { JSON::PP->new->utf8->decode($reply->{content}) };
	die "gateway: $reply->{status} $reply->{content}\n" unless $reply->{success} && $data;
	return $data;
}

sub counts  { return $_[0]->control }
sub channel { my ($self, $id) = @_; return $self->counts->{channels}{$id} // _none() }
sub title   { my ($self, $id) = @_; return $self->counts->{titles}{$id}   // _none() }
sub _none   { return { map { $_ => 0 } qw(redirects heads streams now peak bytes refused) } }

sub stop {
	my ($self) = @_;
	return if !$self->{pid} || $self->{owner} != $$;
	kill KILL => $self->{pid};
	waitpid $self->{pid}, 0;
	delete $self->{pid};
	return;
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!, $@);
	$self->stop;
	return;
}

1;
