#!/usr/bin/perl
# t/34-disk-full.t - disks fill up while viewers watch: what is watched goes on, nothing fails, it is
# said, and it is over as soon as there is room again.
# SPDX-License-Identifier: BSD-2-Clause
# Needs mounts of its own, which it makes in a namespace that nobody else sees. SLUICE_LONG=1 keeps
# the disks full for longer.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Disk;
use Gateway;
use Load;
use Prometheus;

Disk::own_mounts() or plan skip_all => Disk::missing();
plan skip_all => 'ffmpeg is not installed' if !App::which('ffmpeg');

my $long = $ENV{SLUICE_LONG};
my $full_s = $long ? 45 : 5;
my $list = '/api/hls/1/240p.m3u8';
my $gateway = Gateway->new;

# Runs a service whose directories are file systems of so many MB, with viewers, and fills one.
sub on_full_disk {
	my ($what, %how) = @_;
	my $app = App->new(gateway => $gateway, start => 0,
		conf => { ladder => '240p audio', live_idle => 60, free_floor => '4M', %{ $how{conf} // {} } });
	my @mounted;
	for my $mount (@{ $how{mounts} }) {
		my ($name, $mb) = @$mount;
		my $dir = $app->state_dir . $name;
		Disk::mount($dir, $mb);
		unshift @mounted, $dir;
	}
	my $end = sub { $app->stop; Disk::unmount(@mounted); $app->end };
	eval {
		$app->start;
		$app->import_sources;
		subtest $what => sub { watch($app, %how) };
		1;
	} or fail "$what: $@";
	$end->();
	return;
}

# Published segments that do not end with a packet.
sub cut_segments {
	my ($app) = @_;
	return scalar grep { !-s || (-s) % 188 } glob $app->state_dir . '/live/pub/*/*/*/*.ts';
}

sub watch {
	my ($app, %how) = @_;
	my $newest = sub { my @n = $app->get($list)->body =~ m{/(\d+)\.ts$}mg; return $n[-1] // 0 };
	my $disk = sub { $app->get('/health')->json->{checks}{disk} };
	ok $app->wait_for(sub { (() = $app->get($list)->body =~ /^#EXTINF/mg) >= 6 }, 30, 'a playlist'), 'a channel plays';
	is $disk->(), 'ok', 'there is room';
	my $load = Load->new($app, rate => 20, paths => [ '/api/live', $list, '/api/live/1', '/api/hls/1/master.m3u8', '/', '/health' ]);
	sleep 1.5;

	my $dir = $app->state_dir . $how{fill};
	my $clear = Disk::fill($dir, greedy => $how{greedy});
	my ($from, $segment) = (time, $newest->());
	ok $app->wait_for(sub { Disk::free_bytes($dir) < 65536 }, 5, 'a full disk'), 'the disk is full' if $how{greedy};
	ok $app->wait_for(sub { $disk->() =~ /\b$how{said} is full/ }, 5, 'health'), 'health says so';
	my $health = $app->get('/health');
	is $health->status . $health->json->{status}, '200degraded', 'of a service that goes on';
	diag 'health: ' . $health->json->{checks}{disk};
	my $full_s = $how{full_s} // $full_s;
	sleep 0.1 while time < $from + $full_s;
	my $after = $newest->() - $segment;
	diag sprintf 'full for %d s, %d new segments', time - $from, $after;
	if ($how{greedy}) {
		my $other = $app->get('/api/hls/2/master.m3u8');
		is $other->status, 503, 'another channel cannot start';
		like $other->json->{error}{message}, qr/disk is full/, 'and says why';
		is $other->json->{error}{reason}, 'machine_busy', 'in a word, too';
	}
	if (!$how{greedy}) {
		ok $app->wait_for(sub { $newest->() >= $segment + 3 }, 15, 'newer segments'), 'the channel goes on';
		my @replies = map { $app->get($_) } $app->get($list)->body =~ m{^(/tv/\S+)$}mg;
		is join(' ', map { $_->status } @replies), join(' ', map { 200 } @replies), 'each segment of its list is there';
		is_deeply [ grep { !length $_->body || length($_->body) % 188 } @replies ], [], 'and whole';
	}

	$clear->();
	my $cleared = time;
	$segment = $newest->();
	ok $app->wait_for(sub { $disk->() eq 'ok' }, 10, 'health'), 'when there is room again, health says so within 10 s';
	ok $app->wait_for(sub { $newest->() > $segment }, 10 - (time - $cleared), 'a newer segment'), 'and the channel goes on';
	diag sprintf 'recovered %.1f s after there was room', time - $cleared;
	my $cut = cut_segments($app);
	is $cut, 0, 'no segment was published that the disk had cut off';
	my @answers = $load->answers($from, time - 0.3);
	# Where an encoder is slow to begin anew its viewers see a slate, and whoever asks about the channel is told why.
	my $told = sub { my ($a) = @_; return "$a->{status} $a->{path} $a->{reason}" eq '503 /api/live/1 machine_busy' };
	my @failed = grep { $_->{status} != 200 && !$told->($_) } @answers;
	diag sprintf '%d answers, 95 %% in %.1f ms, the slowest %.1f ms', scalar @answers,
		map { 1000 * Load::percentile($_, @answers) } 95, 100;
	cmp_ok scalar @answers, '>', 50, 'viewers asked all the time';
	is_deeply [ map { "$_->{status} $_->{path} $_->{reason}" } @failed ], [], 'and no request failed';
	$load->stop;
	my @left = grep { !/live-1/ } glob $app->www . '/.tmp* ' . $app->state_dir . '/live/pub/.tmp*';
	is_deeply \@left, [], 'no temporary file is left over';
	my ($metrics) = Prometheus->read($app->get('/metrics')->body);
	is $metrics->value('sluice_store_full_since_timestamp_seconds') + $metrics->value('sluice_live_store_full_since_timestamp_seconds'),
		0, 'metrics say that nothing is full';
	unlike $app->log, qr/level=error/, 'nothing of it is an error of ours' or diag grep { /level=error/ } split /^/, $app->log;
	return;
}

on_full_disk('one disk for all', mounts => [ [ '', 64 ] ], fill => '', said => 'live');
# The short form leaves out what t/unit/full.c shows in small.
on_full_disk('the disk of live television', mounts => [ [ '', 64 ], [ '/live', 32 ] ], fill => '/live', said => 'live') if $long;
on_full_disk('the other disk', mounts => [ [ '', 48 ], [ '/live', 64 ] ], fill => '', said => 'www') if $long;
on_full_disk('a disk that stays full', mounts => [ [ '', 64 ] ], fill => '', said => 'live', greedy => 1,
	full_s => 35) if $long;    # after 45 s without a segment the list is withdrawn
done_testing;
