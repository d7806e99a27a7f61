#!/usr/bin/perl
# t/72-gateway-reads.t - what a part of a film costs the gateway that the film lies at: its own bytes, in few requests.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use Test::More;
use App;
use Film;
use Gateway;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

use constant { BLOCK => 262_144, LOOPS => 150 };
my $films = File::Temp->newdir;

# Half an hour of a film of 12 s: tables as long as they are of one.
sub long_film {
	my ($name, $from, $loops) = (@_, LOOPS);
	my ($suffix) = $from =~ /(\w+)$/;
	my $path = Film->new($from)->path;
	system("ffmpeg -nostdin -v error -y -stream_loop @{[ $loops - 1 ]} -i '$path' -c copy '$films/made.$suffix'") == 0 or die "$name: not made\n";
	my $bytes = Film::_slurp("$films/made.$suffix");
	unlink "$films/made.$suffix";
	return $bytes;
}

sub put {
	my ($name, $bytes) = @_;
	open my $to, '>:raw', "$films/$name" or die "$name: $!\n";
	print $to $bytes;
	close $to;
	return length $bytes;
}

my %size = (102 => put('102.mp4', long_film('102.mp4', 'base.mp4')), 103 => put('103.avi', long_film('103.avi', 'asp.avi')));
my $tables = index(Film::_slurp("$films/102.mp4"), 'moov');
cmp_ok $size{102} - $tables, '>', 4 * BLOCK, 'an MP4 whose tables take more than a part of it does';
# A recording that was broken off: nothing says where its chunks are.
my $avi = long_film('101.mkv', 'asp.avi', 60);
$size{101} = put('101.mkv', substr $avi, 0, rindex $avi, 'idx1');

my $gateway = Gateway->new(dir => "$films", accounts => { demo => { password => 'demo', max => 1 } });
$gateway->control('set', over => 403);
my $app = App->new(gateway => $gateway, connections => 1);

# The film's feeder ends when nobody reads, and the connection with it.
sub let_go { return $app->wait_for(sub { $app->move_clock(10); !$app->pids('feeder') }, 20, 'the feeder to end') }

# An answer other than "in a moment", which a slow machine may give first.
sub answer {
	my ($target) = @_;
	my $reply;
	$app->wait_for(sub { ($reply = $app->get($target))->status != 503 }, 60, "an answer: $target");
	return $reply;
}

# What is answered by all of these; and what that cost the gateway: requests, bytes.
sub cost {
	my ($id, @parts) = @_;
	my $before = $gateway->title($id);
	my @status = map { answer($_)->status } @parts;
	my $after = $gateway->title($id);
	return ("@status", @{ $after->{ranges} } - @{ $before->{ranges} }, $after->{bytes} - $before->{bytes});
}

sub ver { my ($id) = @_; my $reply = answer("/api/hls/vod-$id/master.m3u8"); return ($reply->body =~ m{^([0-9a-f]{32})/}m)[0] // die "$id: " . $reply->body }

for my $case ([ 102, 'an MP4', 'source' ], [ 103, 'an AVI', '240p' ]) {
	my ($id, $what, $rendition) = @$case;
	subtest $what => sub {
		my $ver = ver($id);
		my $index = $gateway->title($id);
		cmp_ok $index->{bytes}, '<', $size{$id} / 4, sprintf 'is known after %d kB of %d in %d requests', $index->{bytes} / 1000, $size{$id} / 1000, scalar @{ $index->{ranges} };
		let_go();
		my $root = "/api/hls/vod-$id/$ver";
		# Far apart, each by a feeder of its own: as a viewer's who seeks, or looks at what he has for a while.
		for my $n (90, 40, 140) {
			my ($status, $requests, $bytes) = cost($id, map { "$root/$_" } "$rendition/$n.m4s", "a0/$n.m4s");
			is $status, '200 200', "picture and sound of part $n";
			cmp_ok $requests, '<=', 6, "take $requests requests";
			cmp_ok $bytes, '<=', 6 * BLOCK, sprintf 'of %d kB in all: the tables are not among them', $bytes / 1000;
			let_go();
		}
		# After a day, or on a host that has the index from another one.
		unlink $app->state_dir . "/feed/vod-$id" or fail('the tables were kept');
		my ($status, $requests, $bytes) = cost($id, "$root/$rendition/100.m4s");
		is $status, '200', 'without its tables at hand a part takes them once more';
		cmp_ok $bytes, '>', 4 * BLOCK, sprintf 'with %d kB', $bytes / 1000;
		let_go();
		($status, $requests, $bytes) = cost($id, "$root/$rendition/60.m4s");
		is $status, '200', 'and the next';
		cmp_ok $bytes, '<=', 5 * BLOCK, sprintf 'does not: %d kB', $bytes / 1000;
		let_go();
		is $gateway->title($id)->{peak}, 1, 'over one connection';
	};
}

subtest 'an AVI without a table' => sub {
	my $ver = ver(101);
	my $index = $gateway->title(101);
	cmp_ok $index->{bytes}, '<', 1.1 * $size{101}, 'is read once to know it';
	cmp_ok scalar @{ $index->{ranges} }, '<', 8 + 2 * $size{101} / (8 * BLOCK), 'in large parts: ' . @{ $index->{ranges} };
	let_go();
	for my $n (90, 40) {
		my ($status, $requests, $bytes) = cost(101, map { "/api/hls/vod-101/$ver/$_" } "240p/$n.m4s", "a0/$n.m4s");
		is $status, '200 200', "picture and sound of part $n";
		cmp_ok $requests, '<=', 8, "take $requests requests";
		cmp_ok $bytes, '<=', 7 * BLOCK, sprintf 'of %d kB in all', $bytes / 1000;
		let_go();
	}
	is $gateway->title(101)->{peak}, 1, 'over one connection';
};

done_testing;
