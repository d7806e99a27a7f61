#!/usr/bin/perl
# t/00-man.t - the manual pages are good mdoc and say what the program says.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use Test::More;

my $source = $ENV{SLUICE_SRCDIR} // '.';
my $build = $ENV{SLUICE_BUILDDIR} // die "SLUICE_BUILDDIR names no build\n";
my %page = ('sluice.8' => "$source/man/sluice.8", 'sluice.conf.5' => "$build/man/sluice.conf.5");

sub text { open my $file, '<', $_[0] or die "$_[0]: $!\n"; local $/; return <$file> }

SKIP: {
	skip 'mandoc is missing', 2 if !grep { -x "$_/mandoc" } split /:/, $ENV{PATH};
	is scalar `mandoc -Tlint -Wwarning $page{$_} 2>&1`, '', "$_ has nothing to warn of" for sort keys %page;
}

my $help = `$build/sluice --help`;
my $manual = text($page{'sluice.8'});
my @commands = $help =~ /^  ([a-z]+) /mg;
cmp_ok scalar @commands, '>=', 8, 'the program tells its commands';
like $manual, qr/^\.It Cm \Q$_\E\b/m, "sluice(8) tells of $_" for @commands;
my %known = map { $_ => 1 } @commands;
is_deeply [ grep { !$known{$_} } $manual =~ /^\.It Cm ([a-z]+)/mg ], [], 'and of no other';

my $settings = text($page{'sluice.conf.5'});
my @names = text("$build/sluice.conf.example") =~ /^#([a-z_]+) = /mg;
cmp_ok scalar @names, '>', 30, 'the example shows the settings';
like $settings, qr/^\.It Ic \Q$_\E$/m, "sluice.conf(5) tells of $_" for @names;
unlike $settings, qr/\@[A-Z]+\@/, 'nothing was left to be put in';
is system("$build/sluice --version >/dev/null"), 0, 'the program tells its version';
is system("$build/sluice nonsense 2>/dev/null") >> 8, 2, 'a command that there is not is misuse';
is system("$build/sluice 2>/dev/null") >> 8, 2, 'so is none';

done_testing;
