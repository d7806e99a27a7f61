#!/usr/bin/perl
# t/79-nginx-slices.t - the alternative for nginx that keeps slices of streams itself: right bytes, parts and
# conditions, each slice asked of the program once.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use Test::More;
use App;
use Front;
use Gateway;
use Gateway::Source;

plan skip_all => 'nginx is not installed' unless App::Front::is_here('nginx-slices');
my $dir     = File::Temp->newdir;
my $gateway = Gateway->new(dir => "$dir");
my $edge    = $gateway->edge_port;
my $front   = Front->new('nginx-slices', import => 0, conf => { relay_threads => 32 },
	sources => [ { name => 'v', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"], url => "http://127.0.0.1:$edge/virtual/{id}/x" } ]);
my $app = $front->app;

sub bytes {
	my ($first, $last) = @_;
	my $all = join '', map { Gateway::Source::block(undef, $_) } int($first / 65_536) .. int($last / 65_536);
	return substr $all, $first % 65_536, $last - $first + 1;
}

my $cold = $app->get('/cdn/stream/5M');
is $cold->status, 200, 'a stream is sent' or diag $cold->body;
ok $cold->body eq bytes(0, 4_999_999), 'rightly';
is $cold->header('X-Cache'), 'MISS', 'nginx says that it did not have it';
my $reached = $front->reached('cdn_stream');
is $reached, 5, 'the program was asked for five slices';
my $warm = $app->get('/cdn/stream/5M');
ok $warm->body eq bytes(0, 4_999_999), 'it is the same again';
is $warm->header('X-Cache'), 'HIT', 'from nginx';
is $front->reached('cdn_stream'), $reached, 'which asked for nothing';
is $warm->header('Last-Modified'), $cold->header('Last-Modified'), 'of the same second';
for my $case ([ 'bytes=0-9', 0, 9 ], [ 'bytes=1048570-1048580', 1_048_570, 1_048_580 ], [ 'bytes=-10', 4_999_990, 4_999_999 ], [ 'bytes=4999999-', 4_999_999, 4_999_999 ]) {
	my ($range, $first, $last) = @$case;
	my $part = $app->get('/cdn/stream/5M', Range => $range);
	is $part->status . ' ' . ($part->header('Content-Range') // '-'), "206 bytes $first-$last/5000000", $range;
	ok $part->body eq bytes($first, $last), 'the right part';
}
is $app->get('/cdn/stream/5M', 'If-Modified-Since' => $cold->header('Last-Modified'))->status, 304, 'a condition is looked at';
is $app->get('/cdn/stream/5M', Range => 'bytes=0-9', 'If-Range' => $cold->header('Last-Modified'))->status, 206, 'so is If-Range';
is $app->get('/cdn/stream/5M', Range => 'bytes=5000000-')->status, 416, 'and what lies beyond the end';
my $far = $app->get('/cdn/stream/9T', Range => 'bytes=7000000000000-7000000999999');
ok $far->status == 206 && $far->body eq bytes(7_000_000_000_000, 7_000_000_999_999), 'a part of 9 TB' or diag $far->status;
my @got = App::parallel(30, sub { my $reply = $app->get('/cdn/stream/3M'); return { status => $reply->status, right => $reply->body eq bytes(0, 2_999_999) ? 1 : 0 } });
is scalar(grep { $_->{status} == 200 && $_->{right} } @got), 30, 'a crowd gets it';
is $gateway->counts->{virtual}{3_000_000}{bytes}, 3_000_000, 'for which every byte was fetched once';
$app->kill('relay') for 1 .. 2;
$app->kill('master', 'STOP');
my $without = $app->get('/cdn/stream/5M');
ok $without->status == 200 && $without->body eq bytes(0, 4_999_999), 'what nginx has is sent while no worker answers';
$app->kill('master', 'CONT');
is $app->get('/cdn/stream/none')->status, 502, 'an error is an error' or diag $app->get('/cdn/stream/none')->body;
done_testing;
