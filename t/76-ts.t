#!/usr/bin/perl
# t/76-ts.t - films in MPEG-TS for players without fMP4, and addresses without a version.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use File::Temp ();
use Test::More;
use App;
use Film;
use Ts;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg') && App::which('ffprobe');

my $films = File::Temp->newdir;
my %source = ('Base' => 'base.mkv', 'Texts' => 'texts.mkv', 'New' => 'hevc.mkv');
copy(Film->new($source{$_})->path, "$films/$_.mkv") or die "$_: $!\n" for sort keys %source;
my $app = App->new(sources => [ { name => 'home', type => 'files', url => "$films" } ], conf => { relay_threads => 32 });

sub id_of { my ($name) = @_; return 'vod-' . substr(`printf %s '$name.mkv' | sha256sum`, 0, 16) }
sub master_of { my ($name, $query) = @_; return $app->get('/api/hls/' . id_of($name) . '/master.m3u8?format=ts' . ($query // '')) }

my ($id, $ver);

subtest 'a master of MPEG-TS' => sub {
	my $master = master_of('Base');
	is $master->status, 200, 'is there' or return diag $master->body;
	$id = id_of('Base');
	($ver) = $master->body =~ m{^([0-9a-f]{32})/source\.ts\.m3u8$}m;
	ok $ver, 'with the film\'s own picture';
	like $master->body, qr{^$ver/240p\.ts\.m3u8$}m, 'and a smaller one';
	unlike $master->body, qr{/\w+\.m3u8$}m, 'and nothing else';
	is $app->get("/api/hls/$id/master.m3u8?format=fmp4")->body, $app->get("/api/hls/$id/master.m3u8")->body, 'fmp4 is what is usual';
	is $app->get("/api/hls/$id/master.m3u8?format=avi")->status, 400, 'and another format none of ours';
	like master_of('New')->body, qr{^[0-9a-f]{32}/240p\.ts\.m3u8$}m, 'of H.265 there are encoded ones';
	unlike master_of('New')->body, qr{source}, 'but no copy';
};

# Every segment of a rendition, in order.
sub segments {
	my ($rendition) = @_;
	my $list = $app->get("/api/hls/$id/$ver/$rendition.ts.m3u8");
	is $list->status, 200, "$rendition: the playlist";
	unlike $list->body, qr/EXT-X-MAP/, 'needs nothing to begin with';
	my @names = $list->body =~ m{^(\Q$rendition\E/\d+\.ts)$}mg;
	my @replies = map { $app->get("/api/hls/$id/$ver/$_") } @names;
	is_deeply [ grep { $_->status != 200 || $_->header('Content-Type') ne 'video/mp2t' } @replies ], [], 'every segment comes, as MPEG-TS';
	return map { $_->body } @replies;
}

for my $rendition (qw(source 240p a0)) {
	subtest "$rendition" => sub {
		my @bytes = segments($rendition);
		my @read  = map { Ts->read($_) } @bytes;
		is_deeply [ map { $_->faults, $_->start_faults } @read ], [], 'each is whole, and begins as it should' if $rendition ne 'a0';
		is_deeply [ map { Ts::gap_faults($read[ $_ - 1 ], $read[$_]) } 1 .. $#read ], [], 'counters and times go on from one to the next';
		my $file = File::Temp->new(SUFFIX => '.ts');
		binmode $file;
		print $file @bytes;
		close $file;
		is `ffmpeg -v warning -i $file -f null - 2>&1`, '', 'together they decode without a word';
		my $all = () = `ffprobe -v error -show_entries packet=pts -select_streams a:0 -of csv=p=0 $file` =~ /^\d/mg;
		cmp_ok abs($all - 12 * 48000 / 1024), '<=', 2, 'with all of the sound';
		return if $rendition eq 'a0';
		my ($got) = Film::pictures("$file");
		is join(' ', map { $_->[1] } @$got), join(' ', 0 .. 299), 'and every picture once, in order';
	};
}

subtest 'subtitles' => sub {
	my ($text) = master_of('Texts')->body =~ m{URI="([0-9a-f]{32}/s0\.ts\.m3u8)"};
	ok $text, 'have a list' or return;
	my $base = '/api/hls/' . id_of('Texts');
	my ($first) = $app->get("$base/$text")->body =~ m{^(s0/0\.ts\.vtt)$}m;
	ok $first, 'of segments' or return;
	(my $dir = $text) =~ s{/.*}{};
	my $reply = $app->get("$base/$dir/$first");
	is $reply->status . ' ' . $reply->header('Content-Type'), '200 text/vtt; charset=utf-8', 'that are text';
	like $reply->body, qr/\nX-TIMESTAMP-MAP=LOCAL:00:00:00\.000,MPEGTS:900000\n/, 'on the clock of the packets';
	like $app->get("$base/$dir/s0/0.vtt")->body, qr/MPEGTS:0\n/, 'apart from those of fMP4';
};

subtest 'a player that knows nothing but the master' => sub {
	plan skip_all => 'there is no front server' unless $app->front_pid;
	my $url = 'http://127.0.0.1:' . $app->port . "/api/hls/$id/master.m3u8?format=ts&quality=240p";
	my $frames = `ffmpeg -v error -i '$url' -map 0:v:0 -map 0:a:0 -f framecrc - 2>&1`;
	is $? >> 8, 0, 'plays to the end';
	is scalar(() = $frames =~ /^0,/mg), 300, 'and has every picture';
};

subtest 'what there is not' => sub {
	my ($new) = $app->get('/api/hls/' . id_of('New') . '/master.m3u8')->body =~ m{^([0-9a-f]{32})/}m;
	is $app->get("/api/hls/$id/$ver/$_")->status, 404, $_ for 'iframes.ts.m3u8', 'iframes/0.ts', '240p.ts/0.ts', 'source/99.ts', 'a9/0.ts', '240p/0.ts.vtt', 'thumbnails.ts.m3u8';
	is $app->get('/api/hls/' . id_of('New') . "/$new/source/0.ts")->status, 404, 'a copy of H.265 in MPEG-TS';
};

subtest 'addresses without a version' => sub {
	my %leads = ('240p.m3u8' => '240p.m3u8', '240p.m3u8?format=ts' => '240p.ts.m3u8?format=ts', '240p.ts.m3u8' => '240p.ts.m3u8', 'a0.m3u8' => 'a0.m3u8',
		'240p/init.mp4' => '240p/init.mp4', '240p/1.m4s?x=1' => '240p/1.m4s?x=1', 'source/0.ts' => 'source/0.ts', 'thumbnails.vtt' => 'thumbnails.vtt', 'thumbnails/0.jpg' => 'thumbnails/0.jpg');
	for my $from (sort keys %leads) {
		my $reply = $app->get("/api/hls/$id/$from");
		is $reply->status . ' ' . ($reply->header('Location') // ''), "302 /api/hls/$id/$ver/$leads{$from}", "$from leads to what it is now";
	}
	is $app->get("/api/hls/$id/240p/0.m4s")->header('Cache-Control'), 'no-cache', 'for nobody to keep';
	is $app->get("/api/hls/$id/$_")->status, 404, "$_ leads nowhere" for '240p/x.m4s', '999p/0.m4s', 's5/0.vtt', '240p/init.ts', 'thumbnails/init.mp4';
	is $app->get('/api/hls/vod-none/240p/0.m4s')->status, 404, 'nor does anything of an unknown film';
};
done_testing;
