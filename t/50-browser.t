#!/usr/bin/perl
# t/50-browser.t - the shipped page in Chromium, and the playlists before parsers not written here.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use App;
use Gateway;

my ($node) = App::which('node');
plan skip_all => 'node is not installed' unless $node;
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');

my $app = App->new(gateway => Gateway->new, via => 'lighttpd');
my $url = 'http://127.0.0.1:' . $app->port;

# Both at once: the page plays while the playlists are watched.
my %run = (
	'the page plays' => ['play.mjs', 60],
	'the playlists hold for two minutes' => ['playlists.mjs', 120],
);
my %pipe;
for my $name (sort keys %run) {
	my ($script, $seconds) = @{ $run{$name} };
	open $pipe{$name}, '-|', $node, "$FindBin::Bin/browser/$script", $url, $seconds or die "$script: $!\n";
}
for my $name (sort keys %run) {
	my $said = do { local $/; readline $pipe{$name} } // '';
	close $pipe{$name};
	my $status = $?;
	SKIP: {
		skip "$name: $1", 1 if $said =~ /^1\.\.0 # SKIP (.*)/;
		is $status, 0, $name;
		like $said, qr/^1\.\.\d+$/m, "$name: to the end";
		diag $said if $status;
		note $said;
	}
}
unlike $app->log, qr/ error | died /, 'and the service has nothing to complain of';
done_testing;
