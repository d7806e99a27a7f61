# t/lib/Hostile.pm - files that are no films, or that lie about themselves.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $canary = Hostile->canary($dir);      # a pipe and a socket that nobody is to open
#   my %files  = Hostile::no_films($canary->path, $canary->url);     # what it is => its bytes
package Hostile;
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();

my $GUARD_S = 60;

sub canary {
	my ($class, $dir) = @_;
	my $self = bless { path => "$dir/canary.ts" }, $class;
	POSIX::mkfifo($self->{path}, 0666) or die "mkfifo: $!\n";
	$self->{socket} = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16, Blocking => 0) or die "canary: $!\n";
	return $self;
}

sub path { return $_[0]{path} }
sub url { my ($self) = @_; return 'http://127.0.0.1:' . $self->{socket}->sockport . '/canary.ts' }

# Who came to the socket.
sub visits {
	my ($self) = @_;
	my $count = 0;
	$count++ while $self->{socket}->accept;
	return $count;
}

# What $code returns, or "timed out" where it hangs: in the pipe, for all we know.
sub guarded {
	my ($self, $code) = @_;
	my $result = eval {
		local $SIG{ALRM} = sub { die "timed out\n" };
		alarm $GUARD_S;
		my $said = $code->();
		alarm 0;
		$said;
	};
	alarm 0;
	return $result // $@;
}

# Playlists and scripts of every kind that players of films understand, and plain nonsense.
sub no_films {
	my ($path, $url) = @_;
	return (
		'a playlist of HLS' => "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://$path\n#EXTINF:5,\n$url\n#EXT-X-ENDLIST\n",
		'a master of HLS' => "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n$url\n#EXT-X-STREAM-INF:BANDWIDTH=2000\n$path\n",
		'a script of concat' => "ffconcat version 1.0\nfile '$path'\nduration 5\nfile '$url'\n",
		'ffmetadata' => ";FFMETADATA1\ntitle=concat:$path\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=100000\n",
		'a manifest of DASH' => qq{<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>$url</BaseURL></Representation></AdaptationSet></Period></MPD>\n},
		'a description of a session' => "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
		'a list of winamp' => "[playlist]\nFile1=$path\nNumberOfEntries=1\n",
		'a list of SMIL' => qq{<smil><body><video src="$url"/></body></smil>\n},
		'a list of ASX' => qq{<asx version="3.0"><entry><ref href="$url"/></entry></asx>\n},
		'subtitles' => "1\n00:00:01,000 --> 00:00:02,000\n$path\n\n",
		'a picture that names a script' => "push graphic-context\nimage over 0,0 0,0 'url($url)'\n",
		'an SVG picture' => qq{<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><image xlink:href="$url"/></svg>\n},
		'a JPEG picture' => "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" . "\xff\xd9" x 500,
		'a shell script' => "#!/bin/sh\ncat $path\n" x 20,
		'an archive' => "PK\3\4" . "\0" x 1000,
		'an empty file' => '',
		'one byte' => "\x1a",
		'zeros' => "\0" x 300_000,
	);
}

# A film in MP4 with a reference of Macintosh to a file (dref, type "alis") in place of "in this one".
sub elsewhere {
	my ($mp4, $path) = @_;
	my $alias = pack 'n n Z28', 0, 2, 'canary';
	$alias .= pack('x![1]') . "\0" x (150 - length $alias) . pack('n n', 2, length $path) . $path . pack 'n n', 0xffff, 0;
	my $entry = pack('N', 12 + length $alias) . "alis\0\0\0\0$alias";
	my $more = length($entry) - 12;
	while ($mp4 =~ /dref\0\0\0\0\0\0\0\1(\0\0\0\x0curl \0\0\0\1)/g) {
		my ($dref, $at) = ($-[0] - 4, $-[1]);
		substr $mp4, $at, 12, $entry;
		# Every box that it is in.
		for my $box (qw(moov trak mdia minf dinf dref)) {
			my $begin = $box eq 'dref' ? $dref : rindex($mp4, $box, $dref) - 4;
			substr $mp4, $begin, 4, pack 'N', unpack('N', substr $mp4, $begin, 4) + $more;
		}
		pos($mp4) = $at + length $entry;
	}
	return $mp4;
}

