#!/usr/bin/perl
# t/71-packager.t - parts of films: who asks, what is begun for them, and what becomes of it.
# SPDX-License-Identifier: BSD-2-Clause
# The films are scripts for a sluice-media that encodes nothing (t/mock_media.c).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use POSIX ();

my $films = File::Temp->newdir;
my %ids;

sub film {
	my ($name, @lines) = @_;
	open my $file, '>', "$films/$name.mkv" or die "$name: $!\n";
	print $file join("\n", 'script', @lines), "\n";
	close $file;
	return;
}

film('Long',   'segments 200', 'copy 1');
film('Slow',   'segments 60', 'index_ms 300', 'part_ms 300');
film('Mortal', 'segments 20', 'crash 13', 'fail 14', 'part_ms 1');
film('Storm',  'segments 600', 'part_ms 400');
film('Stuck',  'segments 20', 'part_ms 1500');
film('Huge',   'segments 20', 'bytes 400000');
open my $no_film, '>', "$films/Letter.mkv" or die "Letter: $!\n";
print $no_film "Dear all,\n";
close $no_film;

my $app = App->new(conf => { media_program => App::builddir() . '/t/mock-media', film_jobs => 2, relay_threads => 64 },
	sources => [ { name => 'films', type => 'files', url => "$films" } ]);

# The id of a film, as the catalogue has it.
sub id_of {
	my ($name) = @_;
	return 'vod-' . substr(`printf %s '$name.mkv' | sha256sum`, 0, 16);
}

sub master { my ($name) = @_; return $app->get("/api/hls/${\ id_of($name)}/master.m3u8") }

sub ver_of {
	my ($name) = @_;
	my $reply = master($name);
	return ($reply->body =~ m{^([0-9a-f]{32})/}m)[0] // die "no master: " . $reply->status . ' ' . $reply->body;
}

sub path_of { my ($name, $ver, $part) = @_; return "/api/hls/${\ id_of($name)}/$ver/$part" }

# Asks now, and has the answer, {status, body}, when it is called.
sub later {
	my ($target) = @_;
	my $pid = open my $pipe, '-|';
	defined $pid or die "fork: $!\n";
	if (!$pid) {
		my $reply = $app->get($target);
		print $reply->status, "\n", $reply->body;
		close STDOUT;
		POSIX::_exit(0);
	}
	return sub {
		my ($status, $body) = split /\n/, do { local $/; <$pipe> } // '0', 2;
		return { status => $status, body => $body };
	};
}

sub together { return map { $_->() } map { later($_) } @_ }

