#!/usr/bin/perl
# t/60-page.t - the page: its decisions by themselves, then in Chromium against spoilt answers.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

my $browser = abs_path(dirname(__FILE__)) . '/browser';
chomp(my $version = qx{node --version 2>/dev/null} // '');
plan skip_all => 'node is not installed' if $version !~ /^v(\d+)/ || $1 < 18;

# Runs one program that prints TAP; its failures are shown, its skip is ours.
sub passes {
	my ($name, @command) = @_;
	open(my $out, '-|', @command) or die "$command[0]: $!\n";
	my @lines = <$out>;
	close($out);
	my ($skip) = map { /^1\.\.0 # SKIP (.*)/ ? $1 : () } @lines;
	SKIP: {
		skip "$name: $skip", 1 if defined $skip;
		my $good = ok($? == 0, $name);
		diag(grep { /^\s*not ok|^#|^\s+(?:error|expected|actual):/ } @lines) if !$good;
	}
	return;
}

passes('choices, faults, words, waits, keys and colours are right',
	'node', '--test', '--test-reporter=tap', glob("$browser/unit/*.test.mjs"));
passes('the list, the keyboard and the memory work in a browser', 'node', "$browser/page.mjs");
passes('every fault is said in words and got over', 'node', "$browser/faults.mjs");
done_testing();
