# t/bench/lib/Bench/Plain.pm - a front server that sends files and knows nothing else.
# SPDX-License-Identifier: BSD-2-Clause
package Bench::Plain;
use strict;
use warnings;
use App;
use Bench;

my %PROGRAM = (lighttpd => 'lighttpd', nginx => 'nginx', apache => 'apache2');

sub program { return $PROGRAM{ $_[0] } // $_[0] }

# Starts it beside $app, for the files below $root; it ends with $app. With $log it keeps an access
# log, as every server does that must tell what it sent.
sub start {
	my ($class, $app, $front, $root, $log) = @_;
	my $name = ($log ? 'logging' : 'plain') . "-$front";
	my $self = bless { port => Bench::free_port(), root => $root, dir => $app->dir, name => $name, log => $log }, $class;
	my $conf = "$self->{dir}/$name.conf";
	Bench::write_file($conf, $self->$front);
	my %command = (
		lighttpd => [ '-D', '-f', $conf ],
		nginx    => [ '-c', $conf, '-e', "$self->{dir}/$name.err" ],
		apache   => [ '-D', 'FOREGROUND', '-f', $conf ],
	);
	$self->{session} = $app->start_beside($name, App::which(program($front)), @{ $command{$front} });
	$app->wait_for(sub { App::Client::http($self->{port}, 'GET', '/', [])->status }, 10, "a plain $front")
		or die "a plain $front did not start: " . $app->output($name) . "\n";
	return $self;
}

sub lighttpd {
	my ($self) = @_;
	my $log = $self->{log} ? qq(server.modules = ( "mod_accesslog" )\naccesslog.filename = "$self->{dir}/$self->{name}.log") : '';
	return <<~"END";
	$log
	server.port = $self->{port}
	server.bind = "127.0.0.1"
	server.document-root = "$self->{root}"
	mimetype.assign = ( ".m3u8" => "application/vnd.apple.mpegurl", ".ts" => "video/mp2t" )
	END
}

sub nginx {
	my ($self) = @_;
	my $user = $> == 0 ? 'user root;' : '';
	my $log = $self->{log} ? "$self->{dir}/$self->{name}.log" : 'off';
	my @spools = map { "${_}_temp_path $self->{dir}/$self->{name}-$_;" } qw(client_body fastcgi proxy scgi uwsgi);
	return <<~"END";
	daemon off; worker_processes 1; pid $self->{dir}/$self->{name}.pid; $user
	events { worker_connections 4096; }
	http {
		types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
		access_log $log; sendfile on; tcp_nopush on; keepalive_requests 10000; @spools
		server { listen 127.0.0.1:$self->{port}; root $self->{root}; }
	}
	END
}

sub apache {
	my ($self) = @_;
	my $modules = '/usr/lib/apache2/modules';
	my $log = $self->{log} ? qq(CustomLog $self->{dir}/$self->{name}.log "%h %l %u %t \\"%r\\" %>s %b") : '';
	return <<~"END";
	$log
	LoadModule mpm_event_module $modules/mod_mpm_event.so
	LoadModule authz_core_module $modules/mod_authz_core.so
	LoadModule mime_module $modules/mod_mime.so
	Listen 127.0.0.1:$self->{port}
	ServerName localhost
	PidFile $self->{dir}/$self->{name}.pid
	ErrorLog $self->{dir}/$self->{name}.err
	Mutex file:$self->{dir} default
	DocumentRoot $self->{root}
	MaxKeepAliveRequests 0
	TypesConfig /dev/null
	AddType application/vnd.apple.mpegurl .m3u8
	AddType video/mp2t .ts
	END
}

1;
