# t/bench/lib/Bench/Film.pm - films: until the first segment, at every quality, and what it costs.
# SPDX-License-Identifier: BSD-2-Clause
#
# A film of 90 minutes, 1.4 GB, under as many names as there are starts. Two baselines make the same
# in turn: the ffprobe and the ffmpeg that a segment takes, started by hand, and Express that starts
# them (t/bench/node/film.js). A segment of theirs begins where we cut, and is as long.
package Bench::Film;
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use Time::HiRes qw(time sleep);
use App;
use App::Client;
use Bench;
use Bench::Work;

my $STARTS  = 5;
my $SEEKS   = 9;
my $REMUXED = 30;
my $ENCODED = 3;
my $AHEAD   = 2;
my %GOAL_S  = ('360p' => 0.45, '720p' => 0.5);

sub run {
	Bench::use_cores('0,1');
	my $dir = films();
	my $app = App->new(conf => { log_level => 'info' }, sources => [ { name => 'films', type => 'files', url => $dir } ]);
	my $they = Bench::Work->node($app, $dir);
	my @lines = (starts($app, $they, $dir), seeks($app, $they, $dir));
	push @lines, rungs($app, $they, $dir, 'film-0.mkv', qw(240p 360p 480p 720p)), rungs($app, $they, $dir, 'large.mkv', '1080p');
	push @lines, remuxed($app, $they, $dir);
	push @lines, ahead($app, $dir, $_) for qw(360p 720p);
	push @lines, memory($app, $dir, @$_) for [ source => 'film-0.mkv' ], [ '360p' => 'film-0.mkv' ], [ '720p' => 'film-0.mkv' ], [ '1080p' => 'large.mkv' ];
	$app->end;
	remove_tree($dir);
	return @lines;
}

# A folder with one film under many names.
sub films {
	my $made = Bench::builddir() . '/films';
	system(Bench::srcdir() . '/t/films', $made, qw(long.mkv long.mp4 large.mkv)) == 0 or die "no films\n";
	my $dir = Bench::builddir() . "/t/bench/films-$$";
	make_path($dir);
	my %names = ('large.mkv' => 'large.mkv', map({ ("film-$_.mkv" => 'long.mkv', "film-$_.mp4" => 'long.mp4') } 0 .. $STARTS - 1));
	link "$made/$names{$_}", "$dir/$_" or die "$dir/$_: $!\n" for keys %names;
	return $dir;
}

# --- until the first segment ----------------------------------------------------------------------

# The first time that anybody asks; then again, with nothing kept but the index.
sub starts {
	my ($app, $they, $dir) = @_;
	my (%seen, @lines);
	for my $i (0 .. $STARTS - 1) {
		my @names = map { "film-$i.$_" } qw(mkv mp4);
		for my $name (@names) {
			Bench::Work::forget_pages("$dir/$name");
			push @{ $seen{ kind($name) . ' cold' } }, { ours => first($app, $name, 'source') };
		}
		Bench::Work::unpublish($app, @names);
		push @{ $seen{ kind($_) . ' known' } }, { ours => first($app, $_, 'source') } for @names;
		for my $name (@names) {
			my ($end) = Bench::Work::cuts($app, $name, 'source');
			for my $how (qw(cold known)) {
				Bench::Work::forget_pages("$dir/$name") if $how eq 'cold';
				my $turn = $seen{ kind($name) . " $how" }[-1];
				$turn->{ffmpeg} = Bench::Work::by_hand("$dir/$name", 'source', 0, $end, $how eq 'cold');
				Bench::Work::forget_pages("$dir/$name") if $how eq 'cold';
				$turn->{node} = $they->start($name, 'source', $end, $how eq 'cold');
			}
		}
	}
	for (map { [ "mkv $_", 'MKV' ], [ "mp4 $_", 'MP4' ] } qw(cold known)) {
		my ($key, $kind) = @$_;
		my $what = $key =~ /cold/ ? 'nobody asked before, nothing of it in memory' : 'its index known';
		my $goal = { 'mkv cold' => 0.025, 'mkv known' => 0.010 }->{$key};
		push @lines, line("$kind of 90 minutes as it is, $what: playlists and first segment", $seen{$key}, $goal);
	}
	return @lines;
}

