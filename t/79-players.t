#!/usr/bin/perl
# t/79-players.t - a film to its end and a channel for a while, in the players of others.
# SPDX-License-Identifier: BSD-2-Clause
#
# Each is a package of Debian; one that is not installed is said to be skipped. Browsers have tests of
# their own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use File::Temp ();
use Test::More;
use Time::HiRes qw(time);
use App;
use Film;
use Gateway;

plan skip_all => 'other players take minutes; SLUICE_LONG=1 starts them' unless $ENV{SLUICE_LONG};
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');

my $films = File::Temp->newdir;
copy(Film->new('base.mkv')->path, "$films/Film.mkv") or die "base.mkv: $!\n";
my $app = App->new(via => 'lighttpd', gateway => Gateway->new, conf => { relay_threads => 32, slate_dir => '' },
	sources => [ { name => 'films', type => 'files', url => "$films" } ]);
my $url  = 'http://127.0.0.1:' . $app->port . '/api/hls';
my $film = "$url/films.vod-" . substr(`printf %s Film.mkv | sha256sum`, 0, 16) . '/master.m3u8';
my $live = "$url/demo.live-1/master.m3u8";
my ($PICTURES, $FILM_S, $LIVE_S) = (300, 12, 8);
my ($dir, $said);    # of the player that runs

# VLC plays for nobody who is root, so it is nobody. It has neither screen nor desktop to speak of, and
# stays with one quality: when it changes, its own decoder complains that the old one holds the pictures.
sub vlc
{
	my ($target, @more) = @_;
	chmod 0777, $dir;
	my @as = $> == 0 ? qw(setpriv --reuid 65534 --regid 65534 --clear-groups) : ();
	run('env', "HOME=$dir", @as, qw(cvlc --adaptive-logic lowest -I dummy --vout vdummy --aout adummy --no-video-title-show --play-and-exit), @more, $target, 'vlc://quit');
	$said =~ s/^.*(?:interface|libvlc|dbus|deprecated pixel format).*\n?//mg;
	return join "\n", $said =~ /^(.*(?:error|corrupt).*)$/mgi;
}

sub run
{
	my (@command) = @_;
	my $log = "$dir/said";
	system 'sh', '-c', 'exec timeout -k 5 -s INT 60 "$@" >"$0" 2>&1', $log, @command;
	return $said = Film::_slurp($log);
}

sub saved { my @files = glob "$dir/*.jpg"; return scalar @files }
sub chained { return scalar(() = $said =~ /GstFakeSink:picture: last-message = chain/g) }
sub packets_of { my ($file) = @_; return (`ffprobe -v error -count_packets -select_streams v:0 -show_entries stream=nb_read_packets -of csv=p=0 '$file'` =~ /(\d+)/)[0] // 0 }

sub gst
{
	my ($target, $seconds) = @_;
	run(($seconds ? ('timeout', '-k', 5, '-s', 'INT', $seconds) : ()), 'gst-launch-1.0', '-e', '-v', 'playbin', "uri=$target",
		'video-sink=fakesink name=picture silent=false sync=true', 'audio-sink=fakesink sync=true');
	return join "\n", $said =~ /^((?:ERROR|WARNING|CRITICAL|\(gst).*)$/mg;
}

sub mpv { my ($target, @more) = @_; return run(qw(mpv --no-config --msg-level=all=error --vo=image --vo-image-format=jpg), "--vo-image-outdir=$dir", '--ao=null', @more, $target) =~ s/^\s+//r }
sub ffmpeg { my ($target, @more) = @_; return run('ffmpeg', qw(-nostdin -v warning -y -i), $target, @more, qw(-map 0:v:0 -map 0:a:0 -fps_mode passthrough -f nut), "$dir/out") }
sub streamlink { my ($target, @more) = @_; return run(qw(streamlink --loglevel warning -f), @more, '-o', "$dir/out", "hls://$target", 'best') }
sub out { return packets_of("$dir/out") }

# A player, its program, how it takes the film and the channel: what it complained of; how many
# pictures came out (where it can be told).
my @players = (
	[ 'ffmpeg', 'ffmpeg', sub { ffmpeg($film) }, sub { ffmpeg($live, '-t', $LIVE_S) }, \&out ],
	[ 'mpv', 'mpv', sub { mpv($film, '--untimed') }, sub { mpv($live, "--length=$LIVE_S") }, \&saved ],
	[ 'VLC', 'cvlc', sub { vlc($film) }, sub { vlc($live, "--run-time=$LIVE_S") }, undef ],
	[ 'GStreamer', 'gst-launch-1.0', sub { gst($film) }, sub { gst($live, $LIVE_S + 4) }, \&chained ],
	# It loses a short film whose sound is apart: its two readers are done before its ffmpeg has begun.
	[ 'streamlink', 'streamlink', sub { streamlink("$film?format=ts") }, sub { streamlink($live, '--hls-duration', $LIVE_S) }, \&out ],
);

# A channel that is on: of every quality there are some seconds.
my @lists = $app->get('/api/hls/demo.live-1/master.m3u8')->body =~ /^(\w+\.m3u8)$/mg;
sub is_on { return !grep { 3 > (() = $app->get("/api/hls/demo.live-1/$_")->body =~ /^#EXTINF/mg) } @lists }
for (@players) {
	my ($name, $program, $whole, $while, $count) = @$_;
	SKIP: {
		skip "$name is not installed", 1 if !App::which($program);
		for my $case ([ 'the film', $whole ], [ 'the channel', $while ]) {
			my ($what, $play) = @$case;
			$app->wait_for(\&is_on, 40, 'the channel') if $what eq 'the channel';
			$dir = File::Temp->newdir;
			my $begun = time;
			is $play->(), '', "$name plays $what without a complaint" or diag $said;
			my $took = time - $begun;
			my $pictures = $count ? $count->() : undef;
			if ($what eq 'the film') {
				is $pictures, $PICTURES, 'every picture of it' if $count;
				cmp_ok $took, '>', $FILM_S - 1, 'as long as it is' if !$count;
			} else {
				cmp_ok $pictures, '>', 25 * ($LIVE_S - 3), 'picture after picture' if $count;
				cmp_ok $took, '>', $LIVE_S / 2, 'for a while' if !$count;
			}
			cmp_ok $took, '<', 55, 'and comes to an end';
		}
	}
}
unlike $app->log, qr/ error | died /, 'and the service has nothing to complain of';
done_testing;
