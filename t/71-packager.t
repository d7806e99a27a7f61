#!/usr/bin/perl
# t/71-packager.t - parts of films: who asks, what is begun for them, and what becomes of it.
# SPDX-License-Identifier: BSD-2-Clause
# The films are scripts for a sluice-media that encodes nothing (t/mock_media.c).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use App;
use Scripted;

my $films = Scripted->new;
$films->film('Long.mkv',   'segments 200', 'copy 1');
$films->film('Mortal.mkv', 'segments 20', 'crash 13', 'fail 14', 'part_ms 1');
$films->film('Stuck.mkv',  'segments 40', 'part_ms 1000');
$films->film("Fresh-$_.mkv", 'segments 20', 'index_ms 900') for 0 .. 17;
$films->film('Huge.mkv',   'segments 20', 'bytes 400000');
$films->film('Ready.mkv',  'segments 20', 'copy 1', 'sounds 2');
$films->text('Letter.mkv', "Dear all,\n");
my $app = $films->serve(conf => { film_jobs => 2, look_ahead => 1 });

subtest 'a film of a directory' => sub {
	my $reply = $films->master('Long.mkv');
	is $reply->status, 200, 'has a master';
	is $reply->header('Content-Type'), 'application/vnd.apple.mpegurl', 'of the right type';
	my $ver = $films->ver('Long.mkv');
	like $reply->body, qr{^$ver/source\.m3u8$}m, 'with its own picture';
	like $reply->body, qr{^$ver/360p\.m3u8$}m, 'and smaller ones';
	unlike $reply->body, qr{1080p}, 'but no larger';
	my $list = $films->get('Long.mkv', $ver, '360p.m3u8');
	is $list->status, 200, 'whose playlists are there';
	is scalar(() = $list->body =~ /^#EXTINF/mg), 200, 'with every segment';
	like $list->body, qr{\n#EXT-X-ENDLIST\n\z}, 'to the end';
	ok $films->published('Long.mkv', $ver, '360p.m3u8'), 'and published';
	my $part = $films->get('Long.mkv', $ver, '360p/7.m4s');
	is $part->status, 200, 'a segment is made when it is asked for';
	like $part->body, qr/^segment 360p 7\n/, 'and is the one';
	is $part->header('Cache-Control'), 'public, max-age=31536000, immutable', 'for ever';
	is $part->header('Content-Type'), 'video/iso.segment', 'with its type';
	is $part->header('Access-Control-Allow-Origin'), '*', 'for every page';
	ok $films->published('Long.mkv', $ver, '360p/7.m4s'), 'it is published then';
	like $films->get('Long.mkv', $ver, '360p/init.mp4')->body, qr/^init 360p/, 'so is what it begins with';
	is $app->head($films->path('Long.mkv', $ver, '360p/8.m4s'))->status, 200, 'HEAD makes one, too';
	is $films->get('Long.mkv', $ver, '360p/200.m4s')->status, 404, 'one behind the end is missing';
	is $films->get('Long.mkv', $ver, 'a0/199.m4s')->status, 200, 'the last is there, of the sound';
	is $films->get('Long.mkv', $ver, 'a1/1.m4s')->status, 404, 'of which there is one';
	my $moved = $app->get("/api/hls/${\ $films->id('Long.mkv')}/360p.m3u8");
	is $moved->status . ' ' . ($moved->header('Location') // ''), "302 " . $films->path('Long.mkv', $ver, '360p.m3u8'), 'a path without a version leads to it';
	is $app->get("/api/hls/" . $films->id('Long.mkv') . "/360p.m3u8?CMCD=" . 'x' x 4000)->status, 400, 'unless no header could hold where';
	is $app->get("/api/hls/vod-nothing/master.m3u8")->status, 404, 'another film is missing';
	like $films->master('Letter.mkv')->body, qr/This is no film/, 'what is no film says so';
	is $films->master('Letter.mkv')->status, 502, 'and is no fault of ours';
};

subtest 'a film that is broken' => sub {
	my $ver = $films->ver('Mortal.mkv');
	is $films->get('Mortal.mkv', $ver, '240p/2.m4s')->status, 200, 'plays where it is whole';
	my $from  = length $app->log;
	my $reply = $films->get('Mortal.mkv', $ver, '240p/13.m4s');
	is $reply->status, 502, 'what crashes its reader is refused';
	like $reply->json->{error}{message}, qr/crashed/, 'in words';
	is scalar(() = substr($app->log, $from) =~ /part_died/g), 2, 'after it was tried once more';
	$reply = $films->get('Mortal.mkv', $ver, '240p/14.m4s');
	is $reply->status, 502, 'so is what cannot be read';
	like $reply->json->{error}{message}, qr/broken here/, 'with its reason';
	is $films->get('Mortal.mkv', $ver, '240p/15.m4s')->status, 200, 'and others play on';
};

# Killed while a part is being made: that part is asked for again by whoever waits for it. A worker takes
# the requests that it has with it: the front server says so, and players ask again.
subtest 'whatever dies in the middle of it' => sub {
	my $ver = $films->ver('Stuck.mkv');
	my $n   = 0;
	my $seen = partial_files();
	ok $app->wait_for(sub { $films->published('Stuck.mkv', $ver, 'iframes/init.mp4') && !$films->jobs }, 10, 'what comes with a film'), 'nothing else is being made';
	for my $case ([ child => 200 ], [ zygote => 200 ], [ packager => 200 ], [ supervisor => 200 ], [ relay => '200|50.' ], [ 'packager and zygote' => 200 ]) {
		my ($victim, $status) = @$case;
		my ($asked, $killed);
		for (1 .. 6) {    # on a busy machine a segment may be made before we have looked
			$n++;
			$asked = $films->later($films->path('Stuck.mkv', $ver, "240p/$n.m4s"));
			my @pids;
			$app->wait_for(sub { @pids = at_work($victim) or $films->published('Stuck.mkv', $ver, "240p/$n.m4s") }, 30, 'a child at work');
			last if $killed = @pids && kill KILL => @pids;
			$asked->();
		}
		ok $killed, "while a segment is made, $victim: killed";
		my $reply = $asked->();
		like $reply->{status}, qr/^(?:$status)$/, "and the viewer is answered by $status" or diag $reply->{body};
		my $body = $reply->{status} == 200 ? $reply->{body} : $films->get('Stuck.mkv', $ver, "240p/$n.m4s")->body;
		ok length $body == 1000 && $body =~ /^segment 240p $n\n/, 'with the whole segment, at last';
		is_deeply partial_files(), $seen, 'and nothing half made is left where it can be seen';
	}
	$app->wait_for(sub { !$films->jobs }, 10, 'those that nobody waits for');
	$app->wait_for(sub { scalar $app->pids('supervisor') }, 10, 'another supervisor');
};

subtest 'whatever dies while a film is read for the first time' => sub {
	my $n = 0;
	for my $victim ('child', 'zygote', 'packager') {
		my ($asked, $killed);
		for (1 .. 6) {
			my $film = 'Fresh-' . $n++ . '.mkv';
			$asked = $films->later($films->master_path($film));
			my @pids;
			$app->wait_for(sub { @pids = at_work($victim) or -e $app->state_dir . '/idx/' . $films->id($film) }, 30, 'a child at work');
			last if $killed = @pids && kill KILL => @pids;
			$asked->();
		}
		ok $killed, "while an index is made, $victim: killed";
		my $reply = $asked->();
		is $reply->{status}, 200, 'and the viewer gets the master' or diag $reply->{body};
		like $reply->{body}, qr{^[0-9a-f]{32}/240p\.m3u8$}m, 'whole';
	}
};

# The processes of these roles, while a child is at work.
sub at_work {
	my ($roles) = @_;
	my ($zygotes, $children) = $films->media;
	return if !$films->packager || !@$children || !@$zygotes;
	my %pids = (child => [ map { $_->{pid} } @$children ], zygote => [ map { $_->{pid} } @$zygotes ]);
	return map { @{ $pids{$_} // [ $app->pids($_) ] } } split / and /, $roles;
}

# Segments that are not as long as they should be, whatever their names.
sub partial_files {
	my @files = grep { -s != 1000 } glob $app->www . '/api/hls/' . $films->id('Stuck.mkv') . '/*/240p/*.m4s';
	return [ @files, glob $app->www . '/.tmp*' ];
}

subtest 'a film that changes' => sub {
	my $ver = $films->ver('Long.mkv');
	$films->film('Long.mkv', 'segments 100', 'copy 1');
	utime time, time + 10, $films->dir . '/Long.mkv';
	is $films->get('Long.mkv', $ver, '360p/7.m4s')->status, 200, 'is played on from what was made';
	my $reply = $films->get('Long.mkv', $ver, '360p/50.m4s');
	is $reply->status . ' ' . $reply->code, '404 changed', 'but not from what was not';
	$app->move_clock(2);    # a master is kept for a second
	my $new = $films->ver('Long.mkv');
	isnt $new, $ver, 'it has another version';
	is $films->master('Long.mkv')->header('Cache-Control'), 'no-cache', 'which may change again: nobody keeps the master';
	utime time, time - 4000, $films->dir . '/Stuck.mkv';
	is $films->master('Stuck.mkv')->header('Cache-Control'), 'max-age=60', 'unlike that of a film that has been as it is for an hour';
	is $films->get('Long.mkv', $new, '360p/99.m4s')->status, 200, 'which plays';
	is $films->get('Long.mkv', $new, '360p/100.m4s')->status, 404, 'to its own end';
};

# More than a quarter of what may be kept: the janitor can make no room for it.
subtest 'no room to keep anything' => sub {
	$app->write_conf(bytes_quota => '1M');
	is +($app->command('reload'))[0], 0, 'no room is left';
	$app->wait_for(sub { !$films->packager }, 5, 'the packager to see it');
	my $ver   = $films->ver('Huge.mkv');
	my $reply = $films->get('Huge.mkv', $ver, '240p/6.m4s');
	is $reply->status . ' ' . substr($reply->body, 0, 14), '200 segment 240p 6', 'a segment is made all the same';
	is length $reply->body, 400_000, 'whole';
	ok !$films->published('Huge.mkv', $ver, '240p/6.m4s'), 'and not kept';
	is $films->get('Huge.mkv', $ver, '240p.m3u8')->status, 200, 'and a playlist';
	$app->write_conf(bytes_quota => '1G');
	my $old = $films->packager;
	$app->command('reload');
	$app->wait_for(sub { $films->packager != $old }, 10, 'the packager to see that, too');
};

subtest 'what every player asks for first' => sub {
	my $master = $films->master('Ready.mkv')->body;
	my ($ver)  = $master =~ m{^([0-9a-f]{32})/}m;
	my @lists  = do { my %seen; grep { !$seen{$_}++ } $master =~ m{$ver/(\w+)\.m3u8}g };
	is join(' ', sort @lists), '240p 360p 480p 720p a0 a1 iframes source', 'is named by the master';
	my @first = ((map { "$_.m3u8" } @lists), 'thumbnails.vtt', map { "$_/init.mp4" } @lists);
	ok $app->wait_for(sub { !grep { !$films->published('Ready.mkv', $ver, $_) } @first }, 10, 'them'), 'and there before anybody asks';
	is_deeply $films->made('Ready.mkv'), {}, 'and nothing else of the film';
};

# All that a viewer plays, from the master's second line on.
sub play {
	my ($film, $ver, @n) = @_;
	return map { my $part = $_; my $reply = $films->get($film, $ver, $part); "$part " . $reply->status . ' ' . $reply->body }
		map { ("$_.m3u8", "$_/init.mp4", ($_ eq '360p' ? 'thumbnails.vtt' : ()), do { my $list = $_; map { "$list/$_.m4s" } @n }) } '360p', 'a1';
}

subtest 'what is kept' => sub {
	plan skip_all => 'there is no front server' unless $app->front_pid;
	my $ver = $films->ver('Ready.mkv');
	my @whole = play('Ready.mkv', $ver, 0 .. 19);
	is scalar(grep { / 200 / } @whole), 45, 'somebody plays a film';
	my @half = play('Ready.mkv', $ver, 0 .. 9);
	my $ours = sub { grep { $_->{name} =~ /^(?:sluice|mock-media)$/ } $app->processes };
	kill KILL => map { $_->{pid} } $ours->();
	ok $app->wait_for(sub { !$ours->() }, 10, 'their end'), 'none of our processes is left';
	is_deeply [ play('Ready.mkv', $ver, 10 .. 19) ], [ play_of(\@whole, 10 .. 19) ], 'and another viewer, in the middle of it, plays on to the end';
	is $films->get('Ready.mkv', $ver, '480p/3.m4s')->status, 503, 'while what nobody has made has to wait';
};

sub play_of {
	my ($whole, @n) = @_;
	my %wanted = map { $_ => 1 } @n;
	return grep { !m{^\S+/(\d+)\.m4s } || $wanted{$1} } @$whole;
}

done_testing;
