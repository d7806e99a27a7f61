#!/usr/bin/perl
# t/front/front.t - every front server and every way to start the program: one suite for all, and a
# list of what each cannot do. SLUICE_FRONT="nginx apache" runs it for these alone.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use App;
use Front;
use Front::Answers;
use Front::Files;
use Front::Life;
use Gateway;

my @all = qw(lighttpd bin-path nginx apache fcgid apache-cgi);
my @ways = $ENV{SLUICE_FRONT} ? split(' ', $ENV{SLUICE_FRONT}) : @all;
my $gateway = Gateway->new;

for my $way (@ways) {
	SKIP: {
		skip "$way is not installed", 1 unless App::Front::is_here($way);
		subtest $way => sub {
			my $begun = time;
			my $front = Front->new($way, gateway => $gateway);
			my $app = $front->app;
			# It starts while the rest is looked at.
			$app->get('/api/hls/1/master.m3u8');
			Front::Files::run($front);
			Front::Answers::run($front);
			Front::Life::run($front);
			unlike $app->log, qr/ (?:error|died) .*status=139|Sanitizer|must failed/, 'no process has died of a fault of ours';
			if (!App::Front::is_alone($way)) {
				Front::Life::end($front);
				subtest 'the program is away' => \&Front::Answers::away, $front;
			}
			undef $app;
			undef $front;
			subtest 'access by password' => \&Front::Answers::access, $way;
			note sprintf '%s took %d s', $way, time - $begun;
		};
	}
}
diag $_ for '', Front::list(@ways);
done_testing;