sub kind { my ($name) = @_; return $name =~ /(\w+)$/ ? $1 : die "$name has no kind\n" }

# All that a player asks for until it has the first segment of a picture: seconds.
sub first {
	my ($app, $name, $rendition) = @_;
	my $begun = time;
	my $root  = '/api/hls/' . Bench::Work::id($name);
	my ($list) = Bench::Work::get($app->port, "$root/master.m3u8") =~ m{^([0-9a-f]{32}/\Q$rendition\E\.m3u8)$}m or die "$name has no $rendition\n";
	my ($init) = Bench::Work::get($app->port, "$root/$list") =~ /URI="([^"]+)"/ or die "$list has no beginning\n";
	my ($ver) = split m{/}, $list;
	my $bytes = join '', map { Bench::Work::get($app->port, "$root/$ver/$_") } $init, "$rendition/0.m4s";
	my $took = time - $begun;
	Bench::Work::decodes($bytes);
	return $took;
}

sub line {
	my ($what, $turns, $goal) = @_;
	my $seen = Bench::medians(@$turns);
	my $node = defined $seen->{node} ? sprintf(', %.0f ms (Express, ffmpeg)', 1000 * $seen->{node}) : '';
	my @sorted = sort { $a <=> $b } map { $_->{ours} } @$turns;
	return Bench::row(sprintf('%s, %d times', $what, scalar @$turns),
		sprintf('%.0f ms (%.0f to %.0f)', map { 1000 * $_ } $seen->{ours}, @sorted[ 0, -1 ]),
		sprintf('%.0f ms (ffmpeg alone)%s', 1000 * $seen->{ffmpeg}, $node), $goal ? sprintf('≤ %.0f ms', 1000 * $goal) : '',
		$goal ? ($seen->{ours} <= $goal ? 1 : 0) : undef);
}

