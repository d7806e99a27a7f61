#!/usr/bin/perl
# t/74-crowd.t - many viewers of films at once, and viewers who do not know what they want.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Scripted;

my $VIEWERS = 100;
my $STEP = 100_000;    # of a film whose segments are its own bytes

my $films = Scripted->new;
$films->film('Cold.mkv',  'segments 60', 'index_ms 300', 'part_ms 300');
$films->film('Storm.mkv', 'segments 600', 'part_ms 800');
$films->film('Slow.mkv',  'segments 300', 'part_ms 1500');
$films->film('First.mkv', 'segments 300', 'copy 1');
$films->film('Sheet.mkv', 'segments 900', 'part_ms 200');
my %bytes;
for my $file ('101.mkv', '102.mp4', '103.avi') {
	my $script = join("\n", 'script', 'segments 10', 'copy 1', "echo $STEP", "bytes $STEP", "# $file") . "\n";
	$films->text($file, $bytes{$file} = $script . join '', map { sprintf '%09d ', $_ } 1 .. 100_000);
}
my $gateway = Gateway->new(dir => $films->dir, accounts => { demo => { password => 'demo', max => 1 } });
$gateway->control('set', over => 403);
my $app = $films->serve(gateway => $gateway, connections => 1, conf => { film_jobs => 2, look_ahead => 3, relay_processes => 2 },
	sources => [ { name => 'home', type => 'files', url => $films->dir } ]);

sub home { my ($name) = @_; return 'home.' . $films->id("$name.mkv") }

# What a player asks for before it shows a picture: [path, status, length], up to what went wrong.
sub begin_to_play {
	my ($number, $master, @parts) = @_;
	my @agent = ('User-Agent' => "viewer $number");
	my $list = $app->get($master, @agent);
	my ($base, $ver) = ($master =~ m{^(.*/)}, $list->body =~ m{^([0-9a-f]{32})/}m);
	my @seen = [ $master, $list->status, 0 ];
	for my $part ($ver ? @parts : ()) {
		my $reply;
		for (1 .. 3) {    # a pool that is full says when to come back
			$reply = $app->get("$base$ver/$part", @agent);
			last if $reply->status != 503;
			sleep $reply->header('Retry-After') // 100;
		}
		push @seen, [ $part, $reply->status, length $reply->body ];
	}
	return \@seen;
}

sub crowd {
	my ($film, @parts) = @_;
	my $began = time;
	my @seen = map { @$_ } App::parallel($VIEWERS, sub { begin_to_play($_[0], $films->master_path($film), @parts) });
	diag sprintf '%s: %d requests of %d viewers in %.1f s', $film, scalar @seen, $VIEWERS, time - $began;
	is scalar @seen, $VIEWERS * (1 + @parts), 'all asked for all';
	is_deeply [ map { "$_->[0] $_->[1]" } grep { $_->[1] != 200 } @seen ], [], 'and got it';
	return @seen;
}

subtest 'a hundred viewers of a film that nobody has seen' => sub {
	my $film = home('Cold');
	crowd($film, '480p.m3u8', '480p/init.mp4', '480p/0.m4s', 'a0/init.mp4', 'a0/0.m4s', '480p/1.m4s');
	is $films->indexed($film), 1, 'one index was made';
	$app->wait_for(sub { $films->made($film)->{'480p 3'} }, 10, 'what comes next');
	my $made = $films->made($film);
	is_deeply [ grep { $made->{$_} != 1 } 'a0 0', keys %$made ], [], 'each segment once';
	is_deeply [ grep { !$made->{$_} } map { "480p $_" } 0 .. 3 ], [], 'and what comes next';
};

subtest 'a hundred viewers of a film at a gateway that allows one connection' => sub {
	my @seen = crowd('demo.vod-101', 'source.m3u8', 'source/0.m4s', 'a0/0.m4s', 'source/1.m4s');
	is_deeply [ grep { $_->[2] != $STEP } grep { $_->[0] =~ /m4s/ } @seen ], [], 'whole';
	is $films->indexed('demo.vod-101'), 1, 'one index was made';
	is_deeply $films->made('demo.vod-101'), { map { $_ => 1 } 'source 0', 'source 1', 'a0 0' }, 'each segment once';
	my $title = $gateway->title(101);
	is $title->{peak}, 1, 'over one connection at a time';
	is $title->{refused}, 0, 'and none that was refused';
	cmp_ok $title->{bytes}, '<', 2 * length $bytes{'101.mkv'}, 'hardly a byte of it twice';
};

