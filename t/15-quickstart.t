#!/usr/bin/perl
# t/15-quickstart.t - ./quickstart says in one sentence what it cannot do, before it does anything.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use File::Temp ();
use IO::Socket::INET;
use Test::More;

my $quickstart = ($ENV{SLUICE_SRCDIR} // '.') . '/quickstart';
my $top = File::Temp::tempdir('sluice-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $dir = "$top/run";

sub listener { return IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $_[0], Listen => 1) }

# Two ports, one above the other, of which the upper one is taken.
my ($free, $taken);
for (1 .. 50) {
	my $lower = listener(0) or next;
	$free = $lower->sockport;
	last if $free < 65_000 && ($taken = listener($free + 1));
}
ok $taken, 'a port is taken';

# (exit status, what it says)
sub run {
	my @words = @_;
	my $pid = open my $out, '-|';
	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		exec $quickstart, @words or POSIX::_exit(127);
	}
	local $/;
	my $text = <$out> // '';
	close $out;
	return ($? >> 8, $text);
}

my @cases = (
	[ [ '--frot', 'nginx' ], qr/unknown word: --frot/ ],
	[ ['--port'], qr/--port needs a value/ ],
	[ [ '--port', '0' ], qr/--port takes a number from 1 to 65535, not 0/ ],
	[ [ '--port', '80x' ], qr/not 80x/ ],
	[ [ '--port', '65534' ], qr/65533 is the highest/ ],
	[ [ '--port', $free + 1 ], qr/port @{[$free + 1]} is taken; choose another with --port/ ],
	[ [ '--port', $free ], qr/gateway needs the two ports above $free, but port @{[$free + 1]} is taken/ ],
	[ [ '--front', 'caddy' ], qr/--front takes lighttpd, nginx or apache, not caddy/ ],
	[ [ '--bind', '::1' ], qr/--bind takes an IPv4 address of this machine, not ::1/ ],
	[ [ '--bind', '192.0.2.77' ], qr/nothing can listen on 192\.0\.2\.77/ ],
	[ [ '--conf', "$top/none" ], qr/there is no such file for --conf/ ],
	[ [ '--dir', "$top/a b" ], qr/choose with --dir a path/ ],
	[ [ '--dir', "$top/" . 'x' x 90 ], qr/too long for the sockets/ ],
);
for my $case (@cases) {
	my ($words, $said) = @$case;
	my ($status, $text) = run('--dir', $dir, @$words);
	is $status, 1, "@$words is refused";
	like $text, $said, 'in words';
	unlike $text, qr/^Building/m, 'before anything is built';
}
for my $command (qw(stop status reload)) {
	my ($status, $text) = run($command, '--dir', $dir . '2');
	is_deeply [ $status, $text ], [ 0, "Nothing runs in ${dir}2.\n" ], "$command says when there is nothing";
}
opendir my $there, $top or die "$top: $!\n";
is_deeply [ grep { !/^\./ && $_ ne 'run' } readdir $there ], [], 'and no folder is made by any of that';
done_testing;
