#!/usr/bin/perl
# t/43-share.t - one client cannot take all places: of those who wait, and of the programs that find addresses.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use App;
use Gateway;
use Resolver;

my $gateway = Gateway->new;
my $resolver = Resolver->new(base => $gateway->url('none'));
my $app = App->new(gateway => $gateway, via => 'fastcgi',
	conf => { trusted_proxies => '127.0.0.1/32 ::1/128', relay_processes => 1, stream_max => 8, resolvers => 4, resolve_timeout => '6s', rate_resolve => 'none' },
	sources => [ $resolver->source(allow => ['127.0.0.1/32']), $resolver->source(name => 'mute', url => 'https://tube.example/never/{id}') ]);

sub from { return ('X-Forwarded-For' => $_[0]) }
my ($greedy, $other) = qw(203.0.113.1 203.0.113.2);

# --- places among those who wait -----------------------------------------------------------------------------
my @seen = App::parallel(12, sub {
	my ($n) = @_;
	my $late = $n == 12;    # the other one comes when all places of the first are taken
	$app->wait_for(sub { $resolver->calls('never') >= 3 }, 30) if $late;
	my $reply = $app->get($late ? '/cdn/stream/tube.other' : "/cdn/stream/mute.wait$n", from($late ? $other : $greedy));
	return [ $reply->status, $reply->header('Retry-After') // '', $reply->json->{error}{message} ];
});
my $last = pop @seen;
my @refused = grep { $_->[0] == 503 } @seen;
ok scalar @refused, 'of eight places one client gets six';
is_deeply \@refused, [ map { [ 503, 2, 'You wait for 6 answers already; others go first: try again in a moment' ] } @refused ], 'and is told when to come again, and why';
ok scalar(grep { $_->[0] != 503 } @seen), 'those that have a place wait for their source';
is $last->[0], 502, 'another client finds a place, and hears what its source says' or diag explain $last;

# --- programs ------------------------------------------------------------------------------------------------
my $before = $resolver->calls('never');
my %said;
$said{ $app->get("/prefetch?v=mute.flood$_", from($greedy))->status }++ for 1 .. 40;
is_deeply \%said, { 202 => 40 }, 'one client has a lot made ready, whose source says nothing';
$app->wait_for(sub { $resolver->calls('never') > $before }, 30);
is $app->get('/prefetch?v=tube.another', from($other))->status, 202, 'another one wants one thing';
ok $app->wait_for(sub { $resolver->calls('another') }, 60), 'which is begun';
cmp_ok $resolver->calls('never') - $before, '<', 30, 'long before all of the first are';
is $app->get('/cdn/stream/tube.another', from($other))->status, 502, 'and answered';
done_testing;
