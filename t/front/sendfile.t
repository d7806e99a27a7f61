#!/usr/bin/perl
# t/front/sendfile.t - a program that names what it must not: the front server sends nothing from
# outside the document root, and tells nobody where files are.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::UNIX;
use Test::More;
use App;

# A program of one sentence: answers every request with these header lines, until killed.
sub pretend {
	my ($path, $file) = @_;
	my $listen = IO::Socket::UNIX->new(Local => "$path.new", Listen => 10) or die "$path: $!\n";
	chmod 0666, "$path.new";
	rename "$path.new", $path;
	defined(my $pid = fork) or die "fork: $!\n";
	return $pid if $pid;
	while (my $client = $listen->accept) {
		# Parameters end with an empty record of type 4, the body with one of type 5.
		while (read $client, my $head, 8) {
			my ($type, $length, $padding) = unpack 'x C x2 n C', $head;
			read $client, my $content, $length + $padding if $length + $padding;
			last if $type == 5 && !$length;
		}
		open my $said, '<', $file or next;
		my $text = do { local $/; <$said> };
		print $client pack('C C n n C x', 1, 6, 1, length $text, 0), $text, pack('C C n n C x', 1, 6, 1, 0, 0), pack('C C n n C x N C x3', 1, 3, 1, 8, 0, 0, 0);
		close $client;
	}
	POSIX::_exit(0);
}

for my $way (grep { App::Front::is_here($_) } qw(lighttpd nginx apache)) {
	my $app = App->new(via => $way, memcached => '');
	my $public = $app->www . '/public.txt';
	open my $file, '>', $public or die "$public: $!\n";
	print $file "for everybody\n";
	close $file;
	my $secret = $app->dir . '/sluice.conf';
	my $says = $app->dir . '/says';
	my $pid = pretend($app->run_dir . '/api.sock', $says);
	my $header = $way eq 'nginx' ? 'X-Accel-Redirect' : 'X-Sendfile';
	my $root = $way eq 'nginx' ? '/-file' : $app->www;
	for my $case (
		[ 'a published file', "$root/public.txt", 200 ],
		[ 'the configuration', $way eq 'nginx' ? "/-file/../../sluice.conf" : $secret ],
		[ 'what is above', "$root/../../sluice.conf" ],
		[ 'what is above, encoded', "$root/%2e%2e/%2e%2e/sluice.conf" ],
		[ 'a file of the system', '/etc/passwd' ],
		[ 'a neighbour that begins the same', "$root-other/x" ],
		[ 'a folder', "$root/web" ],
		[ 'nothing', "$root/none.txt" ],
	) {
		my ($what, $path, $status) = @$case;
		open my $out, '>', $says or die "$says: $!\n";
		print $out "Status: 200 OK\r\nContent-Type: text/plain\r\n$header: $path\r\n\r\n";
		close $out;
		my $reply = $app->get("/api/some/$what" =~ s/ /-/gr);
		if ($status) {
			is $reply->status . ' ' . $reply->body, "200 for everybody\n", "$way sends $what that the program names";
		} else {
			cmp_ok $reply->status, '>=', 300, "$way does not send $what";
			unlike $reply->body, qr/state_dir|root:/, 'nothing of it';
		}
		is join(' ', grep { $reply->headers->{$_} =~ /\Q$app->{dir}\E|-file/ || /sendfile|accel/ } sort keys %{ $reply->headers }), '',
			'and says no path';
	}
	kill KILL => $pid;
	waitpid $pid, 0;
}
done_testing;
