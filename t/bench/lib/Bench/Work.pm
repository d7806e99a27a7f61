# t/bench/lib/Bench/Work.pm - segments of films: asked for, made by hand, made by Express; what they take.
# SPDX-License-Identifier: BSD-2-Clause
package Bench::Work;
use strict;
use warnings;
use File::Path qw(remove_tree);
use POSIX ();
use Time::HiRes qw(time sleep);
use App;
use App::Client;
use Bench;

my %KBPS = ('240p' => 350, '360p' => 600, '480p' => 1000, '720p' => 2500, '1080p' => 4500);

# --- ours -----------------------------------------------------------------------------------------

sub id { my ($name) = @_; return 'vod-' . substr `printf %s '$name' | sha256sum`, 0, 16 }

# As a player that is told to ask again does.
sub get {
	my ($port, $target) = @_;
	local $App::Client::TIMEOUT = 120;    # however slow it is, it is measured
	my $reply = App::Client::http($port, 'GET', $target, []);
	for (1 .. 5) {
		last if $reply->status != 503;
		sleep 1;
		$reply = App::Client::http($port, 'GET', $target, []);
	}
	die "$target: " . $reply->status . ' ' . $reply->body . "\n" if $reply->status != 200 || !length $reply->body;
	return $reply->body;
}

# The addresses of a film's version, as its master names them.
sub root {
	my ($app, $name) = @_;
	my $root = '/api/hls/' . id($name);
	my ($ver) = get($app->port, "$root/master.m3u8") =~ m{^([0-9a-f]{32})/}m or die "$name has no version\n";
	return "$root/$ver";
}

sub segment { my ($app, $name, $rendition, $n) = @_; return get($app->port, root($app, $name) . "/$rendition/$n.m4s") }

# Where segments end, in seconds.
sub cuts {
	my ($app, $name, $rendition) = @_;
	my $at = 0;
	return map { $at += $_ } get($app->port, root($app, $name) . "/$rendition.m3u8") =~ /^#EXTINF:([\d.]+)/mg;
}

# Of what was published of films nothing is left, not even in the front server, which keeps files open
# for two seconds; their indexes are elsewhere. What comes with a film is waited for first, or it would
# be published in the middle of this.
sub unpublish {
	my ($app, @names) = @_;
	rest($app);
	remove_tree(map { $app->www . '/api/hls/' . id($_) } @names);
	sleep 2.5;
	return;
}

# Waits until nothing is being made: no child works, twice in a row, for one follows the other. What
# comes with a film begins a moment after it.
sub rest {
	my ($app) = @_;
	my $still = 0;
	sleep 0.3;
	$app->wait_for(sub {
		my $zygote = zygote($app) // return 1;
		$still = (grep { $_->{name} eq 'sluice-media' && $_->{parent} == $zygote } $app->processes) ? 0 : $still + 1;
		return $still > 2;
	}, 60, 'an end of what is made') or die "there is no end to what is made\n";
	return;
}

# Nothing of a file stays in the page cache.
sub forget_pages { my ($path) = @_; system("dd if='$path' iflag=nocache count=0 2>/dev/null") == 0 or die "dd: $path\n"; return }

sub decodes {
	my ($bytes) = @_;
	my $path = Bench::builddir() . "/t/bench/segment-$$";
	Bench::write_file($path, $bytes);
	my $said = `ffmpeg -nostdin -v warning -i '$path' -f null - 2>&1`;
	unlink $path;
	die "a segment does not decode: $said\n" if $said ne '' || $?;
	return;
}

# --- an ffmpeg for each ---------------------------------------------------------------------------

sub picture {
	my ($rung) = @_;
	return '-c:v copy' if $rung eq 'source';
	return sprintf '-vf scale=-2:%d -c:v libx264 -preset veryfast -crf 23 -maxrate %dk -bufsize %dk', $rung =~ /(\d+)/, ($KBPS{$rung}) x 2;
}

