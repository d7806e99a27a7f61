#!/usr/bin/perl
# t/72-feeder.t - films at a gateway: one connection for all that is read of them, and no wrong byte.
# SPDX-License-Identifier: BSD-2-Clause
# The films are scripts for a sluice-media that encodes nothing (t/mock_media.c), with noise behind.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Scripted;

my $STEP = 150_000;
my $films = Scripted->new;
my %bytes;
srand 7;
my $noise = join '', map { pack 'N*', map { int rand 4294967296 } 1 .. 25_000 } 1 .. 30;

sub film {
	my ($file, @lines) = @_;
	$bytes{$file} = join("\n", 'script', 'segments 18', 'copy 1', "echo $STEP", "bytes $STEP", @lines) . "\n";
	$bytes{$file} .= "\0" x (5000 - length $bytes{$file}) . $noise;
	return $films->text($file, $bytes{$file});
}
film('101.mkv');
film('102.mp4');
film('103.avi', 'part_ms 100');

my $secret  = 'hush-4711';
my $gateway = Gateway->new(dir => $films->dir, user => 'viewer.one', password => $secret,
	accounts => { 'viewer.one' => { password => $secret, max => 1 } });
$gateway->control('set', over => 403);
my $app = $films->serve(gateway => $gateway, connections => 1);

sub part { my ($file, $n) = @_; return substr $bytes{$file}, $n * $STEP, $STEP }

# The film's feeder ends when nobody reads, and with it the connection.
sub let_go {
	$app->wait_for(sub { !$films->jobs }, 5, 'those who read it');
	$app->move_clock(10);
	return $app->wait_for(sub { !$app->pids('feeder') }, 5, 'the feeder to end');
}

subtest 'a film at a gateway' => sub {
	my $ver = $films->ver("vod-101");
	unlike $ver, qr/^0+$/, 'has a master';
	my @order = map { ($_ * 7) % 18 } 0 .. 17;
	my @asked = map { $films->later("/api/hls/vod-101/$ver/source/$_.m4s") } @order;
	my @wrong = grep { my $reply = $asked[$_]->(); $reply->{status} != 200 || $reply->{body} ne part('101.mkv', $order[$_]) } 0 .. $#order;
	is_deeply \@wrong, [], 'whose parts, asked for all at once, are right byte for byte';
	my $title = $gateway->title(101);
	is $title->{peak}, 1, 'over one connection';
	is $title->{refused}, 0, 'and none that was refused';
	cmp_ok $title->{bytes}, '<', 2 * length $bytes{'101.mkv'}, 'hardly a byte of it twice';
	is scalar(grep { !/^bytes=\d+-\d+$/ } @{ $title->{ranges} }), 0, 'by absolute parts alone';
};

subtest 'a gateway that stumbles' => sub {
	my $n = 0;
	for my $fault ('vod.cut_after=40k,times=1', 'vod.rst_after=100k,times=1', 'vod.status=503,times=1',
		'redirect.status=509,times=1', 'vod.hangup=cut,times=1') {
		let_go();
		my $ver = $films->ver("vod-102");
		let_go();
		$gateway->control('fault', kind => '', id => '', set => $fault);
		my $reply = $app->get("/api/hls/vod-102/$ver/source/$n.m4s");
		is $reply->status, 200, "$fault: the part comes";
		ok $reply->body eq part('102.mp4', $n), 'and is right';
		$gateway->control('clear');
		$n++;
	}
};

# A film that could not be had is left alone for two seconds: they take turns.
subtest 'a gateway that lies' => sub {
	my @films = ([ 101, '101.mkv' ], [ 102, '102.mp4' ], [ 103, '103.avi' ]);
	my %ver = map { let_go(); $_->[0] => $films->ver("vod-$_->[0]") } @films;
	my $n = 6;
	for my $fault ('vod.range=wrong', 'vod.range=ignore', 'vod.range=none', 'vod.range=star', 'vod.status=404', 'vod.html=1') {
		sleep 2.1 if $n == 9;
		let_go();
		my ($id, $file) = @{ $films[ ($n + 1) % 3 ] };
		unlink $app->www . "/api/hls/vod-$id/$ver{$id}/source/$n.m4s";
		$gateway->control('fault', kind => '', id => '', set => $fault);
		my $reply = $app->get("/api/hls/vod-$id/$ver{$id}/source/$n.m4s");
		is $reply->status, 502, "$fault: nothing of it is used";
		ok length $reply->json->{error}{message}, 'in words: ' . $reply->json->{error}{message};
		ok !$films->published("vod-$id", $ver{$id}, "source/$n.m4s"), 'nor kept';
		$gateway->control('clear');
		$n++;
	}
};

subtest 'a film that changes at its source' => sub {
	let_go();
	my $ver = $films->ver("vod-103");
	ok $app->wait_for(sub { $app->get("/api/hls/vod-103/$ver/source/1.m4s")->status == 200 }, 10, 'the film'), 'plays';
	film('103.avi', 'sounds 2');
	utime time, time + 100, $films->dir . '/103.avi';
	my $reply;
	$app->wait_for(sub { ($reply = $app->get("/api/hls/vod-103/$ver/source/14.m4s"))->status == 404 }, 10, 'the change to be seen');
	is $reply->code, 'changed', 'is said to have changed when another part is asked for';
	isnt $films->ver("vod-103"), $ver, 'has another version an hour later' if $app->move_clock(3700) || 1;
};

subtest 'two films, and an account with one connection' => sub {
	my %ver = map { $_ => $films->ver("vod-$_") } 101, 102;
	unlink glob $app->www . "/api/hls/vod-$_/$ver{$_}/source/*" for 101, 102;
	my %file = (101 => '101.mkv', 102 => '102.mp4');
	my @asked = map { my $n = $_; map { [ $_, $n, $films->later("/api/hls/vod-$_/$ver{$_}/source/$n.m4s") ] } 101, 102 } 3 .. 5;
	my @wrong;
	for (@asked) {
		my ($id, $n, $reply) = @$_;
		my ($status, $body) = @{ $reply->() }{qw(status body)};
		push @wrong, "$id $n: $status " . substr($body, 0, 200) if $status != 200 || $body ne part($file{$id}, $n);
	}
	is_deeply \@wrong, [], 'take turns';
	is $gateway->title($_)->{peak}, 1, "film $_ was never read over two connections" for 101, 102, 103;
	is $gateway->title($_)->{refused}, 0, 'nor was one refused' for 101, 102, 103;
};

like $app->log, qr/ feeder\[\d+\] film_not_read id=vod-103 why="The film has changed/, 'what a feeder meets with stands in the log';
unlike $app->log, qr/\Q$secret\E/, 'which holds no password';
my @files = grep { -f } glob($app->state_dir . '/idx/*');
ok @files >= 3, 'the indexes are kept';
done_testing;
