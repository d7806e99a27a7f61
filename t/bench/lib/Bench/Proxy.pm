# t/bench/lib/Bench/Proxy.pm - others that send what lies elsewhere: nginx that caches slices, and node.
# SPDX-License-Identifier: BSD-2-Clause
package Bench::Proxy;
use strict;
use warnings;
use App;
use App::Client;
use Bench;

# Those of them that are installed, beside $app, in front of the origin at $port: {name, port, sessions}.
sub start {
	my ($class, $app, $port) = @_;
	my @started;
	push @started, nginx($app, $port) if App::which('nginx');
	push @started, node($app, $port) if App::which('node');
	for my $one (@started) {
		$app->wait_for(sub { App::Client::http($one->{port}, 'GET', '/virtual/10/x', [])->status == 200 }, 10)
			or die "$one->{name} did not start: " . $app->output($one->{key}) . "\n";
	}
	return @started;
}

# The slice cache as the shipped alternative has it, with nginx's own proxy behind it.
sub nginx {
	my ($app, $origin) = @_;
	my ($dir, $port) = ($app->dir, Bench::free_port());
	my $user = $> == 0 ? 'user root;' : '';
	my @spools = map { "${_}_temp_path $dir/slices-$_;" } qw(client_body fastcgi proxy scgi uwsgi);
	my $conf = Bench::write_file("$dir/slices.conf", <<~"END");
	daemon off; worker_processes auto; pid $dir/slices.pid; $user
	events { worker_connections 8192; }
	http {
		access_log $dir/slices.log combined buffer=32k flush=1s;
		sendfile on; keepalive_requests 10000; @spools
		proxy_cache_path $dir/slices levels=1:2 keys_zone=slices:10m max_size=1g inactive=10m use_temp_path=off;
		server {
			listen 127.0.0.1:$port backlog=1024;
			location / {
				slice 1m;
				proxy_pass http://127.0.0.1:$origin;
				proxy_http_version 1.1;
				proxy_set_header Range \$slice_range;
				proxy_cache slices;
				proxy_cache_key \$uri\$slice_range;
				proxy_cache_valid 200 206 10m;
				proxy_cache_lock on;
				proxy_cache_lock_timeout 35s;
				proxy_cache_lock_age 35s;
				proxy_cache_use_stale error timeout updating;
			}
		}
	}
	END
	my $session = $app->start_beside('slices', App::which('nginx'), '-c', $conf, '-e', "$dir/slices.err");
	return { name => 'nginx slice cache', key => 'slices', port => $port, sessions => [$session] };
}

sub node {
	my ($app, $origin) = @_;
	my $port = Bench::free_port();
	local %ENV = (%ENV, NODE_ENV => 'production', PORT => $port, ORIGIN => $origin);
	my $session = $app->start_beside('proxy-node', App::which('node'), Bench::srcdir() . '/t/bench/node/proxy.js');
	return { name => 'node proxy', key => 'proxy-node', port => $port, sessions => [$session] };
}

1;
