#!/usr/bin/perl
# t/70-vod.t - films from end to end: read, cut, encoded, played whole, from a directory and a gateway.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use File::Temp ();
use Test::More;
use App;
use Gateway;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg') && App::which('ffprobe');

my $media = Gateway::media();
my $films = File::Temp->newdir;
copy("$media/101.mkv", "$films/The.Film.2021.mkv") or die "101.mkv: $!\n";
copy("$media/102.mp4", "$films/Plain.mp4")            or die "102.mp4: $!\n";
copy("$media/20101.mkv", "$films/Short.mkv") or die "20101.mkv: $!\n";
my $gateway = Gateway->new(accounts => { demo => { password => 'demo', max => 1 } });
$gateway->control('set', over => 403);
my $app = App->new(
	sources => [ { name => 'home', type => 'files', url => "$films" } ],
	gateway => $gateway, connections => 1, conf => { relay_threads => 32 },
);

sub id_of { my ($file) = @_; return 'home.vod-' . substr(`printf %s '$file' | sha256sum`, 0, 16) }

# All of a rendition in a file: its beginning and its segments, these in any order.
sub fetch {
	my ($id, $ver, $rendition) = @_;
	my $list = $app->get("/api/hls/$id/$ver/$rendition.m3u8");
	is $list->status, 200, "$id: the playlist of $rendition";
	my @names = $list->body =~ /^(\Q$rendition\E\/\d+\.\w+)$/mg;
	my %part;
	for my $name (reverse(@names), "$rendition/init.mp4") {
		my $reply = $app->get("/api/hls/$id/$ver/$name");
		is $reply->status, 200, $name or diag $reply->body;
		$part{$name} = $reply->body;
	}
	my $file = File::Temp->new(SUFFIX => '.mp4');
	binmode $file;
	print $file $part{"$rendition/init.mp4"}, map { $part{$_} } @names;
	close $file;
	return $file;
}

