#!/usr/bin/perl
# t/82-prefetch.t - what is played next is there before: its address and its first bytes.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(time);
use App;
use Gateway;
use Resolver;

my $gateway = Gateway->new;
my $edge = $gateway->edge_port;
my $resolver = Resolver->new(base => "http://127.0.0.1:$edge/virtual/3M");
my $app = App->new(import => 0, sources => [ $resolver->source(allow => ["127.0.0.1/32:$edge"]) ],
	conf => { rate_video_info => 'none', rate_api => 'none', relay_threads => 40 });

sub virtual { return $gateway->counts->{virtual}{3_000_000} // { requests => 0, bytes => 0 } }
sub warm { my ($id) = @_; return $app->wait_for(sub { $app->get("/prefetch?v=$id")->json->{status} eq 'warm' }, 20, "$id to be warm") }
sub first { my ($id) = @_; return $app->get("/cdn/stream/$id", Range => 'bytes=0-99999') }
sub page { my ($how) = @_; return $app->post('/api/video-info', qq({"url":"https://p.example/$how/x"}))->json->{id} }

# --- one ---------------------------------------------------------------------------------------------
is $app->get('/prefetch?v=song')->json->{status}, 'warming', 'a prefetch begins';
ok warm('song'), 'and ends';
my $before = virtual();
cmp_ok $before->{bytes}, '>=', 2 << 20, 'prefetch_bytes were fetched';
cmp_ok $before->{bytes}, '<=', (2 << 20) + (6 << 18), 'and little more';
my $reply = first('song');
is $reply->status . $reply->header('X-Cache'), '206HIT', 'who plays it then finds it there';
is virtual()->{requests}, $before->{requests}, 'and its source is not asked';
is $resolver->calls('/song/'), 1, 'nor for its address';
ok $app->wait_for(sub { $app->get('/health')->json->{cache}{prefetchCacheSize} == 1 }, 20), 'health counts it';
is $app->get('/prefetch?v=song&quality=low')->json->{status}, 'warming', 'another quality has other bytes';
ok $app->wait_for(sub { $app->get('/health')->json->{cache}{prefetchCacheSize} == 2 }, 20), 'which are counted, too';

# --- a list of songs, the next one prefetched in the middle of each --------------------------------------
my @songs = map { "track-$_" } 1 .. 20;
my ($hits, $late) = (0, 0);
for my $i (0 .. $#songs) {
	$hits++ if first($songs[$i])->header('X-Cache') eq 'HIT';
	my $runs = $resolver->calls("/$songs[$i]/");
	$app->get("/cdn/stream/$songs[$i]", Range => 'bytes=1500000-1599999');
	warm($songs[ $i + 1 ]) if $i < $#songs;
	$late++ if $i && $runs != 1;
}
cmp_ok $hits / @songs, '>=', 0.8, "$hits of 20 songs were there when they were begun";
is $late, 0, 'no next song waited for its address';
$hits = grep { first($_)->header('X-Cache') eq 'HIT' } @songs;
cmp_ok $hits / @songs, '>=', 0.95, "$hits of 20 when they were played again";
is $resolver->calls('/track-'), 20, 'each was resolved once';

# --- what a resolver says and the source does not keep ----------------------------------------------------
$reply = $app->get('/cdn/stream/' . page('half') . '?quality=high', Range => 'bytes=0-99');
is $reply->status, 206, 'where the best cannot be had' or diag $reply->body;
is $reply->header('X-Quality'), 'medium', 'the next one down is given, and said';
$reply = $app->get('/cdn/stream/' . page('private'));
is $reply->status, 403, 'a private address is refused when it is connected to' or diag $reply->body;
like $reply->json->{error}{message}, qr/169\.254\.169\.254 is a private address/, 'in words';
unlike $reply->body, qr/SECRET/, 'without the address';
is $app->get('/cdn/stream/' . page('pictures'))->status, 502, 'pictures without sound are no stream';

# --- time --------------------------------------------------------------------------------------------------
$app->move_clock(29 * 60);
is first('song')->header('X-Cache'), 'HIT', 'it is kept for half an hour';
$app->move_clock(2 * 60);
ok $app->wait_for(sub { $app->get('/health')->json->{cache}{prefetchCacheSize} == 0 }, 20), 'then it counts as prefetched no more';

# --- who floods it -----------------------------------------------------------------------------------------
# A source that takes connections and says nothing.
my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 100) or die "silent: $!\n";
my $port = $silent->sockport;
$app = App->new(import => 0, via => 'fastcgi', conf => { rate_api => 'none' }, sources => [ $resolver->source(allow => ["127.0.0.1/32:$edge"]),
	{ name => 'silent', type => 'http', media => 'audio', url => "http://127.0.0.1:$port/{id}", allow => ["127.0.0.1/32:$port"] } ]);
my %said;
for my $n (1 .. 1000) {
	$said{ $app->get("/prefetch?v=silent.$n")->status }++;
	last if $said{503};
}
is join(' ', sort keys %said), '202 503', 'of one kind only so much waits';
is $app->get('/cdn/stream/flooded', Range => 'bytes=0-9')->status, 206, 'and who plays something now does not wait for that';
done_testing;