# A front server tells us when a client has gone; but some only when it is written to.
for my $case ([ 'a viewer who seeks wildly' => 0 ], [ 'one whose player drops what it has asked for' => 1 ]) {
	my ($what, $leaves) = @$case;
	next if $leaves && !$ENV{SLUICE_LONG};
	subtest $what => sub {
		my $film = home('Storm');
		my $ver  = $films->ver($film);
		my $from = length $app->log;
		my (@asked, %wanted);
		for my $i (1 .. 50) {
			$asked[-1]('leave') if $leaves && @asked;
			my $n = ($i * 37 + 17 * $leaves) % 590;
			$wanted{"720p $n"} = 1;
			push @asked, $films->later($films->path($film, $ver, "720p/$n.m4s"), agent => 'seeker');
			sleep 0.05;
		}
		my @status = map { $_->()->{status} } $leaves ? $asked[-1] : @asked;
		my $ended = time;
		is $status[-1], 200, 'gets what they ended at';
		is_deeply [ grep { $_ != 200 && $_ != 503 } @status ], [], 'and is told to come back, at worst';
		# What comes after the last of them is begun a moment after nobody waits any more.
		my $still = 0;
		ok $app->wait_for(sub { ($still = $films->jobs ? 0 : $still + 1) > 4 }, 20, 'an end of all jobs'), 'no job is left behind';
		note sprintf 'after %.1f s', time - $ended;
		my @made = keys %{ $films->made($film, $from) };
		my $asked = grep { $wanted{$_} } @made;
		cmp_ok $asked, '<', 30, "of 50 that were asked for, those that were passed by were not all made: $asked";
		cmp_ok @made - $asked, '<', 25, 'nor much ahead: ' . (@made - $asked);
	};
}

subtest 'a player that wants many parts at once' => sub {
	my $film = home('Sheet');
	my $ver  = $films->ver($film);
	my @parts = ((map { "480p/$_.m4s" } 300 .. 303), '720p/300.m4s', 'a0/300.m4s', 'iframes/300.m4s', map { "thumbnails/$_.jpg" } 0 .. 2);
	my @got = map { $_->{status} } $films->together(map { $films->path($film, $ver, $_) } @parts);
	is "@got", join(' ', (200) x @parts), 'gets all of them';
};

# With two jobs at once, both busy with what others may want later.
subtest 'a first segment' => sub {
	my ($slow, $first) = (home('Slow'), home('First'));
	my %ver = map { $_ => $films->ver($_) } $slow, $first;
	is $films->get($slow, $ver{$slow}, '480p/10.m4s')->status, 200, 'while another film plays';
	ok $app->wait_for(sub { $films->jobs >= 2 }, 5, 'what is made ahead'), 'and is being made ahead';
	is $films->get($first, $ver{$first}, '480p/0.m4s')->status, 200, 'is made';
	is_deeply [ grep { /480p 1[23]/ } keys %{ $films->made($slow) } ], [], 'before any of that';
};

subtest 'thumbnails' => sub {
	my $film = home('Sheet');
	my $ver  = $films->ver($film);
	my $from = length $app->log;
	my @sheets = map { $films->later($films->path($film, $ver, "thumbnails/$_.jpg")) } 3 .. 8;
	$app->wait_for(sub { $films->jobs }, 5, 'sheets');
	is $films->get($film, $ver, '480p/10.m4s')->status, 200, 'wait for a picture that plays';
	$_->() for @sheets;
	$app->wait_for(sub { keys %{ $films->made($film, $from) } == 10 }, 10, 'everything');
	my @order = map { /^thumb/ ? 'sheet' : $_ } substr($app->log, $from) =~ /part_made id=\Q$film\E rendition=(\S+) part=2/g;
	is scalar(grep { $_ eq 'sheet' } @order), 6, 'and are made then';
	my ($last_picture) = grep { $order[$_] ne 'sheet' } reverse 0 .. $#order;
	cmp_ok scalar(grep { $_ eq 'sheet' } @order[ $last_picture .. $#order ]), '>=', 2, 'and for those that come next: ' . join ' ', @order;
};

done_testing;
