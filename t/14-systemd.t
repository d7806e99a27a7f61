#!/usr/bin/perl
# t/14-systemd.t - the units are good ones, and name the program and the sockets that there are.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use File::Temp ();
use Test::More;

my $build = $ENV{SLUICE_BUILDDIR} // die "SLUICE_BUILDDIR names no build\n";
sub text { open my $file, '<', $_[0] or die "$_[0]: $!\n"; local $/; return <$file> }

my %unit = map { m{([^/]+)$}; ($1 => text($_)) } grep { !/\.in$/ } glob "$build/systemd/*";
is join(' ', sort keys %unit), 'sluice-api.service sluice-api.socket sluice-relay.service sluice-relay.socket '
	. 'sluice-supervisor.service sluice.service', 'a unit for each way to run it';
my ($bindir) = $unit{'sluice.service'} =~ m{^ExecStart=(\S+)/sluice }m;
for my $name (sort keys %unit) {
	unlike $unit{$name}, qr/\@[A-Z_]+\@/, "$name: nothing was left to be put in";
	next unless $name =~ /\.service$/;
	my ($command) = $unit{$name} =~ m{^ExecStart=\S+/sluice -c \S+ (.*)$}m;
	ok defined $command, "$name starts the program";
	my ($word) = split / /, $command // '';
	like scalar `$build/sluice --help`, qr/^  \Q$word\E /m, "by a command that there is ($command)";
}
my ($run_dir) = text("$build/sluice.conf.example") =~ /^#run_dir = "(.+)"$/m;
for my $pool (qw(api relay)) {
	like $unit{"sluice-$pool.socket"}, qr{^ListenStream=\Q$run_dir\E/$pool\.sock$}m, "the $pool socket is the one that front servers ask";
	like $unit{"sluice-$pool.service"}, qr/^StandardInput=socket$/m, 'and becomes descriptor 0';
	like $unit{"sluice-$pool.service"}, qr/ --pool $pool$/m, 'of its pool';
}

SKIP: {
	my $tool = (grep { -x } map { "$_/systemd-analyze" } split /:/, $ENV{PATH})[0];
	skip 'systemd-analyze is missing', 1 unless $tool;
	# A built program stands in for the installed one.
	my $dir = File::Temp::tempdir('sluice-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	for my $name (keys %unit) {
		(my $text = $unit{$name}) =~ s{\Q$bindir\E/sluice\b}{$build/sluice}g;
		open my $file, '>', "$dir/$name" or die "$name: $!";
		print $file $text;
	}
	my $said = `SYSTEMD_UNIT_PATH=$dir: $tool verify --man=no $dir/sluice* 2>&1`;
	# Of other units on this host nothing is asked here.
	is join('', grep { /sluice/ } split /^/, $said), '', 'systemd has nothing to say against them';
}

done_testing;
