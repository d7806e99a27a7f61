# t/lib/Apart.pm - pages that offer picture and sound apart, for tests.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $apart = Apart->new(seconds => 12);      # undef without ffmpeg
#   App->new($apart->app(words => [...]))       # arguments for an App that resolves them; words for the program
#   $apart->file('501.mp4'), $apart->gateway    # what it lies in, and where it comes from
#
# 501 and 502 are pictures of 180 and 360 lines, 503 is sound, all fragmented MP4 with an index at the
# beginning, as pages offer it, which says of 502 that its parts need no others; 504 is a picture without one. What a page offers stands in its id:
#   apart… silent… webm opus live plain whole; others have sound alone
package Apart;
use strict;
use warnings;
use File::Temp ();
use App;
use Gateway;
use Resolver;

my $INDEXED = '+dash+global_sidx+delay_moov';

sub new {
	my ($class, %how) = @_;
	return undef unless App::which('ffmpeg');
	my $self = bless { dir => File::Temp->newdir, seconds => $how{seconds} // 12 }, $class;
	$self->_media;
	$self->{gateway} = Gateway->new(dir => "$self->{dir}");
	$self->_program;
	return $self;
}

sub seconds { return $_[0]{seconds} }
sub gateway { return $_[0]{gateway} }
sub file { my ($self, $name) = @_; return "$self->{dir}/$name" }

sub app {
	my ($self, %more) = @_;
	my @allow = map { "127.0.0.1/32:$_" } $self->gateway->port, $self->gateway->edge_port;
	my $words = delete $more{words} // [];
	return (import => 0, %more, conf => { rate_video_info => 'none', %{ $more{conf} // {} } },
		sources => [ Resolver->new->source(command => [ $self->file('resolver'), @$words ], media => 'video', allow => \@allow) ]);
}

sub _make {
	my ($self, $name, $flags, @how) = @_;
	my $file = $self->file("$name.mp4");
	system('ffmpeg', '-v', 'error', '-y', '-f', 'lavfi', @how, '-movflags', $flags, '-f', 'mp4', $file) == 0 or die "$file cannot be made\n";
	return;
}

sub _media {
	my ($self) = @_;
	my $length = "duration=$self->{seconds}";
	my @x264 = ('-c:v', 'libx264', '-preset', 'ultrafast', '-g', 50, '-sc_threshold', 0, '-pix_fmt', 'yuv420p');
	$self->_make($_->[0], "$INDEXED+frag_keyframe", '-i', "testsrc=size=$_->[1]:rate=25:$length", @x264) for [ 501, '320x180' ], [ 502, '640x360' ];
	$self->_mark_access_points('502.mp4');
	$self->_make(503, $INDEXED, '-i', "sine=frequency=440:$length:sample_rate=44100", '-c:a', 'aac', '-b:a', '64k', '-frag_duration', 2_000_000);
	$self->_make(504, '+faststart', '-i', 'testsrc=size=320x180:rate=25:duration=2', @x264);
	return;
}

# Its index says of each part that it begins with an IDR picture (SAP type 1), as those of pages do.
sub _mark_access_points {
	my ($self, $name) = @_;
	open my $file, '+<:raw', $self->file($name) or die "$name: $!\n";
	read $file, my $head, 65_536;
	my $at = index($head, 'sidx') - 4;
	my $parts = $at + unpack('N', substr $head, $at, 4);
	my $count = unpack 'n', substr $head, $at + ((ord substr $head, $at + 8, 1) ? 38 : 30), 2;
	for my $n (1 .. $count) {
		seek $file, $parts - 12 * $n + 8, 0;
		print $file pack 'N', 0x90000000;
	}
	close $file;
	return;
}

sub _program {
	my ($self) = @_;
	my %url = map { $_ => $self->gateway->vod_url("$_.mp4") } 501 .. 504;
	open my $program, '>', $self->file('resolver') or die "resolver: $!\n";
	print $program <<"SH";
#!/bin/sh
for last; do :; done
picture() { printf 'id: v%s\\nkind: video\\next: mp4\\ncodecs: avc1.42C01F\\nheight: %s\\nwidth: %s\\nkbps: %s\\nurl: %s\\n' "\$@"; }
low() { picture 1 180 320 150 $url{501}; }
sound() { printf 'id: a1\\nkind: audio\\next: m4a\\ncodecs: mp4a.40.2\\nkbps: 64\\nurl: $url{503}\\n'; }
opus() { printf 'kind: audio\\next: webm\\ncodecs: opus\\nurl: https://e.example/a\\n'; }
case \$last in
*/apart*) low; picture 2 360 640 400 $url{502}; sound ;;
*/silent*) low ;;
*/webm/*) printf 'kind: video\\next: webm\\ncodecs: vp9\\nheight: 720\\nurl: https://e.example/v\\n'; opus ;;
*/opus/*) low; opus ;;
*/live/*) printf 'kind: both\\next: mp4\\nheight: 720\\nurl: https://e.example/live/index.m3u8?key=1\\n' ;;
*/plain/*) picture 4 180 320 150 $url{504}; sound ;;
*/whole/*) picture 2 360 640 400 $url{502}; printf 'id: b\\nkind: both\\next: mp4\\nheight: 180\\nurl: $url{504}\\n' ;;
*) sound ;;
esac
SH
	close $program;
	chmod 0755, $self->file('resolver'), "$self->{dir}";
	return;
}

1;
