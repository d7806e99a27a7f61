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
my ($PICTURES, $LIVE_S) = (300, 8);
my ($dir, $said);    # of the player that runs

# VLC plays for nobody who is root, so it is nobody. It has neither screen nor desktop to speak of, writes its
# pictures to a file, also the late ones, and stays with one quality, for the lowest of a channel would be sound
# alone. It tries decoders that this machine has not, and complains of those; here what it says of lists, files and
# broken pictures counts. Its own --run-time counts from where the list of a channel begins, before what it plays.
sub vlc
{
	my ($target, $seconds) = @_;
	chmod 0777, $dir;
	my @as = $> == 0 ? qw(setpriv --reuid 65534 --regid 65534 --clear-groups) : ();
	run(for_s($seconds), 'env', "HOME=$dir", @as, qw(cvlc --adaptive-logic highest --adaptive-maxheight 240 -I dummy --aout adummy),
		qw(--vout yuv --yuv-chroma I420 --yuv-yuv4mpeg2 --yuv-file), "$dir/out",
		qw(--no-video-title-show --no-drop-late-frames --no-skip-frames --play-and-exit), $target, 'vlc://quit');
	return join "\n", $said =~ /^(.*(?:\b(?:adaptive|demux|stream|access|packetizer|input)\b.* error|corrupt|concealing|error while decoding).*)$/mgi;
}

sub run
{
	my (@command) = @_;
	my $log = "$dir/said";
	system 'sh', '-c', 'exec timeout -k 5 -s INT 60 "$@" >"$0" 2>&1', $log, @command;
	return $said = Film::_slurp($log);
}

sub for_s { my ($seconds) = @_; return $seconds ? ('timeout', '-k', 5, '-s', 'INT', $seconds) : () }
sub saved { my @files = glob "$dir/*.jpg"; return scalar @files }
sub chained { return scalar(() = $said =~ /GstFakeSink:picture: last-message = chain/g) }
sub packets_of { my ($file) = @_; return (`ffprobe -v error -count_packets -select_streams v:0 -show_entries stream=nb_read_packets -of csv=p=0 '$file'` =~ /(\d+)/)[0] // 0 }

sub gst
{
	my ($target, $seconds) = @_;
	run(for_s($seconds), 'gst-launch-1.0', '-e', '-v', 'playbin', "uri=$target",
		'video-sink=fakesink name=picture silent=false sync=true', 'audio-sink=fakesink sync=true');
	return join "\n", $said =~ /^((?:ERROR|WARNING|CRITICAL|\(gst).*)$/mg;
}

sub mpv { my ($target, @more) = @_; return run(qw(mpv --no-config --msg-level=all=error --vo=image --vo-image-format=jpg), "--vo-image-outdir=$dir", '--ao=null', @more, $target) =~ s/^\s+//r }
sub ffmpeg { my ($target, @more) = @_; return run('ffmpeg', qw(-nostdin -v warning -y -i), $target, @more, qw(-map 0:v:0 -map 0:a:0 -fps_mode passthrough -f nut), "$dir/out") }
sub streamlink { my ($target, @more) = @_; return run(qw(streamlink --loglevel warning -f), @more, '-o', "$dir/out", "hls://$target", 'best') }
sub out { return packets_of("$dir/out") }

# A player, its program, how it takes the film and the channel: what it complained of; how many
# pictures came out; how many it may lose while it looks for a decoder.
my @players = (
	[ 'ffmpeg', 'ffmpeg', sub { ffmpeg($film) }, sub { ffmpeg($live, '-t', $LIVE_S) }, \&out ],
	[ 'mpv', 'mpv', sub { mpv($film, '--untimed') }, sub { mpv($live, "--length=$LIVE_S") }, \&saved ],
	[ 'VLC', 'cvlc', sub { vlc($film) }, sub { vlc($live, $LIVE_S + 4) }, \&out, 2 ],
	[ 'GStreamer', 'gst-launch-1.0', sub { gst($film) }, sub { gst($live, $LIVE_S + 4) }, \&chained ],
	# It loses a short film whose sound is apart: its two readers are done before its ffmpeg has begun.
	[ 'streamlink', 'streamlink', sub { streamlink("$film?format=ts") }, sub { streamlink($live, '--hls-duration', $LIVE_S) }, \&out ],
);

# A channel that is on: of every quality there are some seconds.
my @lists = $app->get('/api/hls/demo.live-1/master.m3u8')->body =~ /^(\w+\.m3u8)$/mg;
sub is_on { return !grep { 3 > (() = $app->get("/api/hls/demo.live-1/$_")->body =~ /^#EXTINF/mg) } @lists }
for (@players) {
	my ($name, $program, $whole, $while, $count, $lost) = @$_;
	SKIP: {
		skip "$name is not installed", 1 if !App::which($program);
		for my $case ([ 'the film', $whole ], [ 'the channel', $while ]) {
			my ($what, $play) = @$case;
			$app->wait_for(\&is_on, 40, 'the channel') if $what eq 'the channel';
			$dir = File::Temp->newdir;
			my $begun = time;
			is $play->(), '', "$name plays $what without a complaint" or diag $said;
			my $took = time - $begun;
			if ($what eq 'the film') {
				my $pictures = $count->();
				ok $pictures <= $PICTURES && $pictures >= $PICTURES - ($lost // 0), 'every picture of it' or diag "$pictures pictures";
			} else {
				cmp_ok $count->(), '>', 25 * ($LIVE_S - 3), 'picture after picture';
			}
			cmp_ok $took, '<', 55, 'and comes to an end';
		}
	}
}
unlike $app->log, qr/ error | died /, 'and the service has nothing to complain of';
done_testing;
