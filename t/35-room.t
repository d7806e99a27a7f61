#!/usr/bin/perl
# t/35-room.t - a machine that encodes as many channels as it can, and what each of them is encoded to.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fcntl qw(LOCK_EX);
use List::Util qw(sum0);
use Test::More;
use Time::HiRes qw(time);
use App;
use Gateway;
use Watch;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
plan skip_all => 'the build has no slates' unless -e App::builddir() . '/slates/machine_busy/240p.ts';

my $gateway = Gateway->new;
my $app = App->new(
	gateway => $gateway, via => 'fastcgi', conf => { ladder => '240p audio', live_max => 1, live_idle => '120s' },
	channels => { 'live-2' => { ladder => '360p' } }, categories => { patterns => { ladder => '240p' } },
);
sub uris { my ($id) = @_; return join ' ', map { $_->{uri} } Hls->read($app->get("/api/hls/$id/master.m3u8")->body)->variants }

my $first = Watch->new($app, 1, qw(240p audio));
ok $first->goes_on(2, 30), 'a channel plays';
is uris(1), '240p.m3u8 audio.m3u8', 'with the usual ladder';
my $second = Watch->new($app, 2, qw(360p));
ok $second->goes_on(2, 20), 'another has something to show though there is no room for it';
is $second->list('360p')->{tags}{'EXT-X-DISCONTINUITY'}, undef, 'which is one thing';
my $body = $app->get(($second->list('360p')->segments)[0]{uri})->body;
ok -s App::builddir() . '/slates/machine_busy/360p.ts' == length $body, 'the slate that says so';
is $gateway->channel(2)->{redirects}, 0, 'and its source is left alone';
my $reply = $app->get('/api/live/2');
is $reply->status, 503, 'JSON says it too';
is $reply->json->{error}{reason}, 'machine_busy', 'in a word';
ok $reply->header('Retry-After'), 'and when to ask again';
is join(' ', map { $_->{name} } @{ $app->get('/api/live/3')->json->{qualities} }), '240p', 'a channel that is off tells its own ladder, that of its category';

# Two that are watched share nothing; one that nobody asks for gives way before its time.
ok $first->goes_on(1, 10) && $second->goes_on(1, 10), 'both are asked for';
is scalar(my @encoders = $app->pids('ffmpeg')), 1, 'and one is encoded';
$app->move_clock(5);
$second->look;
$app->move_clock(6);
ok $second->until(sub { $second->periods == 2 }, 30), 'when the first is not asked for any more the second plays';
is $gateway->channel(1)->{now}, 0, 'and the first has ended';
ok $second->goes_on(2, 20), 'it stays';
is uris(2), '360p.m3u8', 'with its own ladder';
is $app->get('/api/hls/2/240p.m3u8')->status, 200, 'and plays under other names too';
is $app->get('/api/hls/2/720p.m3u8')->status, 404, 'but not under any';
is_deeply [ $first->faults, $first->joints, $second->faults, $second->joints ], [], 'with nothing wrong in any playlist, segment or joint';

# Measured: what two cheap channels take is known after a while, and another is let in.
$app->stop;
$app->write_conf(live_max => 'auto');
$app->start;
ok $first->goes_on(1, 30), 'where it is measured the first channel always plays';
sub said { open my $file, '<', $app->run_dir . '/encoders/live-1' or return ''; return scalar <$file> }
like said(), qr/^\d+ +\d+ *$/, 'and says what it costs';

# Another program's channel, which is expected to take 310 thousandths of a processor and takes more.
chomp(my $processors = qx{nproc});
open my $other, '+>', $app->run_dir . '/encoders/other' or die "other: $!\n";
flock $other, LOCK_EX or die "other: $!\n";
sub other_takes { sysseek $other, 0, 0; syswrite $other, sprintf "310 %-20d\n", $_[0]; return }
other_takes(950 * $processors);
my $streams = $gateway->channel(2)->{streams};
$second = Watch->new($app, 2, qw(360p));
my $busy = -s App::builddir() . '/slates/machine_busy/360p.ts';
ok $second->until(sub { $second->newest('360p') && $second->segment('360p', $second->newest('360p'))->{bytes} == $busy }, 20),
	'a machine that is measured to be full shows so';
$reply = $app->get('/api/live/2');
is $reply->status . ' ' . $reply->json->{error}{reason}, '503 machine_busy', 'and in JSON';
like $reply->header('Retry-After'), qr/^\d+$/, 'with when to ask again';
like $app->log, qr/ no_room channel=live-2 why="This machine plays 2 channels, as many as it can"/, 'and in the log';
is $gateway->channel(2)->{streams}, $streams, 'its source is left alone';
ok $first->goes_on(1, 10), 'what plays goes on';
other_takes(20);
my $periods = $second->periods;
ok $second->until(sub { $first->look; $second->periods > $periods }, 30), 'when there is room the channel plays';
ok $second->goes_on(2, 20), 'and stays';
is_deeply [ $second->faults, $second->joints ], [], 'with nothing wrong in any playlist, segment or joint';

is uris(3), '240p.m3u8', 'another one is encoded as its category says';

# The processor time that a process has used.
sub cpu_s {
	open my $file, '<', "/proc/$_[0]/stat" or return 0;
	my ($rest) = <$file> =~ /\) (.*)/;
	return sum0((split ' ', $rest)[ 11, 12 ]) / 100;
}

if ($ENV{SLUICE_LONG}) {
	my $used = sub { sum0(map { cpu_s($_) } $app->pids('ffmpeg')) };
	ok $first->until(sub { $second->look; said() =~ / [1-9]\d* /}, 30), 'after a while a channel knows what it takes';
	my ($began, $before, %takes) = (time, $used->());
	$first->until(sub { $second->look; time > $began + 20 }, 21);
	my $really = ($used->() - $before) * 1000 / (time - $began);
	for my $id (1, 2) {
		open my $file, '<', $app->run_dir . "/encoders/live-$id" or die "live-$id: $!\n";
		$takes{$id} = (split ' ', <$file>)[1];
	}
	my $told = $takes{1} + $takes{2};
	ok abs($told - $really) < $really / 2, sprintf 'it tells the truth: %d thousandths of a processor, of %d', $told, $really;
}
diag $app->log if grep { !$_ } Test::More->builder->summary;
done_testing;
