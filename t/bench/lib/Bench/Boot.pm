# t/bench/lib/Bench/Boot.pm - from exec of `sluice serve` to its first answer.
# SPDX-License-Identifier: BSD-2-Clause
#
# With an empty tree, and with a million published files in it.
package Bench::Boot;
use strict;
use warnings;
use File::Path qw(make_path);
use Time::HiRes qw(time sleep);
use App;
use Bench;

my $FILES   = 1_000_000;
my $FOLDER  = 1000;      # files of one rendition
my $GOAL_MS = 30;

sub run {
	Bench::use_cores('0,1');
	my $app = App->new(via => 'fastcgi', import => 0);
	my (@empty, @full);
	fill("$app->{dir}/full");
	for my $turn (1 .. $Bench::RUNS) {
		push @empty, boot($app);
		push @full, boot($app, "$app->{dir}/full");
	}
	my ($with, $without) = map { Bench::medians(@$_) } \@full, \@empty;
	return Bench::row(sprintf('%d published files', $FILES), told($with), told($without) . ' (an empty tree)',
		"≤ $GOAL_MS ms", $with->{ms} <= $GOAL_MS ? 1 : 0);
}

sub told { my ($seen) = @_; return sprintf '%.1f ms, master and all workers used %.1f ms of processor', $seen->{ms}, $seen->{cpu_ms} }

# From the fork to the first answer of the api pool; with $tree as what is published.
sub boot {
	my ($app, $tree) = @_;
	$app->stop;
	swap($app, $tree) if $tree;
	my $seen = first_answer($app);
	if ($tree) {
		$app->stop;
		swap($app, $tree);
	}
	return $seen;
}

# The document root and $tree change places.
sub swap {
	my ($app, $tree) = @_;
	my $www = $app->www;
	rename $www, "$tree.away" and rename $tree, $www and rename "$tree.away", $tree or die "$www and $tree: $!\n";
	return;
}

sub first_answer {
	my ($app) = @_;
	my $begun = time;
	$app->launch;
	my $end = $begun + 10;
	until ($app->fcgi('api', 'GET', '/health/live')->status == 200) {
		die "the program did not start\n" if time > $end;
		sleep 0.0005;
	}
	my $ms = (time - $begun) * 1000;
	return { ms => $ms, cpu_ms => 1000 * Bench::spent({}, Bench::used(Bench::session($app->{pids}{sluice}))) };
}

# Names only: each folder links one file of its own.
sub fill {
	my ($www) = @_;
	for my $number (1 .. $FILES / $FOLDER) {
		my $folder = sprintf '%s/api/hls/vod-%d/%032x/720p', $www, $number, $number;
		make_path($folder);
		Bench::write_file("$folder/1.m4s", 'x');
		link "$folder/1.m4s", "$folder/$_.m4s" or die "$folder/$_.m4s: $!\n" for 2 .. $FOLDER;
	}
	return;
}

1;
