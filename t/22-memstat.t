#!/usr/bin/perl
# t/22-memstat.t - how memcached does, server by server, also when one of them does not answer.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);
use App;
use Gateway;
use Memcached;

plan skip_all => Memcached::missing() if Memcached::missing();

my $gateway = Gateway->new;
my @memcached = (Memcached->new, Memcached->new(tcp => 1));
my @names = map { $_->server } @memcached;
my $app = App->new(gateway => $gateway, memcached => "@names");

sub stats {
	my $reply = $app->get('/api/stats/cache');
	is $reply->status, 200, 'statistics are answered';
	my %server = map { $_->{server} => $_ } @{ $reply->json->{servers} };
	return ($reply->json, @server{@names});
}

sub command {
	my ($status, $text) = $app->command(memstat => '--json');
	is $status, 0, 'memstat --json works' or diag $text;
	return JSON::PP->new->utf8->decode($text);
}

# --- servers that answer ----------------------------------------------------------------------------
$app->get('/api/live/1') for 1 .. 3;
$memcached[1]->set('other:' . 'x' x 32, 'y' x 3000, 60);
my ($all, @server) = stats();
for my $n (0, 1) {
	my ($server, $itself) = ($server[$n], $memcached[$n]->stats);
	ok $server->{reachable} && !defined $server->{why}, "$names[$n] is reachable";
	is $server->{version}, $itself->{version}, 'its version is what it says itself';
	is $server->{items}, $itself->{curr_items}, 'its items';
	is $server->{bytes}, $itself->{bytes}, 'its memory';
	is $server->{bytesLimit}, $itself->{limit_maxbytes}, 'and the limit of it';
	is $server->{evictions}, $itself->{evictions}, 'what it forgot';
	is $server->{hits}, $itself->{get_hits}, 'its hits';
	is $server->{misses}, $itself->{get_misses}, 'and misses';
	my $asked = $server->{hits} + $server->{misses};
	is $server->{hitRate}, $asked ? sprintf('%.3f', $server->{hits} / $asked) + 0 : undef, 'of which the hit rate is made';
	is_deeply $server->{watch}, [], 'there is nothing to watch';
}
my ($large) = grep { $_->{items} && $_->{chunkBytes} >= 3000 } @{ $server[1]{classes} };
ok $large, 'memory is told by class';
is $large->{items}, 1, 'with its items';
cmp_ok $large->{bytes}, '>=', 3000, 'and their bytes';

my %family = map { $_->{family} => $_ } @{ $all->{families} };
is $family{tok}{stored}, 1, 'of our families, the token was stored once';
cmp_ok $family{tok}{bytesWritten}, '>', 50, 'its bytes are counted';
cmp_ok $family{lease}{stored}, '>=', 1, 'so is the lease';
is_deeply [ sort keys %{ command() } ], [ sort keys %$all ], 'the command tells the same';
my ($status, $text) = $app->command('memstat');
like $text, qr/^\Q$names[1]\E: memcached \Q$server[1]{version}\E, up \d+ s$/m, 'or in words';
like $text, qr/^tok +\S+( %)? /m, 'families too';

# --- what to watch ----------------------------------------------------------------------------------
$memcached[0]->flush;
(undef, @server) = stats();
like "@{ $server[0]{watch} }", qr/flushed/, 'a flush is said';

# --- one that hangs ---------------------------------------------------------------------------------
$memcached[0]->stop;
my $start = time;
($all, @server) = stats();
my $took = time - $start;
ok !$server[0]{reachable}, 'one that hangs is away';
is $server[0]{why}, 'it does not answer', 'which is said';
ok $server[1]{reachable}, 'the other one is not';
cmp_ok $took, '<', 0.25 + 0.75, sprintf 'that took %d ms: 250 at most, and some for a busy machine', $took * 1000;
$start = time;
my $again = command();
$took = time - $start;
ok !(grep { $_->{server} eq $names[0] } @{ $again->{servers} })[0]{reachable}, 'the command says so, too';
cmp_ok $took, '<', 0.25 + 0.75, sprintf 'within %d ms', $took * 1000;
($status, $text) = $app->command('memstat');
like $text, qr/^\Q$names[0]\E is away: it does not answer$/m, 'or in words';
$memcached[0]->continue;

# --- one that is dead -------------------------------------------------------------------------------
$memcached[1]->kill;
ok $app->wait_for(sub {
	$app->move_clock(4);
	my ($now) = grep { $_->{server} eq $names[0] } @{ $app->get('/api/stats/cache')->json->{servers} };
	return $now->{reachable};
}, 10, 'the server that hung'), 'one that hung is asked again';
(undef, @server) = stats();
ok !$server[1]{reachable}, 'one that is dead is away';
like $server[1]{why}, qr/refused|cannot be reached/i, 'and why';

# --- none -------------------------------------------------------------------------------------------
$app->write_conf(memcached_servers => '');
is(($app->command('reload'))[0], 0, 'without any');
ok $app->wait_for(sub { !@{ $app->get('/api/stats/cache')->json->{servers} } }, 10, 'the new workers'),
	'there is nothing to tell';
($status, $text) = $app->command('memstat');
like $text, qr/No memcached is configured/, 'which is said';
is(($app->command(memstat => 'what'))[0], 2, 'a wrong word is refused');
done_testing;
