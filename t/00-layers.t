#!/usr/bin/perl
# t/00-layers.t - the house is as HACKING.md draws it.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use File::Find;
use Test::More;

my $top = $ENV{SLUICE_SRCDIR} // '.';
my %text;    # path below $top => content
find(
	{   no_chdir => 1,
		wanted   => sub {
			return unless -f && /\.[ch]$/;
			(my $path = $_) =~ s{^\Q$top\E/}{};
			return unless $path =~ m{^(lib|fcgi-app|t)/};
			open my $in, '<', $_ or die "$_: $!";
			local $/;
			$text{$path} = <$in>;
		}
	},
	$top
);
cmp_ok(scalar keys %text, '>', 30, 'the sources were found');

# --- who may include whom ---------------------------------------------------------------------------
my %below = (
	'lib/base'             => [],
	'lib/http'             => ['lib/base'],
	'lib/hls'              => ['lib/base'],
	'lib/io'               => [qw(lib/base lib/http lib/hls)],
	'lib/av'               => [qw(lib/base lib/http lib/hls)],
	'lib/svc'              => [qw(lib/base lib/http lib/hls lib/io)],
	'fcgi-app/door'        => [qw(lib/base lib/http lib/hls lib/io lib/svc)],
	'fcgi-app/endpoints'   => [qw(lib/base lib/http lib/hls lib/io lib/svc fcgi-app/door fcgi-app)],
	'fcgi-app/processes'   => [qw(lib/base lib/http lib/hls lib/io lib/svc fcgi-app/door fcgi-app),
		map { "fcgi-app/processes/$_" } qw(filler jobs live packager)],
	(map { ("fcgi-app/processes/$_" => [qw(lib/base lib/http lib/hls lib/io lib/svc fcgi-app/processes)]) } qw(filler jobs live packager)),
	'fcgi-app/media'       => [qw(lib/base lib/http lib/hls lib/io lib/av)],
	'fcgi-app'             => [qw(lib/base lib/http lib/hls lib/io lib/svc fcgi-app/door fcgi-app/processes)],
);
my @wrong;
for my $path (sort grep { !m{^t/} } keys %text) {
	my ($room) = $path =~ m{^(.*)/};
	next if $path eq 'fcgi-app/door/route.c';    # the table of endpoints is what it is there for
	while ($text{$path} =~ /^#include "([^"]+)"/mg) {
		my $included = $1;
		next if $included eq 'config.h';
		my ($from) = $included =~ m{^(.*)/};
		next if defined $from && ($from eq $room || grep { $_ eq $from } @{ $below{$room} // [] });
		push @wrong, "$path includes $included";
	}
}
is_deeply(\@wrong, [], 'every file includes only its own layer and those below');

# --- each outside library in one .c file --------------------------------------------------------------
my %library = (
	'fcgiapp.h'                => 'libfcgi',
	'curl/curl.h'              => 'libcurl',
	'libmemcached/memcached.h' => 'libmemcached',
	'sqlite3.h'                => 'SQLite',
	'confuse.h'                => 'libconfuse',
	'expat.h'                  => 'expat',
	'libpq-fe.h'               => 'libpq',
);
for my $header (sort keys %library) {
	my @in = grep { !m{^t/} && $text{$_} =~ /^#include <\Q$header\E>/m } sort keys %text;
	# Not every library is used yet.
	next if !@in && $header =~ /^(?:expat|libpq-fe)\.h$/;
	is(scalar @in, 1, "$library{$header} is named in one file") or diag("in @in");
	like($in[0] // '', qr/\.c$/, "which is no header");
}
my @crypto = grep { !m{^t/} && $text{$_} =~ /^#include <openssl\//m } sort keys %text;
is_deeply(\@crypto, ['lib/io/sign.c'], 'libcrypto is named in one file');
my $libav = qr/^#include <lib(?:avformat|avcodec|avutil|avfilter|swscale|swresample)\//m;
is_deeply([grep { !m{^lib/av/|^t/unit/av} && $text{$_} =~ $libav } sort keys %text],
	[], 'libav is named in lib/av alone');
is_deeply([grep { m{^(?:lib/(?!av/)|fcgi-app/(?!media/))} && $text{$_} =~ m{^#include "lib/av/}m } sort keys %text],
	[], 'which nothing uses but the program that runs in a box');
is_deeply([grep { /\.h$/ && $text{$_} =~ /json-c/ && $text{$_} =~ /^#include <json/m } keys %text],
	[], 'no header names json-c');

# --- what may not be called -----------------------------------------------------------------------------
my $banned = join '|', qw(sprintf vsprintf strcpy strcat stpcpy strtok gets atoi atol atoll atof
	scanf fscanf sscanf vsscanf strtol strtoll strtoul strtoull strtod strtof strtold strtoimax strtoumax
	localtime gmtime ctime asctime alloca mktemp tmpnam tempnam system popen);
my @calls;
for my $path (sort grep { !m{^t/} } keys %text) {
	(my $code = $text{$path}) =~ s{/\*.*?\*/|"(?:\\.|[^"\\])*"}{}gs;
	push @calls, "$path calls $1" while $code =~ /(?<![\w.>])($banned)\s*\(/g;
}
is_deeply(\@calls, [], 'no banned function is called');

# --- how a file begins, and how large it may be ----------------------------------------------------------
for my $path (sort keys %text) {
	my @lines = split /\n/, $text{$path};
	like($lines[0], qr{^/\* \Q$path\E - \S}, "$path begins with what it is");
	like($lines[1], qr{^ \* SPDX-License-Identifier: BSD-2-Clause(?: \*/)?$}, "$path names its licence in the second line");
	next if $path =~ m{^t/};
	cmp_ok(scalar @lines, '<=', 500, "$path is at most 500 lines");
}

# --- how long a function may be -------------------------------------------------------------------------
my @long;
for my $path (sort grep { /\.c$/ && !m{^t/} } keys %text) {
	my ($name, $at, $n) = ('', 0, 0);
	my $previous = '';
	for my $line (split /\n/, $text{$path}) {
		$n++;
		if ($line eq '{') { ($name, $at) = ($previous, $n) }
		if ($line eq '}' && $at) {
			push @long, "$path:$at ($name)" if $n - $at - 1 > 50;
			$at = 0;
		}
		$previous = $line;
	}
}
is_deeply(\@long, [], 'no function is longer than 50 lines');

done_testing;
