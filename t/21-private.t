#!/usr/bin/perl
# t/21-private.t - private addresses are refused when the connection is made, however they are written.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;
use App;
use Gateway;

my $gateway = Gateway->new;
my $port = $gateway->port;
my $app = App->new(start => 0, import => 0, via => 'fastcgi');

# What an import from $url says, with these addresses allowed.
sub import_from {
	my ($url, @allow) = @_;
	$app->{sources} = [ { name => 'x', type => 'xtream', url => $url, user => 'demo', password => 'hush-4711', allow => [@allow] } ];
	$app->write_conf;
	return $app->command('import', '--force');
}

for my $host ('127.0.0.1', '127.1', '0x7f.1', '2130706433', '017700000001', 'localhost', '0.0.0.0', '[::ffff:127.0.0.1]',
	'user@127.0.0.1', '8.8.8.8@127.0.0.1') {
	my ($status, $said) = import_from("http://$host:$port");
	isnt $status, 0, "$host is refused";
	like $said, qr/is a private address; allow it in the source's `allow` list/, 'in a sentence that says what to do';
	unlike $said . $app->log, qr/hush-4711/, 'without the password';
}
is_deeply [ grep { $_ } values %{ $gateway->counts->{api} // {} } ], [], 'and nobody was asked';

# A public name that redirects to a private address is refused there.
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.2', Listen => 5, ReuseAddr => 1) or die "127.0.0.2: $!\n";
my $pid = fork // die "fork: $!\n";
if (!$pid) {
	while (my $client = $server->accept) {
		sysread $client, my $request, 4096;
		print $client "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:$port/player_api.php?password=hush-4711\r\nContent-Length: 0\r\n\r\n";
		close $client;
	}
	exit;
}
my ($status, $said) = import_from('http://127.0.0.2:' . $server->sockport, '127.0.0.2/32');
like $said, qr/127\.0\.0\.1 is a private address/, 'so is where a redirect leads';
kill 'KILL', $pid;
waitpid $pid, 0;

($status, $said) = import_from("http://127.0.0.1:$port", '127.0.0.1/32:' . ($port + 1));
like $said, qr/is a private address/, 'another port is not what was allowed';
($status, $said) = import_from("http://127.0.0.1:$port", "127.0.0.1/32:$port");
is $said =~ /private/ ? $said : '', '', 'what is allowed is reached';

done_testing;
