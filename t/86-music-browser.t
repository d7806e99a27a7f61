#!/usr/bin/perl
# t/86-music-browser.t - a list of 20 songs in Chromium, each resolved and fetched before it is played.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;
use App;
use Songs;

my ($node) = App::which('node');
plan skip_all => 'node is not installed'     unless $node;
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');
my ($SONGS, $AHEAD) = (20, 65_536);


# Songs are larger than what is fetched ahead of them, with all that a filler reads beyond it.
my $songs = Songs->new(count => $SONGS, seconds => 5) or plan skip_all => 'ffmpeg is not installed';
my @ids = $songs->ids;
cmp_ok -s $songs->file, '>', 40 * $AHEAD, 'a song is longer than what is fetched ahead';
my $app = App->new($songs->app(via => 'lighttpd', conf => { access_log => 'lighttpd-access.log', prefetch_bytes => $AHEAD }));
my $base = 'http://127.0.0.1:' . $app->port;
my $said = qx{$node $FindBin::Bin/browser/music.mjs $base 2 @ids};
my $told = eval { JSON::PP->new->decode($said) };
SKIP: {
	skip $told->{skip}, 1 if $told && $told->{skip};
	ok $told && @{ $told->{songs} } == 2 * $SONGS, 'both times all songs are played to their ends' or diag $said;
	last SKIP unless $told;
	my @turns = map { my $turn = $_; [ grep { $_->{turn} == $turn } @{ $told->{songs} } ] } 0, 1;
	my @hits = map { scalar grep { begun_by_a_hit($_) } @$_ } @turns;
	cmp_ok $hits[0], '>=', $SONGS - 1, "$hits[0] of $SONGS were there when they were begun: all but the first";
	is $hits[1], $SONGS, 'all of them when they were played again';
	is join(' ', $songs->calls), "@ids", 'each was resolved once, in its turn';
	note sprintf 'turn %d: until it is heard %s ms', $_ + 1, join ' ', map { $_->{ms} } @{ $turns[$_] } for 0, 1;
	note join ' ', map { "$_->{id}:" . join ',', map { "$_->{status} $_->{range} $_->{cache}" } @{ $_->{answers} } } @{ $turns[0] }[ 0 .. 2 ], @{ $turns[1] }[ 0, 1 ];
	is join(' ', @{ $told->{errors} }), '', 'and the page has nothing to complain of';

	# What the log of the front server says is what the browser was told.
	my @answers = map { @{ $_->{answers} } } @{ $told->{songs} };
	my $misses = grep { $_->{cache} eq 'MISS' } @answers;
	my $health = sub { return $app->get('/health')->json->{cache} };
	ok $app->wait_for(sub { my $s = $health->()->{stats}; $s->{streamHits} + $s->{streamMisses} >= @answers }, 20, 'all answers to be counted') or diag explain $health->();
	my $cache = $health->();
	my $unheard = $cache->{stats}{streamMisses} - $misses;
	ok $unheard >= 0 && $unheard <= $told->{failed}, "health counts what was missed: $misses of @{[ scalar @answers ]}"
		or diag "$cache->{stats}{streamMisses} by its count, $told->{failed} requests were given up";
	cmp_ok $cache->{streamHitRate} =~ s/%//r, '>=', 80, "and tells of $cache->{streamHitRate}";
}
unlike $app->log, qr/ error | died /, 'the service has nothing to complain of';
done_testing;

# The first answer for a song is what its listener waits for.
sub begun_by_a_hit { my ($song) = @_; return ($song->{answers}[0]{cache} // '') =~ /^(?:HIT|-)$/ }
