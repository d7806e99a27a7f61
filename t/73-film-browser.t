#!/usr/bin/perl
# t/73-film-browser.t - a film in Chromium, before hls.js as it comes.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use File::Temp ();
use Test::More;
use App;
use Gateway;

my ($node) = App::which('node');
plan skip_all => 'node is not installed'     unless $node;
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');

my $films = File::Temp->newdir;
copy(Gateway::media() . '/101.mkv', "$films/Film.mkv") or die "101.mkv: $!\n";
my $app = App->new(via => 'lighttpd', sources => [ { name => 'films', type => 'files', url => "$films" } ],
	conf => { relay_threads => 32 });
my $id  = 'vod-' . substr(`printf %s Film.mkv | sha256sum`, 0, 16);
open my $pipe, '-|', $node, "$FindBin::Bin/browser/vod.mjs", 'http://127.0.0.1:' . $app->port, $id or die "vod.mjs: $!\n";
my $said = do { local $/; <$pipe> } // '';
close $pipe;
my $status = $?;
SKIP: {
	skip $1, 1 if $said =~ /^1\.\.0 # SKIP (.*)/;
	is $status, 0, 'a film plays';
	diag $said if $status;
	note $said;
}
unlike $app->log, qr/ error | died /, 'and the service has nothing to complain of';
done_testing;
