#!/usr/bin/perl
# t/front/reload.t - ten reloads of the server and ten upgrades of the program while a browser plays
# and twenty requests a second are asked: none fails, nothing stalls. A minute a server: SLUICE_LONG.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Copy qw(copy);
use Test::More;
use Time::HiRes qw(sleep time);
use App;
use Gateway;

my ($TIMES, $EVERY_S, $A_SECOND) = (10, 2.5, 20);
my ($node) = App::which('node');
plan skip_all => 'takes a minute for each server: SLUICE_LONG=1' unless $ENV{SLUICE_LONG};
plan skip_all => 'node is not installed' unless $node;

my $place = File::Temp->newdir;
chmod 0755, "$place";
my ($built, $program) = (App::program(), "$place/sluice");
sub upgrade { copy($built, "$program.new"); chmod 0755, "$program.new"; return rename "$program.new", $program }
upgrade();
{ no warnings 'redefine'; *App::program = sub { return $program } }
my $gateway = Gateway->new;

# Asks on time, from a process of its own, until told to stop. Prints what failed, then how many.
sub ask_steadily {
	my ($app, @targets) = @_;
	my $pid = open my $said, '-|';
	defined $pid or die "fork: $!\n";
	return ($pid, $said) if $pid;
	my ($asked, $begun, $stop) = (0, time, 0);
	local $SIG{TERM} = sub { $stop = 1 };
	$| = 1;
	until ($stop) {
		my $wait = $begun + $asked / $A_SECOND - time;
		sleep $wait if $wait > 0;
		my $target = $targets[ $asked++ % @targets ];
		my $reply = $app->get($target);
		printf "%s: %d %s\n", $target, $reply->status, substr $reply->body, 0, 100 if $reply->status != 200;
	}
	print "asked $asked\n";
	POSIX::_exit(0);
}

for my $way (grep { App::Front::is_here($_) } qw(lighttpd nginx apache)) {
	subtest $way => sub {
		my $app = App->new(gateway => $gateway, via => $way, conf => { ladder => '360p audio' });
		my $url = 'http://127.0.0.1:' . $app->port;
		my $seconds = int 2 * $TIMES * $EVERY_S + 5;
		open my $browser, '-|', $node, "$FindBin::Bin/../browser/still.mjs", $url, $seconds or die "still.mjs: $!\n";
		my $text = '';
		while (defined(my $line = <$browser>)) { $text .= $line; last if $line =~ /^# playing|^1\.\.0|^not ok/ }
		return plan skip_all => $1 if $text =~ /^1\.\.0 # SKIP (.*)/;
		my ($asset) = $app->get('/')->body =~ m{"(/web/[0-9a-f]{16}/base\.css)};
		my ($pid, $said) = ask_steadily($app, '/api/live', '/api/live/1', '/api/hls/1/360p.m3u8', $asset, '/health/ready', '/api/live?q=one');
		for my $time (1 .. $TIMES) {
			$app->front->reload($app->front_pid);
			sleep $EVERY_S;
			upgrade();
			my ($status, $why) = $app->command('reload');
			is $status, 0, "upgrade $time" or diag $why;
			sleep $EVERY_S;
		}
		kill TERM => $pid;
		my $failed = do { local $/; <$said> };
		$text .= do { local $/; <$browser> } // '';
		close $browser;
		is $? >> 8, 0, 'the browser played on' or diag $text;
		like $text, qr/^1\.\.\d+$/m, 'to the end';
		note $text;
		my ($asked) = $failed =~ s/^asked (\d+)\n//m ? $1 : 0;
		cmp_ok $asked, '>', $A_SECOND * $TIMES * $EVERY_S, "$asked requests were asked meanwhile";
		is $failed, '', 'and none of them failed';
	};
}
done_testing;
