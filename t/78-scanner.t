#!/usr/bin/perl
# t/78-scanner.t - a directory of films is watched: what happens there is in the catalogue a moment later.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path remove_tree);
use File::Temp ();
use Test::More;
use Time::HiRes qw(time);
use App;

my $top = File::Temp->newdir;
my $dir = "$top/films";
make_path($dir);
film("Old $_.mkv") for 1 .. 4;
my $app = App->new(via => 'fastcgi', sources => [ { name => 'home', type => 'files', url => $dir } ]);

sub film { my ($path, $bytes) = @_; open my $out, '>', "$dir/$path" or die "$path: $!\n"; print $out $bytes // "bytes of $path"; close $out; return }
sub status { my ($path) = @_; return $app->get('/api/stream/vod-' . substr(`printf %s '$path' | sha256sum`, 0, 16))->status }
sub becomes { my ($path, $status, $what) = @_; return ok $app->wait_for(sub { status($path) == $status }, 15), "$what: $path is $status" }
sub imports { return scalar(() = $app->log =~ /(?:^|\n)[^\n]* imported source=home/g) }

is status('Old 1.mkv'), 200, 'what was there is known';
ok $app->wait_for(sub { $app->log =~ / watched source=home dirs=1/ }, 15), 'the directory is watched';

film('New.mkv');
becomes('New.mkv', 200, 'a new film');
make_path("$dir/A/B");
film('A/B/Deep.mkv');
becomes('A/B/Deep.mkv', 200, 'one in a new folder');
film('A/B/Deeper.mkv');
becomes('A/B/Deeper.mkv', 200, 'and another one there later');
rename "$dir/New.mkv", "$dir/A/Moved.mkv" or die "New.mkv: $!\n";
becomes('A/Moved.mkv', 200, 'one that was moved');
becomes('New.mkv', 404, 'where it was');
link "$dir/Old 1.mkv", "$dir/Linked.mkv" or die "Linked.mkv: $!\n";
becomes('Linked.mkv', 200, 'a second name for one');
unlink "$dir/Old 2.mkv";
becomes('Old 2.mkv', 404, 'one that was removed');
is status('Old 1.mkv'), 200, 'the others stay';
rename "$dir/A", "$top/A" or die "A: $!\n";
becomes('A/B/Deep.mkv', 404, 'all of a folder that was taken away');
unlink "$dir/Old $_.mkv" for 1, 3;
unlink "$dir/Linked.mkv";
becomes('Old 3.mkv', 404, 'most of what there was');
is status('Old 4.mkv'), 200, 'but not the last one';

subtest 'the list' => sub {
	make_path("$dir/Ordner");
	film($_) for 'track 10.mp3', 'Track 9.mp3', 'Ähre.mkv', 'Zebra.mkv', 'apfel.mkv', 'Ordner/b.mkv', 'Ordner/A.mkv';
	becomes('Ordner/A.mkv', 200, 'the last of them');
	my $names = sub { join ' | ', map { utf8::encode(my $name = $_->{name}); $name } @{ $app->get('/api/movies')->json->{movies} } };
	ok $app->wait_for(sub { $names->() =~ /Zebra/ }, 15), 'and all others are there';
	is $names->(), 'Ähre | apfel | Old 4 | A | b | Track 9 | track 10 | Zebra', 'is in the order of names, folder by folder';
	unlink glob "'$dir'/Ordner/* '$dir'/*rack* '$dir'/Zebra* '$dir'/*pfel* '$dir'/*hre*";
	becomes('Zebra.mkv', 404, 'the last one again');
};

subtest 'what is no film' => sub {
	my $before = imports();
	film($_) for 'notes.txt', '.hidden.mkv', 'half.mkv.part';
	film('After.mkv');
	becomes('After.mkv', 200, 'one after them');
	cmp_ok imports() - $before, '<=', 2, 'is no reason to look again';
};

subtest 'many changes' => sub {
	my ($before, $began) = (imports(), time);
	film("Many $_.mkv") for 1 .. 200;
	becomes('Many 200.mkv', 200, 'the last of them');
	becomes('Many 1.mkv', 200, 'the first of them');
	cmp_ok imports() - $before, '<=', 2 + (time - $began) / 0.5, 'are looked at together';
};

subtest 'a directory that is gone, as of a disk that was taken out' => sub {
	rename $dir, "$top/away" or die "films: $!\n";
	ok $app->wait_for(sub { $app->log =~ /import_failed source=home/ }, 15), 'is said to be gone';
	mkdir $dir or die "films: $!\n";
	$app->move_clock(6);
	ok $app->wait_for(sub { $app->log =~ /stayed as they were|lists no channels|nothing was changed/ }, 15), 'one that is empty is not believed';
	rmdir $dir;
	rename "$top/away", $dir or die "films: $!\n";
	film('Back.mkv');
	$app->move_clock(6);
	becomes('Back.mkv', 200, 'a new film, when it is back');
	is status('Many 7.mkv'), 200, 'with all there was';
};

subtest 'more directories than may be watched' => sub {
	$app->write_conf(watch_dirs => 1);
	make_path("$dir/C");
	$app->kill('scanner');
	$app->command('reload');
	ok $app->wait_for(sub { $app->log =~ /not_watched_whole source=home/ }, 20), 'are said to be too many';
	film('Top.mkv');
	becomes('Top.mkv', 200, 'a film in one that is watched');
	film('C/Below.mkv');
	# A clock that moves while it is looked through makes that seem to take as long.
	ok $app->wait_for(sub { $app->move_clock(5000); status('C/Below.mkv') == 200 }, 15), 'another one, when it is looked through';
};

subtest 'a hundred thousand films' => sub {
	plan skip_all => 'SLUICE_LONG is not set' unless $ENV{SLUICE_LONG};
	$app->write_conf(watch_dirs => 50000);
	$app->command('reload');
	for my $n (1 .. 1000) {
		make_path("$dir/L$n");
		film("L$n/$_.mkv", '') for 1 .. 100;
	}
	ok $app->wait_for(sub { status('L1000/100.mkv') == 200 }, 120), 'are there';
	my $began = time;
	film('L500/One More.mkv');
	ok $app->wait_for(sub { status('L500/One More.mkv') == 200 }, 90), 'and one more';
	diag sprintf 'after %.1f s', time - $began;
	my ($peak) = $app->log =~ /.*imported source=home.* peak_kb=(\d+)/s;
	cmp_ok $peak, '<', 60_000, "in $peak KB";
};
done_testing;