# Pictures of a file as the demuxer counts them; and as many as ffmpeg decodes, with what it says of it.
sub pictures { my ($file) = @_; return (`ffprobe -v error -count_packets -select_streams v:0 -show_entries stream=nb_read_packets -of csv=p=0 '$file'` =~ /^(\d+)/)[0] // 'none' }

sub decoded {
	my ($file) = @_;
	my $said = `ffmpeg -nostdin -v error -progress pipe:1 -i '$file' -map 0:v:0 -fps_mode passthrough -f null - 2>&1`;
	my @frames = $said =~ /^frame=(\d+)$/mg;
	return ($frames[-1] // 'none', join '', grep { !/^\w+=.*$/ } split /^/, $said);
}

for my $case ([ id_of('The.Film.2021.mkv'), '101.mkv' ], [ 'demo.vod-102', '102.mp4' ]) {
	my ($id, $source) = @$case;
	subtest "$id" => sub {
		my $master = $app->get("/api/hls/$id/master.m3u8");
		is $master->status, 200, 'has a master' or diag $master->body, return;
		my ($ver) = $master->body =~ m{^([0-9a-f]{32})/source\.m3u8$}m;
		ok $ver, 'with its own picture' or return;
		my $copy = fetch($id, $ver, 'source');
		my $pictures = pictures("$media/$source");
		my ($frames, $said) = decoded($copy);
		is $frames, $pictures, 'every picture is there, once';
		is $said, '', 'and decodes without a word';
		my $small = fetch($id, $ver, '240p');
		($frames, $said) = decoded($small);
		is $frames, $pictures, 'so is every one that is encoded';
		is $said, '', 'without a word';
		my $sound = fetch($id, $ver, 'a0');
		is `ffmpeg -v error -i $sound -f null - 2>&1`, '', 'the sound decodes';
		cmp_ok abs(length_of($sound) - length_of("$media/$source")), '<', 0.2, 'and is as long';
	};
}

sub length_of { my ($file) = @_; return (`ffprobe -v error -show_entries format=duration -of csv=p=0 '$file'` =~ /^([\d.]+)/)[0] // 0 }

subtest 'what goes with a picture' => sub {
	my $id    = id_of('The.Film.2021.mkv');
	my ($ver) = $app->get("/api/hls/$id/master.m3u8")->body =~ m{^([0-9a-f]{32})/}m;
	my $text  = $app->get("/api/hls/$id/$ver/s0/0.vtt");
	is $text->status . ' ' . ($text->header('Content-Type') // ''), '200 text/vtt; charset=utf-8', 'subtitles are text';
	like $text->body, qr/\AWEBVTT\n(?:.*\n)*X-TIMESTAMP-MAP=/, 'on the film\'s own clock';
	my $list = $app->get("/api/hls/$id/$ver/thumbnails.vtt");
	is $list->status . ' ' . ($list->header('Content-Type') // ''), '200 text/vtt; charset=utf-8', 'there is a list of thumbnails';
	my ($sheet) = $list->body =~ /^(thumbnails\/0\.jpg)#xywh=0,0,160,90$/m;
	ok $sheet, 'that names a sheet' or return;
	my $jpeg = $app->get("/api/hls/$id/$ver/$sheet");
	is $jpeg->status . ' ' . ($jpeg->header('Content-Type') // ''), '200 image/jpeg', 'which is a picture';
	like $jpeg->body, qr/\A\xff\xd8.*\xff\xd9\z/s, 'whole';
	is $app->get("/api/hls/$id/$ver/thumbnails/1.jpg")->status, 404, 'and the only one of a short film';
	is $app->get("/api/hls/$id/$ver/iframes.m3u8")->status, 200, 'keyframes have a playlist';
	is $app->get("/api/hls/$id/$ver/iframes/1.m4s")->status, 200, 'and are made';
};

subtest 'a film as a whole' => sub {
	my $id   = id_of('Plain.mp4');
	my $film = slurp("$films/Plain.mp4");
	my $told = $app->get("/api/stream/vod/$id", Accept => 'application/json');
	is $told->status, 200, 'is told of' or diag $told->body;
	my $json = $told->json;
	is "$json->{id} $json->{title} $json->{container} $json->{mode} $json->{url}", "$id Plain mp4 direct /api/stream/$id", 'by name and how it plays';
	is $json->{qualities}[0]{name}, 'source', 'with its qualities';
	is $json->{audioTracks}[0]{name}, 'a0', 'and sounds';
	my $whole = $app->get("/api/stream/vod/$id");
	ok $whole->status == 200 && $whole->body eq $film, 'a browser gets its bytes';
	is $whole->header('Content-Type'), 'video/mp4', 'with their type';
	my $part = $app->get("/api/stream/$id", Range => 'bytes=-500');
	is $part->status . ' ' . ($part->header('Content-Range') // ''), '206 bytes ' . (length($film) - 500) . '-' . (length($film) - 1) . '/' . length $film, 'in parts, too';
	ok $part->body eq substr($film, -500), 'that are right';
	like $app->head("/api/stream/$id?download=1")->header('Content-Disposition'), qr/^attachment; .*filename\*=UTF-8''Plain\.mp4$/, 'to be kept, with a name';
	is $app->get("/api/stream/vod/$id?quality=240p")->header('Location'), "/api/hls/$id/master.m3u8?quality=240p", 'a lower picture plays by a playlist';
	is $app->get('/api/stream/vod/' . id_of('The.Film.2021.mkv'))->header('Location'), '/api/hls/' . id_of('The.Film.2021.mkv') . '/master.m3u8', 'so does what no browser plays';
	like $app->get('/api/stream/vod/demo.vod-102')->header('Location'), qr{^http://127\.0\.0\.1:\d+/vauth/}, 'and what is at a gateway by its edge';
};

sub slurp { open my $file, '<:raw', $_[0] or die "$_[0]: $!\n"; local $/; return scalar <$file> }

subtest 'a player that knows nothing but the master' => sub {
	plan skip_all => 'there is no front server' unless $app->front_pid;
	my $url = 'http://127.0.0.1:' . $app->port . '/api/hls/' . id_of('Short.mkv') . '/master.m3u8?quality=240p';
	my $text = `ffmpeg -v error -i '$url' -map 0:v:0 -map 0:a:0 -f null - 2>&1`;
	is $text, '', 'plays to the end without a word';
	is $? >> 8, 0, 'and ends well';
};

is $gateway->title(102)->{peak}, 1, 'the gateway saw one connection at a time';
is $gateway->title(102)->{refused}, 0, 'and refused none';
done_testing;
