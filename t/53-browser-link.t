#!/usr/bin/perl
# t/53-browser-link.t - automatic quality in Chromium over a link that becomes thin and wide again. Some
# minutes: only with SLUICE_LONG=1.
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

my $app = App->new(gateway => Gateway->new, via => 'lighttpd', conf => { ladder => '720p 360p audio' });
for my $player ('page', 'plain') {
	open my $pipe, '-|', $node, "$FindBin::Bin/browser/link.mjs", 'http://127.0.0.1:' . $app->port, $player or die "node: $!\n";
	my $said = do { local $/; <$pipe> } // '';
	close $pipe;
	my $status = $?;
	SKIP: {
		skip "$player: $1", 2 if $said =~ /^1\.\.0 # SKIP (.*)/;
		is $status, 0, "$player: quality goes down and up with the link" or diag $said;
		like $said, qr/^1\.\.\d+$/m, "$player: to the end";
		note $said;
	}
}
unlike $app->log, qr/ error | died /, 'and the service has nothing to complain of';
done_testing;
