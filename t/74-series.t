#!/usr/bin/perl
# t/74-series.t - series of a gateway and of a directory: listed, their episodes learnt, and played.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp ();
use Test::More;
use App;
use Gateway;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg') && App::which('ffprobe');

my $media = Gateway::media();
my $dir   = File::Temp->newdir;
make_path("$dir/TV/Home Show (2020)/Season 1", "$dir/Mixed");
copy("$media/20101.mkv", "$dir/TV/Home Show (2020)/Season 1/01 - First.mkv") or die "20101.mkv: $!\n";
copy("$media/20101.mkv", "$dir/TV/Home Show (2020)/Season 1/02 - Second.mkv") or die "20101.mkv: $!\n";
copy("$media/20102.mp4", "$dir/Mixed/Other.Show.S02E05.720p.mp4") or die "20102.mp4: $!\n";
copy("$media/20101.mkv", "$dir/Mixed/A.Film.2001.mkv") or die "20101.mkv: $!\n";
my $secret  = 'hush-4711';
my $gateway = Gateway->new(user => 'viewer.one', password => $secret,
	accounts => { 'viewer.one' => { password => $secret, max => 1 } });
$gateway->control('set', over => 403);
my $app = App->new(gateway => $gateway, connections => 1, conf => { relay_threads => 16 },
	sources => [ { name => 'home', type => 'files', url => "$dir" } ]);
my %told;    # everything that was answered, for what must not stand in it

