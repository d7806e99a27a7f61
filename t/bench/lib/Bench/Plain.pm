# t/bench/lib/Bench/Plain.pm - a front server that sends files and knows nothing else.
# SPDX-License-Identifier: BSD-2-Clause
package Bench::Plain;
use strict;
use warnings;
use App;
use Bench;

my %PROGRAM = (lighttpd => 'lighttpd', nginx => 'nginx', apache => 'apache2');

sub program { return $PROGRAM{ $_[0] } // $_[0] }

# What the pages of other hosts need to read a file, and caches to keep it.
my %OPEN = (
	'Access-Control-Allow-Origin' => '*', 'Access-Control-Expose-Headers' => 'Content-Length, Content-Range, X-Cache',
	'Cache-Control' => 'public, max-age=31536000',
);

# Starts it beside $app, for the files below $root; it ends with $app. It keeps an access log, as every
# server does that must tell what it sent; processes, threads and the log's buffer are those of the
# shipped configuration. With $open it says the headers above.
sub start {
	my ($class, $app, $front, $root, $open) = @_;
	my $name = ($open ? 'open' : 'plain') . "-$front";
	my $self = bless { port => Bench::free_port(), root => $root, dir => $app->dir, name => $name, open => $open }, $class;
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

# The headers, each as $format says.
sub headers {
	my ($self, $format, $between) = @_;
	return $self->{open} ? join $between, map { sprintf $format, $_, $OPEN{$_} } sort keys %OPEN : '';
}

sub lighttpd {
	my ($self) = @_;
	my $headers = $self->headers('"%s" => "%s"', ', ');
	my ($module, $said) = $headers ? (', "mod_setenv"', "setenv.set-response-header = ( $headers )") : ('', '');
	return <<~"END";
	server.modules = ( "mod_accesslog"$module )
	accesslog.filename = "$self->{dir}/$self->{name}.log"
	server.port = $self->{port}
	server.bind = "127.0.0.1"
	server.document-root = "$self->{root}"
	mimetype.assign = ( ".m3u8" => "application/vnd.apple.mpegurl", ".ts" => "video/mp2t" )
	$said
	END
}

sub nginx {
	my ($self) = @_;
	my $user = $> == 0 ? 'user root;' : '';
	my @spools = map { "${_}_temp_path $self->{dir}/$self->{name}-$_;" } qw(client_body fastcgi proxy scgi uwsgi);
	my $headers = $self->headers('add_header %s "%s";', ' ');
	return <<~"END";
	daemon off; worker_processes auto; pid $self->{dir}/$self->{name}.pid; $user
	events { worker_connections 4096; }
	http {
		types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
		access_log $self->{dir}/$self->{name}.log combined buffer=32k flush=1s;
		sendfile on; keepalive_requests 10000; @spools
		server { listen 127.0.0.1:$self->{port}; root $self->{root}; $headers }
	}
	END
}

sub apache {
	my ($self) = @_;
	my $modules = '/usr/lib/apache2/modules';
	my $headers = $self->headers(qq(Header set %s "%s"\n), '');
	my ($threads) = Bench::read_file(Bench::srcdir() . '/apache-conf/apache2.conf.in') =~ /^(ServerLimit .*?)^#/ms;
	my $module = $headers ? "LoadModule headers_module $modules/mod_headers.so" : '';
	return <<~"END";
	LoadModule mpm_event_module $modules/mod_mpm_event.so
	LoadModule authz_core_module $modules/mod_authz_core.so
	LoadModule mime_module $modules/mod_mime.so
	$module
	$threads
	CustomLog $self->{dir}/$self->{name}.log "%h %l %u %t \\"%r\\" %>s %b"
	Listen 127.0.0.1:$self->{port}
	ServerName localhost
	PidFile $self->{dir}/$self->{name}.pid
	ErrorLog $self->{dir}/$self->{name}.err
	Mutex file:$self->{dir} default
	DocumentRoot $self->{root}
	<Directory "/">
		AllowOverride None
	</Directory>
	EnableSendfile On
	MaxKeepAliveRequests 0
	TypesConfig /dev/null
	AddType application/vnd.apple.mpegurl .m3u8
	AddType video/mp2t .ts
	$headers
	END
}

1;
