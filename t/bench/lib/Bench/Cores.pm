# t/bench/lib/Bench/Cores.pm - what a channel costs while it is on.
# SPDX-License-Identifier: BSD-2-Clause
#
# The baseline is ffmpeg alone, with the same arguments, which reads the gateway by itself at the
# same time and leaves its segments in a directory. Both are in step with the broadcast, so a second
# of the clock is a second of media.
package Bench::Cores;
use strict;
use warnings;
use File::Path qw(make_path);
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Bench;

my @LADDERS = (
	[ '4 rungs and audio', '720p 480p 360p 240p audio' ], [ '3 rungs and audio', '720p 480p 360p audio', 0.6 ],
	[ '2 rungs and audio', '720p 360p audio' ], [ '1 rung', '720p' ], [ 'audio alone', 'audio' ],
);
my $WARM_S   = 5;
my $WINDOW_S = 3;
my $WINDOWS  = 5;

sub run {
	Bench::use_cores('0,1');
	my $gateway = Gateway->new;
	return map { ladder($gateway, @$_) } @LADDERS;
}

sub ladder {
	my ($gateway, $what, $ladder, $goal) = @_;
	my $app = App->new(gateway => $gateway, conf => { log_level => 'info', ladder => $ladder, slate_dir => '' });
	my ($first) = split / /, $ladder;
	$app->wait_for(sub { $app->get("/api/hls/1/$first.m3u8")->status == 200 }, 20, 'the channel') or die "no channel\n";
	my @ours  = ($app->pids('ffmpeg'), $app->pids('live'));
	my $plain = plain($app, $gateway, $ladder);
	sleep $WARM_S;
	my @plain = Bench::session($plain);
	my @runs = map { window($app, $first, \@ours, \@plain) } 1 .. $WINDOWS;
	my $seen = Bench::medians(@runs);
	die "the encoder was restarted\n" if grep { !-e "/proc/$_" } @ours, @plain;
	return Bench::row("$what ($ladder)", sprintf('%.3f core', $seen->{ours}), sprintf('%.3f core (ffmpeg alone)', $seen->{plain}),
		join(', ', $goal ? "≤ $goal core" : (), sprintf('%.2f× of it', $seen->{times})), $goal ? ($seen->{ours} <= $goal ? 1 : 0) : undef);
}

# The same arguments, but for where bytes come from and go to.
sub plain {
	my ($app, $gateway, $ladder) = @_;
	my ($pid) = $app->pids('ffmpeg');
	my @arguments = split /\0/, Bench::read_file("/proc/$pid/cmdline");
	my ($live) = map { m{^(.*/seg)/} ? $1 : () } $arguments[-1];
	my $dir = $app->dir . '/plain';
	make_path(map { "$dir/$_" } split / /, $ladder);
	my $url = $gateway->live_url(1);
	for (@arguments) {
		s/^pipe:0$/$url/;
		s{^pipe:3$}{$dir/list};
		s{^\Q$live\E/}{$dir/};
	}
	return $app->start_beside(plain => App::which('ffmpeg'), @arguments[ 1 .. $#arguments ]);
}

# Cores that each has used during some seconds, in which a viewer keeps the channel on.
sub window {
	my ($app, $rendition, $ours, $plain) = @_;
	my ($begun, $we, $they) = (time, Bench::used(@$ours), Bench::used(@$plain));
	sleep $WINDOW_S;
	my $s = time - $begun;
	my %cores = (ours => Bench::spent($we, Bench::used(@$ours)) / $s, plain => Bench::spent($they, Bench::used(@$plain)) / $s);
	die "an encoder ended: " . $app->output("plain") . $app->log if !$cores{ours} || !$cores{plain};
	$app->get("/api/hls/1/$rendition.m3u8");
	return { %cores, times => $cores{ours} / $cores{plain} };
}

1;
