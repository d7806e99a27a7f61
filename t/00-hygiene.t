#!/usr/bin/perl
# t/00-hygiene.t - nothing is forgotten: settings, files of the build, tests, fuzz targets; and no litter.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use File::Find;
use File::Temp ();
use Test::More;

my $top = $ENV{SLUICE_SRCDIR} // '.';
my $build = $ENV{SLUICE_BUILDDIR} // die "SLUICE_BUILDDIR names no build\n";

sub text { open my $file, '<', $_[0] or die "$_[0]: $!\n"; local $/; return scalar(<$file>) // '' }
sub sorted { my %seen = map { $_ => 1 } @_; return [ sort keys %seen ] }

# Everything that is ours, by its path; what a build beside the sources makes is not.
my %file;
my @places = grep { -e } map { "$top/$_" } qw(.ci .clang-format HACKING.md LICENSE Makefile.am NEWS.md README.md apache-conf configure.ac
	doc fcgi-app lib lighttpd-conf man memcached-conf nginx-conf quickstart systemd t web);
find({ no_chdir => 1, wanted => sub {
	$File::Find::prune = 1 if -d && m{/(?:node_modules|\.deps|\.dirstamp|autom4te\.cache|errors/\.made|site)$};
	return unless -f && !m{\.(?:o|a|t\.log|trs)$|/\.dirstamp$|/\.made$|/hls\.min\.js$};
	(my $path = $_) =~ s{^\Q$top\E/}{};
	$file{$path} = 1;
} }, @places);
cmp_ok scalar keys %file, '>', 200, 'the files were found';
my @text = grep { !m{^t/fuzz/corpus/|^web/.*\.(?:woff2?|png|ico|webp)$} && -T "$top/$_" } sort keys %file;

# --- settings: the table, the example, `sluice check`, the manual page ----------------------------------
my @settings = text("$top/lib/io/settings.c") =~ /^\t\{"([a-z_]+)", SETTING_/mg;
cmp_ok scalar @settings, '>', 30, 'the table of settings was found';
my $dir = File::Temp::tempdir('sluice-XXXXXX', TMPDIR => 1, CLEANUP => 1);
open my $conf, '>', "$dir/sluice.conf" or die "sluice.conf: $!\n";
print $conf qq{state_dir = "$dir/state"\nrun_dir = "$dir/run"\nmemcached_servers = ""\n};
close $conf;
delete $ENV{$_} for grep { /^SLUICE_(?!SRCDIR|BUILDDIR)/ } keys %ENV;
my $checked = `$build/sluice -c $dir/sluice.conf check 2>&1`;
my $page = text("$build/man/sluice.conf.5");
is_deeply sorted($checked =~ /^([a-z_]+) = /mg), sorted(@settings), 'check shows every setting and no other';
is_deeply sorted(text("$build/sluice.conf.example") =~ /^#?([a-z_]+) = /mg), sorted(@settings), 'so does the example';
my ($described) = $page =~ /^\.Sh SETTINGS\n(.*?)^\.Sh /ms;
is_deeply sorted(($described // $page) =~ /^\.It Ic ([a-z_]+)$/mg), sorted(@settings), 'and the manual page';
my $struct = text("$top/lib/io/conf.h");
is_deeply [ grep { $struct !~ /\b$_(?:_s|_ms)?\b/ } @settings ], [], 'each is a member of struct conf';
my $used = join "\n", map { text("$top/$_") } grep { m{^(?:lib|fcgi-app)/.*\.[ch]$} && !m{^lib/io/(?:settings|conf)} } @text;
is_deeply [ grep { $used !~ /(?:->|\.)$_(?:_s|_ms)?\b/ } @settings ], [], 'and read by somebody';

# --- the map ----------------------------------------------------------------------------------------------
my @named = text("$top/HACKING.md") =~ m{`((?:lib/|fcgi-app/)?(?:base|http|hls|io|av|svc|door|endpoints|media|processes)/[a-z_/]+(?:\.[ch])?)`}g;
cmp_ok scalar @named, '>', 40, 'HACKING.md names files';
is_deeply [ grep { my $name = $_; !grep { m{(?:^|/)\Q$name\E(?:[./]|$)} } keys %file } @named ], [], 'which are there';

# --- the format --------------------------------------------------------------------------------------------
SKIP: {
	my ($version) = (`clang-format --version 2>&1` // '') =~ /version (\d+)/;
	skip 'clang-format 14 is not installed', 1 if ($version // 0) != 14;
	my @sources = grep { /\.[ch]$/ } @text;
	my $wrong = `cd '$top' && clang-format --style=file --dry-run @sources 2>&1`;
	is_deeply sorted($wrong =~ /^(\S+?):\d+:.*\[-Wclang-format-violations\]/mg), [], 'every source is as `make format` leaves it';
}

# --- the build --------------------------------------------------------------------------------------------
my @lists = grep { /\.am$/ } @text;
(my $lists = join "\n", map { text("$top/$_") } @lists) =~ s/^#.*//mg;
my %listed = map { $_ => 1 } $lists =~ m{(?<![\w/])((?:lib|fcgi-app|t)/[\w./-]+\.[ch])\b}g;
is_deeply [ grep { !$file{$_} } sort keys %listed ], [], 'every source that a sources.am names is there';
is_deeply [ grep { m{^(?:lib|fcgi-app|t)/.*\.[ch]$} && !$listed{$_} } @text ], [], 'and names every one that is there';

# --- tests ------------------------------------------------------------------------------------------------
my @tests = grep { m{^t/\d\d-[\w-]+\.t$|^t/front/[\w-]+\.t$} } @text;
my %registered = map { $_ => 1 } $lists =~ m{(t/(?:front/[\w-]+|\d\d-[\w-]+)\.t)}g;
is_deeply [ grep { !$registered{$_} } @tests ], [], 'every script is run';
is_deeply [ grep { !$file{$_} } sort keys %registered ], [], 'and there';
is_deeply [ grep { !-x "$top/$_" || text("$top/$_") !~ /\A#!\/usr\/bin\/perl\n# \Q$_\E - \S/ } @tests ], [], 'executable, and begins with what it is';
my @shipped = grep { m{^t/(?:lib/.*\.pm|unit/.*\.h|fuzz/run|[a-z]+)$} } @text;
is_deeply [ grep { $lists !~ /(?:^|\s|=)\Q$_\E(?:\s|$)/ } @shipped ], [], 'what tests use is in a release';
my @units = map { m{^t/unit/(\w+)\.c$} } @text;
is_deeply [ grep { $lists !~ m{^check_PROGRAMS \+= t/unit/$_\.t$}m } @units ], [], 'every C test is built and run';
my @targets = map { m{^t/fuzz/fuzz_(\w+)\.c$} } @text;
is_deeply sorted($lists =~ /^FUZZERS \+= (\w+)$/mg), sorted(@targets), 'every fuzz target is fuzzed';
is_deeply [ grep { $lists !~ m{^check_PROGRAMS \+= t/fuzz/$_\.t$}m } @targets ], [], 'and its corpus replayed';
is_deeply sorted(map { m{^t/fuzz/corpus/(\w+)/} } keys %file), sorted(@targets), 'each has one';

# --- litter -----------------------------------------------------------------------------------------------
my $later = join '|', 'TO' . 'DO', 'FIX' . 'ME', 'XX' . 'X', 'HA' . 'CK';
my (@later, @blanks, @ends, @crlf, @long);
for my $path (@text) {
	my $text = text("$top/$path");
	push @later, $path if $text =~ /(?<![A-Za-z])(?:$later)(?![A-Za-z])/ && $path ne 'LICENSE';
	push @blanks, $path if $text =~ /[ \t]+$/m;
	push @ends, $path if length $text && ($text !~ /\n\z/ || $text =~ /\n\n\z/);
	push @crlf, $path if $text =~ /\r\n/;
	push @long, $path if $path =~ m{^t/.*\.(?:[ch]|pm|t)$} && ($text =~ tr/\n//) > 600;
}
is_deeply \@later, [], 'nothing is left for later';
is_deeply \@blanks, [], 'no line ends in blanks';
is_deeply \@ends, [], 'every file ends with one newline';
is_deeply \@crlf, [], 'of one kind';
is_deeply \@long, [], 'and no test is longer than 600 lines';

done_testing;
