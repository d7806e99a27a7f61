#!/usr/bin/perl
# t/51-browser-trouble.t - the shipped page in Chromium through all that sources do. Some minutes: only
# with SLUICE_LONG=1.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use App;
use Gateway;

plan skip_all => 'only with SLUICE_LONG=1' unless $ENV{SLUICE_LONG};
my ($node) = App::which('node');
plan skip_all => 'node is not installed' unless $node;
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');

my $gateway = Gateway->new;
$gateway->control('set', token_life => 3600);
my $app = App->new(gateway => $gateway, via => 'lighttpd', conf => { ladder => '720p 360p audio' });
open my $pipe, '-|', $node, "$FindBin::Bin/browser/trouble.mjs", 'http://127.0.0.1:' . $app->port, $gateway->url or die "node: $!\n";
my $said = do { local $/; <$pipe> } // '';
close $pipe;
my $status = $?;
SKIP: {
	skip $1, 2 if $said =~ /^1\.\.0 # SKIP (.*)/;
	is $status, 0, 'the page plays through it' or diag $said;
	like $said, qr/^1\.\.\d+$/m, 'to the end';
	note $said;
}
unlike $app->log, qr/ error | died /, 'and the service has nothing to complain of';
done_testing;
