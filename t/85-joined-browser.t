#!/usr/bin/perl
# t/85-joined-browser.t - a video whose picture and sound are apart in Chromium, before hls.js as it comes.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Apart;
use App;

my ($node) = App::which('node');
plan skip_all => 'node is not installed'     unless $node;
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');
my $apart = Apart->new(seconds => 24) or plan skip_all => 'ffmpeg is not installed';
my $app = App->new($apart->app(via => 'lighttpd'));
my $base = 'http://127.0.0.1:' . $app->port;
open my $pipe, '-|', $node, "$FindBin::Bin/browser/joined.mjs", $base, '/cdn/stream/apart', $apart->seconds or die "joined.mjs: $!\n";
my $said = do { local $/; <$pipe> } // '';
close $pipe;
my $status = $?;
SKIP: {
	skip $1, 1 if $said =~ /^1\.\.0 # SKIP (.*)/;
	is $status, 0, 'what is in two parts plays';
	diag $said if $status;
	note $said;
}
unlike $app->log, qr/ error | died /, 'and the service has nothing to complain of';
done_testing;