# What each is => its bytes: lengths of years and sizes of nothing that exists.
sub lies {
	my (%films) = @_;
	my ($mkv, $mp4, $flv, $avi) = @films{ 'base.mkv', 'base.mp4', 'base.flv', 'asp.avi' };
	return (
		'Matroska that lasts 31 years' => changed($mkv, qr/\x44\x89\x88.{8}/s, "\x44\x89\x88" . pack 'd>', 1e12),
		'Matroska that lasts for no number' => changed($mkv, qr/\x44\x89\x88.{8}/s, "\x44\x89\x88" . pack 'd>', 9**9**9),
		'Matroska that lasts less than nothing' => changed($mkv, qr/\x44\x89\x88.{8}/s, "\x44\x89\x88" . pack 'd>', -1e9),
		'Matroska whose clock stands still' => changed($mkv, qr/\x2a\xd7\xb1\x83.{3}/s, "\x2a\xd7\xb1\x83\0\0\0"),
		'Matroska of another size than its pictures' => changed(changed($mkv, qr/\xb0\x81\xa0/, "\xb0\x81\xff"), qr/\xba\x81\x5a/, "\xba\x81\xff"),
		'MP4 that lasts 136 years' => changed($mp4, qr/(?<=[mvt][vdk]hd\0\0\0\0.{12}).{4}/s, "\xff\xff\xff\xfe"),
		'MP4 whose samples last a month each' => changed($mp4, qr/(?<=stts\0\0\0\0\0\0\0.).{8}/s, pack 'N N', 300, 0x7fffffff),
		'MP4 of four thousand million samples' => changed($mp4, qr/(?<=stsz\0\0\0\0\0\0\0\0).{4}/s, "\xff\xff\xff\xff"),
		'MP4 of 65,535 x 65,535' => changed($mp4, qr/\0\xa0\0\x5a(?=\0\x48\0\0)/, "\xff\xff\xff\xff"),
		'FLV that lasts 31,000 years' => changed($flv, qr/(?<=\0\x08duration\0).{8}/s, pack 'd>', 1e12),
		'Matroska whose Cues point beside' => in_tail($mkv, "\x1c\x53\xbb\x6b", qr/\xf1\x82../s, "\xf1\x82\x12\x34"),
		'Matroska whose Cues point behind the end' => in_tail($mkv, "\x1c\x53\xbb\x6b", qr/\xf1\x82../s, "\xf1\x82\xff\xff"),
		'AVI whose index points beside' => in_tail($avi, 'idx1', qr/00dc\x10\0\0\0..../s, "00dc\x10\0\0\0\x77\1\0\0"),
		'AVI whose index points behind the end' => in_tail($avi, 'idx1', qr/00dc\x10\0\0\0..../s, "00dc\x10\0\0\0\xff\xff\xff\x7f"),
		'AVI of four thousand million pictures' => changed($avi, qr/(?<=vids.{28}).{4}/s, "\xff\xff\xff\xff"),
		'AVI of a picture in a day' => changed($avi, qr/(?<=vids.{16}).{8}/s, pack 'V V', 86400, 1),
		'AVI that divides by nothing' => changed($avi, qr/(?<=vids.{16}).{8}/s, pack 'V V', 0, 0),
		'AVI of 65,535 x 65,535' => changed($avi, qr/(?<=strf.{8}).{8}/s, pack 'V V', 65535, 65535),
	);
}

# All of what a pattern finds replaced, which must be there.
sub changed {
	my ($bytes, $pattern, $new) = @_;
	$bytes =~ s/$pattern/$new/g or die "nothing to change: $pattern\n";
	return $bytes;
}

# The same behind the last place where a word stands.
sub in_tail {
	my ($bytes, $word, $pattern, $new) = @_;
	my $at = rindex $bytes, $word;
	die "there is no such word\n" if $at < 0;
	return substr($bytes, 0, $at) . changed(substr($bytes, $at), $pattern, $new);
}

# Matroska of 12,000 x 12,000 that says 160 x 90.
sub said_small { my ($mkv) = @_; return changed(changed($mkv, qr/\xb0\x82\x2e\xe0/, "\xb0\x82\x00\xa0"), qr/\xba\x82\x2e\xe0/, "\xba\x82\x00\x5a") }

1;