sub packager { return ($app->pids('packager'))[0] // 0 }

# Processes of sluice-media: (zygotes, children).
sub media {
	my $packager = packager();
	my @all = grep { $_->{name} eq 'mock-media' } $app->processes;
	return ([ grep { $_->{parent} == $packager } @all ], [ grep { $_->{parent} != $packager } @all ]);
}
sub jobs { return @{ (media())[1] } }

# Parts that were begun, as the log tells: "720p 3" => how often.
sub made {
	my ($name, $from) = @_;
	my %made;
	my $id  = id_of($name);
	my $log = substr $app->log, $from // 0;
	$made{"$1 $2"}++ while $log =~ /part_made id=\Q$id\E rendition=(\S*) part=2 n=(\d+)/g;
	return \%made;
}

subtest 'a film of a directory' => sub {
	my $reply = master('Long');
	is $reply->status, 200, 'has a master';
	is $reply->header('Content-Type'), 'application/vnd.apple.mpegurl', 'of the right type';
	my $ver = ver_of('Long');
	like $reply->body, qr{^$ver/source\.m3u8$}m, 'with its own picture';
	like $reply->body, qr{^$ver/360p\.m3u8$}m, 'and smaller ones';
	unlike $reply->body, qr{1080p}, 'but no larger';
	my $list = $app->get(path_of('Long', $ver, '360p.m3u8'));
	is $list->status, 200, 'whose playlists are there';
	is scalar(() = $list->body =~ /^#EXTINF/mg), 200, 'with every segment';
	like $list->body, qr{\n#EXT-X-ENDLIST\n\z}, 'to the end';
	ok -e $app->www . path_of('Long', $ver, '360p.m3u8'), 'and published';
	my $part = $app->get(path_of('Long', $ver, '360p/7.m4s'));
	is $part->status, 200, 'a segment is made when it is asked for';
	like $part->body, qr/^segment 360p 7\n/, 'and is the one';
	is $part->header('Cache-Control'), 'public, max-age=31536000, immutable', 'for ever';
	is $part->header('Content-Type'), 'video/iso.segment', 'with its type';
	is $part->header('Access-Control-Allow-Origin'), '*', 'for every page';
	ok -e $app->www . path_of('Long', $ver, '360p/7.m4s'), 'it is published then';
	like $app->get(path_of('Long', $ver, '360p/init.mp4'))->body, qr/^init 360p/, 'so is what it begins with';
	is $app->head(path_of('Long', $ver, '360p/8.m4s'))->status, 200, 'HEAD makes one, too';
	is $app->get(path_of('Long', $ver, '360p/200.m4s'))->status, 404, 'one behind the end is missing';
	is $app->get(path_of('Long', $ver, 'a0/199.m4s'))->status, 200, 'the last is there, of the sound';
	is $app->get(path_of('Long', $ver, 'a1/1.m4s'))->status, 404, 'of which there is one';
	my $moved = $app->get("/api/hls/${\ id_of('Long')}/360p.m3u8");
	is $moved->status . ' ' . ($moved->header('Location') // ''), "302 " . path_of('Long', $ver, '360p.m3u8'), 'a path without a version leads to it';
	is $app->get("/api/hls/" . id_of('Long') . "/360p.m3u8?CMCD=" . 'x' x 4000)->status, 400, 'unless no header could hold where';
	is $app->get("/api/hls/vod-nothing/master.m3u8")->status, 404, 'another film is missing';
	like master('Letter')->body, qr/This is no film/, 'what is no film says so';
	is master('Letter')->status, 502, 'and is no fault of ours';
};

subtest 'a crowd of viewers of a film that nobody has seen' => sub {
	my $from = length $app->log;
	my @replies = together(map { "/api/hls/${\ id_of('Slow')}/master.m3u8" } 1 .. 12);
	is scalar(grep { $_->{status} == 200 } @replies), 12, 'all get its master';
	my $ver = ver_of('Slow');
	@replies = together(map { path_of('Slow', $ver, "480p/$_.m4s") } (0, 1) x 12);
	is scalar(grep { $_->{status} == 200 } @replies), 24, 'and its first segments';
	my $log = substr($app->log, $from);
	is scalar(() = $log =~ /part_made id=${\ id_of('Slow')} rendition="" part=0/g), 1, 'the index was made once';
	$app->wait_for(sub { made('Slow', $from)->{'480p 2'} }, 10, 'what comes next');
	my $made = made('Slow', $from);
	is_deeply [ grep { $_ != 1 } values %$made ], [], 'each segment once';
	ok exists $made->{'480p 2'}, 'and what comes next';
};

subtest 'a film that is broken' => sub {
	my $ver = ver_of('Mortal');
	is $app->get(path_of('Mortal', $ver, '240p/2.m4s'))->status, 200, 'plays where it is whole';
	my $from  = length $app->log;
	my $reply = $app->get(path_of('Mortal', $ver, '240p/13.m4s'));
	is $reply->status, 502, 'what crashes its reader is refused';
	like $reply->json->{error}{message}, qr/crashed/, 'in words';
	is scalar(() = substr($app->log, $from) =~ /part_died/g), 2, 'after it was tried once more';
	$reply = $app->get(path_of('Mortal', $ver, '240p/14.m4s'));
	is $reply->status, 502, 'so is what cannot be read';
	like $reply->json->{error}{message}, qr/broken here/, 'with its reason';
	is $app->get(path_of('Mortal', $ver, '240p/15.m4s'))->status, 200, 'and others play on';
};

subtest 'whatever dies in the middle of a segment' => sub {
	my $ver = ver_of('Stuck');
	my $n   = 0;
	for my $victim ('child', 'zygote', 'packager') {
		$n += 4;
		my $asked = later(path_of('Stuck', $ver, "240p/$n.m4s"));
		$app->wait_for(sub { jobs() > 0 }, 5, 'a child at work');
		my ($zygotes, $children) = media();
		my $pid = $victim eq 'child' ? $children->[0]{pid} : $victim eq 'zygote' ? $zygotes->[0]{pid} : packager();
		ok kill(KILL => $pid), "a $victim is killed";
		my $reply = $asked->();
		is $reply->{status}, 200, 'and the viewer gets the segment';
		like $reply->{body}, qr/^segment 240p $n\n/, 'whole';
		is length $reply->{body}, 1000, 'as it should be';
	}
};

subtest 'a viewer who seeks wildly' => sub {
	my $ver = ver_of('Storm');
	my @asked;
	for my $i (1 .. 30) {
		push @asked, later(path_of('Storm', $ver, '720p/' . (($i * 37) % 590) . '.m4s'));
		sleep 0.05;
	}
	my %status;
	$status{ $_->()->{status} }++ for @asked;
	is $status{200} + ($status{503} // 0), 30, 'gets parts, or is told to ask again';
	ok $status{200} >= 3, 'the last ones among them';
	$app->wait_for(sub { !jobs() }, 5, 'no job') ;
	is scalar(jobs()), 0, 'leaves no job behind';
	ok scalar(keys %{ made('Storm') }) < 30, 'and had not all of them made';
};

subtest 'a film that changes' => sub {
	my $ver = ver_of('Long');
	film('Long', 'segments 100', 'copy 1');
	utime time, time + 10, "$films/Long.mkv";
	is $app->get(path_of('Long', $ver, '360p/7.m4s'))->status, 200, 'is played on from what was made';
	my $reply = $app->get(path_of('Long', $ver, '360p/50.m4s'));
	is $reply->status . ' ' . $reply->code, '404 changed', 'but not from what was not';
	$app->move_clock(2);    # a master is kept for a second
	my $new = ver_of('Long');
	isnt $new, $ver, 'it has another version';
	is $app->get(path_of('Long', $new, '360p/99.m4s'))->status, 200, 'which plays';
	is $app->get(path_of('Long', $new, '360p/100.m4s'))->status, 404, 'to its own end';
};

# More than a quarter of what may be kept: the janitor can make no room for it.
subtest 'no room to keep anything' => sub {
	$app->write_conf(bytes_quota => '1M');
	is +($app->command('reload'))[0], 0, 'no room is left';
	$app->wait_for(sub { !packager() }, 5, 'the packager to see it');
	my $ver   = ver_of('Huge');
	my $reply = $app->get(path_of('Huge', $ver, '240p/6.m4s'));
	is $reply->status . ' ' . substr($reply->body, 0, 14), '200 segment 240p 6', 'a segment is made all the same';
	is length $reply->body, 400_000, 'whole';
	ok !-e $app->www . path_of('Huge', $ver, '240p/6.m4s'), 'and not kept';
	is $app->get(path_of('Huge', $ver, '240p.m3u8'))->status, 200, 'and a playlist';
	$app->write_conf(bytes_quota => '1G');
	$app->command('reload');
};

subtest 'what is kept' => sub {
	plan skip_all => 'there is no front server' unless $app->front_pid;
	my $ver = ver_of('Long');
	my $before = $app->get(path_of('Long', $ver, '360p/9.m4s'))->body;
	kill KILL => $app->pids($_) for qw(sluice supervisor api relay packager janitor mock-media);
	my $reply = $app->get(path_of('Long', $ver, '360p/9.m4s'));
	is $reply->status, 200, 'is served when none of our processes is left';
	is $reply->body, $before, 'the same bytes';
};

done_testing;