sub seeks {
	my ($app, $they, $dir) = @_;
	my ($name, @turns) = ('film-0.mkv');
	my @cuts = (0, Bench::Work::cuts($app, $name, 'source'));
	my $root = Bench::Work::root($app, $name);    # a player has it already
	for my $i (1 .. $SEEKS) {
		my $n = 20 + $i * 307 % ($#cuts - 30);
		my $begun = time;
		Bench::Work::get($app->port, "$root/source/$n.m4s");
		my $took = time - $begun;
		push @turns, { ours => $took, ffmpeg => Bench::Work::by_hand("$dir/$name", 'source', $cuts[$n], $cuts[ $n + 1 ]),
			node => $they->made($name, 'source', int($cuts[$n] / 6), $cuts[ $n + 1 ] - $cuts[$n]) };
	}
	return line('MKV as it is, a seek: one segment', \@turns, 0.012);
}

# Encoded: the playlists and the first segment, of a film that is known, at one quality after the other.
sub rungs {
	my ($app, $they, $dir, $name, @rungs) = @_;
	my %turns;
	for my $i (1 .. $ENCODED) {
		Bench::Work::unpublish($app, $name);
		for my $rung (@rungs) {
			my $ours = first($app, $name, $rung);
			Bench::Work::rest($app);    # nothing that is made ahead is in the way of what comes next
			my ($end) = Bench::Work::cuts($app, $name, $rung);
			push @{ $turns{$rung} }, { ours => $ours, ffmpeg => Bench::Work::by_hand("$dir/$name", $rung, 0, $end),
				node => $they->made($name, $rung, 0, $end) };
		}
	}
	my $of = $name eq 'large.mkv' ? '1080p' : '720p';
	return map { line("encoded, $_ of $of: playlists and first 2 s", $turns{$_}, $GOAL_S{$_}) } @rungs;
}

# --- what it costs --------------------------------------------------------------------------------

# Processor of segments one after another, children and all.
sub remuxed {
	my ($app, $they, $dir) = @_;
	my ($name, $from) = ('film-1.mkv', 100);
	my @cuts = (0, Bench::Work::cuts($app, $name, 'source'));
	my $ours = Bench::Work::costs([ $app->sessions ], sub { Bench::Work::segment($app, $name, 'source', $_) for $from .. $from + $REMUXED - 1 });
	my $ffmpeg = Bench::Work::costs([], sub { Bench::Work::by_hand("$dir/$name", 'source', @cuts[ $_, $_ + 1 ]) for $from .. $from + $REMUXED - 1 });
	my $node = $they->costs_of(sub { $they->made($name, 'source', $_, 6) for $from .. $from + $REMUXED - 1 });
	my ($mine, $by_hand, $by_node) = map { defined $_ ? $_ / $REMUXED * 1000 : undef } $ours, $ffmpeg, $node;
	return Bench::row("processor for a segment as it is, $REMUXED of them", sprintf('%.1f ms', $mine),
		sprintf('%.1f ms (ffmpeg alone)', $by_hand) . (defined $by_node ? sprintf(', %.1f ms (Express, ffmpeg)', $by_node) : ''),
		sprintf('%.1f× as cheap', $by_hand / $mine), undef);
}

# A player that takes segments as fast as they come, and the two after it are made ahead; beside it
# one ffmpeg that encodes the same stretch with all processors.
sub ahead {
	my ($app, $dir, $rung) = @_;
	my ($name, $count) = ('film-2.mkv', 5);
	my @cuts = (0, Bench::Work::cuts($app, $name, $rung));
	my @turns;
	for my $from (map { 100 + 100 * $_ } 1 .. $AHEAD) {
		my $media = $cuts[ $from + $count ] - $cuts[$from];
		my $begun = time;
		my $cpu = Bench::Work::costs([ $app->sessions ], sub { Bench::Work::segment($app, $name, $rung, $_) for $from .. $from + $count - 1 });
		my $ours = time - $begun;
		Bench::Work::rest($app);    # nothing that is made ahead is in the way of what comes next
		$begun = time;
		my $plain_cpu = Bench::Work::costs([], sub { Bench::Work::by_hand("$dir/$name", $rung, @cuts[ $from, $from + $count ]) });
		my $plain = time - $begun;
		push @turns, { ours => $media / $ours, plain => $media / $plain, cpu => $cpu / $media, plain_cpu => $plain_cpu / $media };
	}
	my $seen = Bench::medians(@turns);
	return Bench::row("$rung of 720p, segments as fast as they come", sprintf('%.1f× real time, %.2f s of processor a second', @$seen{qw(ours cpu)}),
		sprintf('%.1f×, %.2f s (one ffmpeg)', @$seen{qw(plain plain_cpu)}), sprintf('%.2f× of it', $seen->{ours} / $seen->{plain}), undef);
}

sub memory {
	my ($app, $dir, $rendition, $name) = @_;
	my @cuts = (0, Bench::Work::cuts($app, $name, $rendition));
	my $from = $name eq 'large.mkv' ? 1 : 500;
	my @n = $from .. ($rendition eq 'source' ? $from + 20 : $from + 1);
	Bench::Work::segment($app, $name, $rendition, 0);    # so that there is somebody to watch
	Bench::Work::rest($app);
	Bench::Work::unpublish($app, $name);    # what was made ahead, too
	my $ours = Bench::Work::peak(Bench::Work::zygote($app), sub { Bench::Work::segment($app, $name, $rendition, $_) for @n });
	my $plain = Bench::Work::peak($$, sub { Bench::Work::by_hand("$dir/$name", $rendition, @cuts[ $_, $_ + 1 ]) for @n });
	return Bench::row("memory of a job: $rendition" . ($name eq 'large.mkv' ? ' of 1080p' : ''), sprintf('%.0f MiB at most, libraries and all', $ours / 1024),
		sprintf('%.0f MiB (ffmpeg)', $plain / 1024), '', undef);
}

1;
