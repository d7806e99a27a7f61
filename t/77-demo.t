#!/usr/bin/perl
# t/77-demo.t - the films that ./quickstart shows are those that it and the README name.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use App;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my $top = $ENV{SLUICE_SRCDIR} // "$FindBin::Bin/..";
my $dir = App::builddir() . '/demo-films';
is system("$top/t/demo-films", $dir), 0, 'the films are made';
my $app = App->new(sources => [ { name => 'films', type => 'files', url => $dir } ]);
my ($id) = text('quickstart') =~ /^demo_film=([0-9a-f]{16})$/m;
ok $id, 'the film has an id';
like text('README.md'), qr{/api/hls/vod-$id/master\.m3u8}, 'the one of the README';

sub text { open my $in, '<', "$top/$_[0]" or die "$_[0]: $!\n"; local $/; return scalar <$in> }

my $told = $app->get("/api/stream/vod/vod-$id", Accept => 'application/json')->json;
is $told->{title}, 'The Demo Film', 'it is there';
is_deeply [ map { $_->{language} } @{ $told->{audioTracks} } ],  [ 'eng', 'deu' ], 'with two sounds';
is_deeply [ map { $_->{language} } @{ $told->{subtitles} } ], [ 'eng', 'deu' ], 'and two subtitles';
my $series = $app->get('/api/series')->json->{series}[0];
is $series->{name}, 'The Demo Series', 'and a series';
is_deeply [ map { $_->{title} } @{ $app->get($series->{url})->json->{seasons}[0]{episodes} } ], [ 'The Beginning', 'The End' ], 'with its episodes';
my ($ver) = $app->get("/api/hls/vod-$id/master.m3u8")->body =~ m{^([0-9a-f]{32})/source\.m3u8$}m;
is $app->get("/api/hls/vod-$id/$ver/source/0.m4s")->status, 200, 'the film plays';
done_testing;
