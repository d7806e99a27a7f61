#!/usr/bin/perl
# t/75-film-hosts.t - two hosts of one service, which publish into one store: each part of a film is
# encoded by one of them.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use File::Temp ();
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Memcached;
use Scripted;

plan skip_all => Memcached::missing() if Memcached::missing();

my $store = File::Temp->newdir;
my $memcached = Memcached->new;
my $films = Scripted->new;
$films->film('Film.mkv', 'segments 300', 'part_ms 500');
$films->film('Slow.mkv', 'segments 300', 'part_ms 4000');
my ($here, $there);
# A machine of its own but for what they share; with a store, it is the other's.
sub host {
	my ($name, $www) = @_;
	my $app = App->new($films->how(memcached => $memcached, via => 'fastcgi', start => 0,
		conf => { host_name => $name, film_jobs => 4, memcached_prefix => 'two:' }));
	copy($here->state_dir . '/key', $app->state_dir . '/key') or die "key: $!\n" if $here;
	chmod 0600, $app->state_dir . '/key' if $here;
	symlink $www, $app->state_dir . '/www' or die "www: $!\n" if $www;
	$app->start;
	$app->import_sources;
	return $app;
}

# How often each of these parts was made, on all hosts: "here 2, there 1".
sub times_made {
	my ($film, $from, @parts) = @_;
	my %made;
	for my $app (@{ $from->{hosts} }) {
		$films->{app} = $app;
		my $made = $films->made($film, $from->{ $app->{conf}{host_name} });
		$made{$_} += $made->{$_} // 0 for @parts;
	}
	return \%made;
}
sub from_now { return { hosts => [@_], map { $_->{conf}{host_name} => length $_->log } @_ } }

# Both are asked for the same parts at the same time.
sub both {
	my ($one, $other, $film, $ver, @parts) = @_;
	my @asked = map { my $part = $_; map { $films->later($films->path($film, $ver, $part), app => $_, agent => "viewer of $part") } $one, $other } @parts;
	return map { $_->() } @asked;
}

$films->{app} = $here = host('here', "$store");
my $ver = $films->ver('Film.mkv');
my $slow = $films->ver('Slow.mkv');
$films->{app} = $there = host('there', "$store");
is $films->ver('Film.mkv'), $ver, 'both hosts give a film the same addresses';

subtest 'parts that both are asked for at once' => sub {
	my $from = from_now($here, $there);
	my @n = (10, 30, 50, 70);
	my @replies = both($here, $there, 'Film.mkv', $ver, map { "720p/$_.m4s" } @n);
	is_deeply [ grep { $_->{status} != 200 || $_->{body} !~ /^segment 720p/ } @replies ], [], 'come from both';
	is_deeply times_made('Film.mkv', $from, map { "720p $_" } @n), { map { ("720p $_" => 1) } @n }, 'and were encoded once each';
	my @ahead = map { ($_ + 1, $_ + 2) } @n;
	$here->wait_for(sub { !grep { !$films->published('Film.mkv', $ver, "720p/$_.m4s") } @ahead }, 10, 'what comes next');
	is_deeply times_made('Film.mkv', $from, map { "720p $_" } @ahead), { map { ("720p $_" => 1) } @ahead }, 'so was what comes next';
};

subtest 'a host that dies while it encodes' => sub {
	my $asked = $films->later($films->path('Slow.mkv', $slow, '720p/100.m4s'), app => $here);
	$films->{app} = $here;
	$here->wait_for(sub { $films->jobs }, 5, 'the encoder');
	my $waits = $films->later($films->path('Slow.mkv', $slow, '720p/100.m4s'), app => $there);
	sleep 0.5;
	$films->{app} = $there;
	is scalar($films->jobs), 0, 'the other one waits for it';
	kill KILL => map { $_->{pid} } $here->processes;
	my $began = time;
	my $reply = $waits->();
	ok $reply->{status} == 200 || $reply->{status} == 503, 'and takes over within the life of a claim';
	ok $here->wait_for(sub { $films->get('Slow.mkv', $slow, '720p/100.m4s')->status == 200 }, 10, 'the part'),
		sprintf 'so that the viewer has the part after %.1f s, of which it took 4', time - $began;
	$asked->('leave');
	$here->start;
};

subtest 'hosts with disks of their own' => sub {
	my $alone = host('alone');
	my $from = from_now($there, $alone);
	my @replies = both($there, $alone, 'Film.mkv', $ver, '720p/200.m4s');
	is_deeply [ map { $_->{status} } @replies ], [ 200, 200 ], 'serve the part, both';
	is_deeply times_made('Film.mkv', $from, '720p 200'), { '720p 200' => 2 }, 'and each has made its own';
};

subtest 'a memcached that is away' => sub {
	$memcached->kill;
	my $from = from_now($here, $there);
	my @replies = both($here, $there, 'Film.mkv', $ver, '720p/120.m4s', '720p/140.m4s');
	is_deeply [ grep { $_->{status} != 200 } @replies ], [], 'stops nobody';
	my $made = times_made('Film.mkv', $from, '720p 120', '720p 140');
	is_deeply [ grep { $_ < 1 || $_ > 2 } values %$made ], [], 'each host makes a part once, at most';
};
done_testing;
