# t/lib/Film.pm - a film of t/films, its segments, and what ffmpeg sees in them.
# SPDX-License-Identifier: BSD-2-Clause
package Film;
use strict;
use warnings;
use File::Temp ();
use List::Util qw(shuffle);

my $top   = $ENV{SLUICE_SRCDIR}   // '.';
my $build = $ENV{SLUICE_BUILDDIR} // '.';
my $make  = $ENV{SLUICE_AV_MAKE}  // "$build/t/av-make";

# Film->new('base.mkv'): made when it is missing. Film->new('/a/path'): any other file.
sub new
{
	my ($class, $name) = @_;
	my $self = bless { name => $name, path => $name }, $class;
	if ($name !~ m{^/}) {
		$self->{path} = "$build/films/$name";
		-e $self->{path} or system("$top/t/films", "$build/films", $name) == 0 or die "$name: not made\n";
	}
	$self->{dir} = File::Temp::tempdir('sluice-film-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	return $self;
}

sub path { $_[0]{path} }

# What the index says, as av-make prints it; undef where it was refused, $film->{error} says why.
sub index
{
	my ($self) = @_;
	my $text = `$make '$self->{path}' 2>'$self->{dir}/error'`;
	$self->{error} = _slurp("$self->{dir}/error");
	$self->{died}  = $? & 127;
	return $self->{index} = $? ? undef : $text;
}

sub segments { my ($self) = @_; return ($self->{index} // $self->index // '') =~ /^segments (\d+),/m ? $1 : 0 }
sub flags { my ($self) = @_; return ($self->{index} // $self->index // '') =~ /, flags ?(.*)$/m ? $1 : '' }
sub origin { my ($self) = @_; return ($self->{index} // $self->index) =~ /timescale (\d+), origin (-?\d+)/ ? $2 / $1 : 0 }
sub begins { my ($self) = @_; return ($self->{index} // $self->index) =~ /^\d+: ([\d.]+) at/mg }

# Every segment by a process of its own, two at a time, in any order; urgent or not by chance, or as
# told. Returns the path of all of them joined.
sub joined
{
	my ($self, $rendition, %how) = @_;
	my $dir = "$self->{dir}/" . ($how{as} // $rendition);
	mkdir $dir;
	my @n = shuffle 0 .. $self->segments - 1;
	my @children;
	for my $half (0, 1) {
		my $pid = fork // die "fork: $!\n";
		push @children, $pid and next if $pid;
		for my $i (grep { $_ % 2 == $half } 0 .. $#n) {
			my $urgent = $how{urgent} // int rand 2;
			my $n = $n[$i] . ($urgent ? 'u' : '');
			system("'$make' '$self->{path}' $rendition $n >'$dir/$n[$i]' 2>>'$dir/error'") == 0 or _exit(1);
		}
		_exit(0);
	}
	my $bad = 0;
	for (@children) { waitpid $_, 0; $bad ||= $? }
	my $init = $how{init} // 1;
	$bad ||= system("'$make' '$self->{path}' $rendition init >'$dir/init' 2>>'$dir/error'") if $init;
	$self->{error} = -e "$dir/error" ? _slurp("$dir/error") : '';
	return undef if $bad;
	return Film::join_files("$dir/joined.mp4", ($init ? "$dir/init" : ()), map { "$dir/$_" } 0 .. $self->segments - 1);
}

# One part into a file: "init", a number, or "3u" for one that somebody waits for. False when it failed.
sub make
{
	my ($self, $rendition, $n, $to) = @_;
	my $good = system("'$make' '$self->{path}' $rendition $n >'$to' 2>'$self->{dir}/error'") == 0;
	$self->{error} = _slurp("$self->{dir}/error");
	return $good;
}

# [pts, dts, duration in seconds, keyframe or not] of each packet of the first stream.
sub clock
{
	my ($file) = @_;
	my @lines = `ffprobe -v error -select_streams 0 -show_entries packet=pts_time,dts_time,duration_time,flags -of compact=p=0:nk=1 '$file'`;
	return map { chomp; [ split /\|/ ] } @lines;
}

sub _exit { require POSIX; POSIX::_exit($_[0]) }

sub join_files
{
	my ($to, @from) = @_;
	open my $out, '>:raw', $to or die "$to: $!\n";
	print $out _slurp($_) for @from;
	close $out;
	return $to;
}

sub _slurp { open my $in, '<:raw', $_[0] or die "$_[0]: $!\n"; local $/; return scalar(<$in>) // '' }

# [pts in seconds, hash of the payload] of each packet of a kind ("v:0", "a:0"), as the file has them.
sub packets
{
	my ($file, $kind) = @_;
	my @lines = `ffprobe -v error -select_streams $kind -show_entries packet=pts_time,data_hash -show_data_hash md5 -of compact=p=0:nk=1 '$file'`;
	return map { [ (split /[|\n]/)[ 0, 1 ] ] } grep { /^[^|\n]+\|/ } @lines;
}

# [pts in seconds, number in the picture] of each decoded picture, which a filter may turn upright
# before; and what the decoder complained of.
sub pictures
{
	my ($file, $turn) = @_;
	my $log = File::Temp->new;
	my $filter = join ',', $turn // (), 'scale=160:90:flags=area', 'format=gray';
	my $raw = `ffmpeg -nostdin -v warning -noautorotate -i '$file' -map 0:v:0 -fps_mode passthrough -vf '$filter' -f rawvideo - 2>$log`;
	my $said = _slurp("$log");
	my @numbers;
	for my $at (map { $_ * 160 * 90 } 0 .. length($raw) / 160 / 90 - 1) {
		my $number = 0;
		for my $bit (0 .. 9) { $number |= 1 << $bit if ord(substr $raw, $at + 16 * 160 + $bit * 16 + 8, 1) > 100 }
		push @numbers, $number;
	}
	my @times = map { /([-\d.]+)/ ? $1 : () } `ffprobe -v error -select_streams v:0 -show_entries frame=best_effort_timestamp_time -of compact=p=0:nk=1 '$file'`;
	return ([ map { [ $times[$_] // -1, $numbers[$_] ] } 0 .. $#numbers ], $said);
}

# Samples of the first channel, at a rate, and the time of the first of them.
sub samples
{
	my ($file, $rate, $track) = @_;
	$track //= 0;
	my $log = File::Temp->new;
	my $raw = `ffmpeg -nostdin -v warning -flags2 +skip_manual -i '$file' -filter_complex '[0:a:$track]channelsplit=channels=FL' -ar $rate -f f32le - 2>$log`;
	my ($first) = map { /(-?[\d.]+)/ ? $1 : () } `ffprobe -v error -select_streams a:$track -read_intervals '%+#1' -show_entries packet=pts_time -of compact=p=0:nk=1 '$file'`;
	return ([ unpack 'f<*', $raw ], $first // 0, _slurp("$log"));
}

1;