sub ask {
	my ($target, @headers) = @_;
	my $reply = $app->get($target, @headers);
	$told{$target} = join "\n", $reply->body =~ /\A[\x09\x0a\x0d\x20-\x7e]*\z/ ? $reply->body : '', map { $reply->header($_) // '' } 'Location', 'Content-Disposition';
	return $reply;
}


subtest 'a gateway\'s series' => sub {
	my $list = ask('/api/series?q=the%20series')->json;
	is scalar @{ $list->{series} }, 1, 'is listed';
	my $s = $list->{series}[0];
	is "$s->{id} $s->{name} $s->{year} $s->{rating} $s->{url} $s->{page}", 'demo.ser-201 The Series 2020 8 /api/series/demo.ser-201 /?series=demo.ser-201', 'with what is known of it';
	my $categories = ask('/api/series')->json->{categories};
	is_deeply [ sort @$categories ], [ sort { $a cmp $b } 'Mixed', 'Series', 'TV' ], 'by categories, each told once' or diag "@$categories";
	my $page = ask('/api/series/demo.ser-201');
	is $page->status, 200, 'it tells of its episodes' or diag $page->body;
	my $one = $page->json->{seasons}[0];
	is_deeply [ map { "$_->{id} $_->{episode} $_->{title} $_->{duration} $_->{url}" } @{ $one->{episodes} } ],
		[ 'demo.ep-20101 1 The First 30 /api/stream/series/demo.ser-201/1/1', 'demo.ep-20102 2 The Second 30 /api/stream/series/demo.ser-201/1/2' ],
		'by season, under ids of their own';
	is ask('/api/series/demo.ser-201?season=2')->json->{seasons}[0], undef, 'of which there is one';
	is ask('/api/series/demo.ser-201?limit=1')->json->{nextCursor}, '1.1.20101', 'in pages, if one likes';
	is ask('/api/series/demo.ser-202')->status, 404, 'another is unknown';
	is ask('/api/series/!')->status, 400, 'and some are no ids';
	is ask('/api/series/demo.ser-201?season=x')->status, 400, 'nor is a season a letter';
};

# Whole, by a player that knows nothing but the address that a page gives.
sub frames {
	my ($id) = @_;
	my $url = 'http://127.0.0.1:' . $app->port . "/api/hls/$id/source.m3u8";
	return (`ffprobe -v error -count_frames -select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0 '$url' 2>&1` =~ /^(\d+)/)[0] // 'none';
}

sub frames_of { return (`ffprobe -v error -count_frames -select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0 '$_[0]'` =~ /(\d+)/)[0] }

subtest 'an episode of it' => sub {
	my $reply = ask('/api/stream/series/demo.201/1/1');
	is $reply->status . ' ' . ($reply->header('Location') // ''), '302 /api/hls/demo.ep-20101/master.m3u8', 'plays by its playlist' or diag $reply->body;
	my $told = ask('/api/stream/series/demo.ser-201/1/1', Accept => 'application/json')->json;
	is "$told->{id} $told->{title}", 'demo.ep-20101 The Series S01E01 The First', 'under its name';
	is_deeply $told->{series}, { id => 'demo.ser-201', season => 1, episode => 1, url => '/api/series/demo.ser-201' }, 'with its place';
	is ask('/api/stream/vod/demo.ep-20101', Accept => 'application/json')->json->{series}{id}, 'demo.ser-201', 'also where it is asked for by its id';
	is ask('/api/stream/series/demo.ser-201/1/3')->status, 404, 'one that there is not is missing';
	is ask('/api/stream/series/demo.ser-201/x/1')->status, 400, 'and a season is a number';
	my $master = ask('/api/hls/demo.ep-20101/master.m3u8');
	my ($ver) = $master->body =~ m{^([0-9a-f]{32})/source\.m3u8$}m;
	ok $ver, 'it has a master, with its own picture' or return;
	is ask("/api/hls/demo.ep-20101/$ver/thumbnails.vtt")->status, 200, 'and thumbnails';
	SKIP: {
		skip 'there is no front server', 1 unless $app->front_pid;
		is frames('demo.ep-20101'), frames_of("$media/20101.mkv"), 'and every picture comes, once';
	}
	# What read the other episode keeps the connection for a moment.
	$app->wait_for(sub { $app->move_clock(10); !$app->pids('feeder') }, 20, 'the feeder to end');
	my $bytes = ask('/cdn/stream/demo.ep-20102');
	ok $bytes->status == 200 && length $bytes->body == -s "$media/20102.mp4", 'its bytes come, too' or diag $bytes->status, ' ', substr $bytes->body, 0, 300;
	is $gateway->title(20101)->{refused}, 0, 'over the account\'s one connection';
};

subtest 'a directory\'s series' => sub {
	my %series = map { $_->{name} => $_ } @{ ask('/api/series')->json->{series} };
	is_deeply [ sort keys %series ], [ 'Home Show', 'Other Show', 'The Series' ], 'are found by the names of files and folders';
	my $home = $series{'Home Show'};
	is "$home->{year} $home->{category}", '2020 TV', 'with year and place';
	my $page = ask($home->{url})->json;
	is_deeply [ map { "$_->{episode} $_->{title}" } @{ $page->{seasons}[0]{episodes} } ], [ '1 First', '2 Second' ], 'and their episodes';
	my $id = $page->{seasons}[0]{episodes}[1]{id};
	like $id, qr/^home\.ep-[0-9a-f]{16}$/, 'each of which has an id';
	like ask("/api/hls/$id/master.m3u8")->body, qr{/source\.m3u8}, 'that plays';
	my $other = ask($series{'Other Show'}{url})->json->{seasons}[0];
	is "$other->{season} $other->{episodes}[0]{episode}", '2 5', 'those that lie among films, too';
	my $bytes = ask("/api/stream/$other->{episodes}[0]{id}?download=1");
	ok $bytes->status == 200 && length $bytes->body == -s "$media/20102.mp4", 'whose bytes can be had';
	like $bytes->header('Content-Disposition'), qr/filename\*=UTF-8''Other%20Show%20S02E05\.mp4$/, 'under their name';
};

subtest 'what is known of episodes' => sub {
	my $before = $gateway->counts->{api}{get_series_info} // 0;
	ask('/api/series/demo.ser-201') for 1 .. 3;
	is +($gateway->counts->{api}{get_series_info} // 0), $before, 'is not asked for again';
	$app->import_sources;
	is ask('/api/series/demo.ser-201')->status, 200, 'an import leaves it';
	$app->move_clock(25 * 3600);
	$gateway->control('fault', kind => 'api', id => 'get_series_info', set => 'status=500');
	is ask('/api/series/demo.ser-201')->status, 200, 'and it is good as long as the gateway tells nothing new';
	ok $app->wait_for(sub { $app->log =~ /episodes_not_learnt/ }, 10, 'the question'), 'which it is asked a day later';
	$gateway->control('clear');
	unlink glob $app->state_dir . '/db/catalog.db*';
	$app->import_sources;
	$gateway->control('fault', kind => 'api', id => 'get_series_info', set => 'html=1');
	my $reply = ask('/api/series/demo.ser-201?season=1');
	is $reply->status, 502, 'a gateway that never told is an error';
	like $reply->json->{error}{message}, qr/web page/, 'in words';
	$gateway->control('clear');
	$app->move_clock(25 * 3600 + 20);
	is ask('/api/series/demo.ser-201?season=1')->status, 200, 'that passes';
};

is_deeply [ grep { $told{$_} =~ /\Q$secret\E|viewer\.one/ } sort keys %told ], [], 'no answer holds the account';
unlike $app->log, qr/\Q$secret\E/, 'nor does the log';
done_testing;