# Seconds that it takes; $list: with an ffprobe before it that says how long the film is.
sub by_hand {
	my ($path, $rung, $begin, $end, $list) = @_;
	my $begun = time;
	my $length = $end - $begin;
	system("ffprobe -v error -show_entries format=duration -of csv=p=0 '$path' >/dev/null") == 0 or die "ffprobe: $path\n" if $list;
	my $made = Bench::builddir() . "/t/bench/by-hand-$$";
	system("ffmpeg -nostdin -v error -y -ss $begin -i '$path' -t $length -map 0:v:0 @{[ picture($rung) ]} -output_ts_offset $begin -muxdelay 0 -f mpegts '$made'") == 0
		&& -s $made or die "ffmpeg: $path\n";
	my $took = time - $begun;
	unlink $made;
	return $took;
}

# --- Express --------------------------------------------------------------------------------------

# An object whose measures are undef where there is none.
sub node {
	my ($class, $app, $films) = @_;
	my $program = Bench::builddir() . '/t/bench/node/film.js';
	my $self = bless { port => Bench::free_port() }, $class;
	return $self if !App::which('node') || !-d Bench::builddir() . '/t/bench/node/node_modules/express';
	$self->{session} = $app->start_beside(node => App::which('env'), "PORT=$self->{port}", "FILMS=$films", 'NODE_ENV=production', App::which('node'), $program);
	$app->wait_for(sub { App::Client::http($self->{port}, 'GET', '/health', [])->status == 200 }, 20, 'node') or die 'node: ' . $app->output('node');
	return $self;
}

sub segment_of { my ($self, $name, $rung, $n, $s) = @_; return get($self->{port}, "/$name/$rung/$n.ts?s=$s") }

# Seconds until there is a segment.
sub taken {
	my ($self, $code) = @_;
	return undef if !$self->{session};
	my $begun = time;
	$code->();
	return time - $begun;
}

sub made {
	my ($self, $name, $rung, $n, $s) = @_;
	return $self->taken(sub { $self->segment_of($name, $rung, $n, $s) });
}

sub start {
	my ($self, $name, $rung, $s, $list) = @_;
	return $self->taken(sub {
		get($self->{port}, "/$name/index.m3u8") if $list;
		$self->segment_of($name, $rung, 0, $s);
	});
}

sub costs_of { my ($self, $code) = @_; return $self->{session} ? costs([ $self->{session} ], $code) : undef }

# --- what it takes --------------------------------------------------------------------------------

# Seconds of processor that these sessions use meanwhile (none: whatever we start), and all of their
# children that have ended.
sub costs {
	my ($sessions, $code) = @_;
	my $before = processor(@$sessions);
	$code->();
	return processor(@$sessions) - $before;
}

sub processor {
	my (@sessions) = @_;
	if (!@sessions) {
		my (undef, undef, $user, $system) = times;
		return $user + $system;
	}
	my $ticks = 0;
	for my $pid (Bench::session(@sessions)) {
		my (@fields) = split ' ', Bench::read_file("/proc/$pid/stat") =~ s/^\d+ \(.*\) //sr;
		$ticks += $_ // 0 for @fields[ 11 .. 14 ];    # proc(5): utime, stime, cutime, cstime
	}
	return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# sluice-media, whose children do the work; undef where nothing was asked of it for a minute.
sub zygote {
	my ($app) = @_;
	my ($packager) = $app->pids('packager');
	my ($zygote) = grep { defined $packager && $_->{parent} == $packager && $_->{name} eq 'sluice-media' } $app->processes;
	return $zygote && $zygote->{pid};
}

# The most memory, in KiB, that a descendant of a process holds meanwhile.
sub peak {
	my ($parent, $code) = @_;
	my $watcher = open my $told, '-|';
	defined $watcher or die "fork: $!\n";
	if (!$watcher) {
		my ($most, $end) = (0, 0);
		local $SIG{TERM} = sub { $end = 1 };
		until ($end) {
			for my $pid (descendants($parent)) {
				my ($held) = Bench::read_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+)/m;
				$most = $held if $pid != $$ && ($held // 0) > $most;
			}
			sleep 0.001;
		}
		print $most;
		close STDOUT;
		POSIX::_exit(0);
	}
	sleep 0.2;
	$code->();
	kill TERM => $watcher;
	my $most = <$told>;
	close $told;
	return $most || die "nobody held any memory\n";
}

sub descendants {
	my @found;
	for my $pid (@_) {
		push @found, split ' ', Bench::read_file("/proc/$pid/task/$pid/children");
	}
	return @found ? (@found, descendants(@found)) : ();
}

1;
