#!/usr/bin/perl
# t/79-beside.t - files of subtitles that lie beside a film, whenever they come, whoever wrote them.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use Encode qw(encode);
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp ();
use Test::More;
use App;
use Film;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg') && App::which('ffprobe');

my $dir = File::Temp->newdir;
make_path("$dir/Films");
copy(Film->new('base.mkv')->path, "$dir/Films/A.Film.2001.mkv") or die "base.mkv: $!\n";
file('A.Film.2001.en.srt', "1\n00:00:01,000 --> 00:00:02,500\n<b>One</b> & two\n\n2\n00:00:04,000 --> 00:00:09,000\nOver a border\n");
file('A.Film.2002.en.srt', "1\n00:00:01,000 --> 00:00:02,500\nOf another\n");
my $id  = 'vod-' . substr(`printf %s 'Films/A.Film.2001.mkv' | sha256sum`, 0, 16);
my $app = App->new(sources => [ { name => 'home', type => 'files', url => "$dir" } ]);

sub file { my ($name, $bytes) = @_; open my $out, '>:raw', "$dir/Films/$name" or die "$name: $!\n"; print $out $bytes; close $out; return }

# The subtitles of a new master: [name, list] by language; asked for past the moment that an answer is kept.
sub texts {
	my $master = $app->get("/api/hls/$id/master.m3u8?quality=480p&x=" . rand)->body;
	return { map { (/LANGUAGE="([^"]*)"/)[0] // '' => { line => $_, list => (/URI="([^"]+)"/)[0] } } $master =~ /^(#EXT-X-MEDIA:TYPE=SUBTITLES.*)$/mg };
}

sub new_texts {
	my ($language) = @_;
	my $texts;
	$app->wait_for(sub { $app->move_clock(2); $texts = texts(); $texts->{$language} }, 10, "subtitles of $language");
	return $texts;
}

# All cues of a rendition, each once; and as the segments have them.
sub cues { my %seen; return join '', grep { !$seen{$_}++ } shown(@_) =~ /(.+?\n\n|^\d+\z)/sg }
sub shown {
	my ($list) = @_;
	my $reply = $app->get("/api/hls/$id/$list");
	return $reply->status if $reply->status != 200;
	(my $base = $list) =~ s{/[^/]*$}{};
	return join '', map { my $part = $app->get("/api/hls/$id/$base/$_"); $part->status == 200 ? $part->body =~ s/\AWEBVTT\nX-TIMESTAMP-MAP=\S+\n\n//r : $part->status } $reply->body =~ /^(s[0-9a-f]+\/\d+\.(?:ts\.)?vtt)$/mg;
}

my $first = texts();
is_deeply [ keys %$first ], ['en'], 'a file beside the film is a subtitle of its own';
like $first->{en}{list}, qr{^[0-9a-f]{32}/s[0-9a-f]{11}\.m3u8$}, 'under a name of its own';
is cues($first->{en}{list}), "00:00:01.000 --> 00:00:02.500\n<b>One</b> &amp; two\n\n00:00:04.000 --> 00:00:09.000\nOver a border\n\n", 'with its cues';
cmp_ok scalar(() = shown($first->{en}{list}) =~ /Over a border/g), '>', 1, 'each in every segment where it is seen';
like $app->get("/api/hls/$id/master.m3u8")->body, qr/EXT-X-STREAM-INF[^\n]*,SUBTITLES="text"/, 'that variants name';
is_deeply [ map { "$_->{language} $_->{name}" } @{ $app->get("/api/stream/vod/$id", Accept => 'application/json')->json->{subtitles} } ],
	[ 'en ' . ($first->{en}{list} =~ m{/(s\w+)})[0] ], 'and that is told of';
my ($published) = glob $app->www . "/api/hls/$id/*/s*/0.vtt";
ok $published, 'what was asked for is a file';

# --- later ------------------------------------------------------------------------------------------------
file('A.Film.2001.de.forced.srt', encode('cp1252', "1\n00:00:01,000 --> 00:00:02,000\nGr\xfc\xdfe \x{201e}euch\x{201c}\n"));
my $second = new_texts('de');
is $second->{en}{list}, $first->{en}{list}, 'one that comes later changes nothing of those before';
like $second->{de}{line}, qr/FORCED=YES/, 'its name says what it is for';
is cues($second->{de}{list}), "00:00:01.000 --> 00:00:02.000\nGr\xc3\xbc\xc3\x9fe \xe2\x80\x9eeuch\xe2\x80\x9c\n\n", 'Windows-1252 is read';
file('A.Film.2001.ja.sdh.ass', encode('UTF-16LE', "\x{feff}[Events]\r\nDialogue: 0,0:00:01.00,0:00:02.00,D,,0,0,0,,{\\i1}\x{65e5}\x{672c}{\\i0}\\N\x{8a9e}\r\n"));
my $third = new_texts('ja');
like $third->{ja}{line}, qr/CHARACTERISTICS="public\.accessibility/, 'for those who do not hear';
is cues($third->{ja}{list}), encode('UTF-8', "00:00:01.000 --> 00:00:02.000\n\x{65e5}\x{672c}\n\x{8a9e}\n\n"), 'ASS in UTF-16 is read';
file('A.Film.2001.fr.vtt', "WEBVTT\n\n00:01.000 --> 00:02.000 align:start\n<i>Oui</i>\n");
is cues(new_texts('fr')->{fr}{list}), "00:00:01.000 --> 00:00:02.000\n<i>Oui</i>\n\n", 'WebVTT, too';

# --- another one under the same name ----------------------------------------------------------------------
my $before = do { open my $in, '<', $published or die "$published: $!\n"; local $/; <$in> };
file('A.Film.2001.en.srt', "1\n00:00:01,000 --> 00:00:02,500\nBetter\n");
my $fourth;
ok $app->wait_for(sub { $app->move_clock(2); $fourth = texts(); $fourth->{en}{list} ne $first->{en}{list} }, 10), 'a file that has changed is another rendition';
is cues($fourth->{en}{list}), "00:00:01.000 --> 00:00:02.500\nBetter\n\n", 'with what it says now';
is do { open my $in, '<', $published or die "$published: $!\n"; local $/; <$in> }, $before, 'what was published of it stays as it was';
(my $gone = $first->{en}{list}) =~ s/\.m3u8$//;
is $app->get("/api/hls/$id/$gone/2.ts.vtt")->code, 'changed', 'what was not is said to have changed';

subtest 'in MPEG-TS' => sub {
	my ($list) = $app->get("/api/hls/$id/master.m3u8?format=ts")->body =~ m{LANGUAGE="en"[^\n]*URI="([^"]+)"};
	like $list, qr/\.ts\.m3u8$/, 'they have a list of their own';
	(my $part = $list) =~ s{\.ts\.m3u8$}{/0.ts.vtt};
	like $app->get("/api/hls/$id/$part")->body, qr/MPEGTS:900000\n/, 'on its clock';
};

subtest 'what is none' => sub {
	my ($ver) = $first->{en}{list} =~ /^(\w+)/;
	is $app->get("/api/hls/$id/$ver/$_")->status, 404, $_ for 's00000000000.m3u8', 's00000000000/0.vtt', 's0000000000/0.vtt', 's0000000000G.m3u8';
	(my $name = $fourth->{en}{list}) =~ s/\.m3u8$//;
	is $app->get("/api/hls/$id/$name/$_")->status, 404, $_ for '99.vtt', '0.m4s', 'init.mp4';
	symlink '/etc/passwd', "$dir/Films/A.Film.2001.xx.srt" or die "symlink: $!\n";
	file('A.Film.2001.yy.srt', '');
	file('A.Film.2001.es.srt', "\xff\xfe" x 50 . "\0\1\2 --> garbage\n--> --> -->\n" x 50);
	my $texts = new_texts('es');
	ok !$texts->{xx} && !$texts->{yy}, 'a link and an empty file are passed over';
	is cues($texts->{es}{list}), '', 'garbage has no cues, and harms nobody';
};
done_testing;
