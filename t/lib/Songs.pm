# t/lib/Songs.pm - songs whose addresses a program finds, for tests.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $songs = Songs->new(count => 20, seconds => 5);     # undef without ffmpeg
#   App->new($songs->app(conf => { ... }))                  # arguments for an App that resolves them
#   $songs->ids                                             # "song-01" …
#   $songs->calls                                           # which the program was run for, in order
#   $songs->file                                            # a file of the same bytes: WAV, 576 kB a second
package Songs;
use strict;
use warnings;
use File::Temp ();
use App;
use Gateway;

sub new {
	my ($class, %how) = @_;
	return undef unless App::which('ffmpeg');
	my $self = bless { dir => File::Temp->newdir, count => $how{count} }, $class;
	# The gateway knows films only: the resolver says what they are.
	system('ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', "sine=frequency=330:duration=$how{seconds}:sample_rate=96000", '-ac', 2,
		'-c:a', 'pcm_s24le', '-f', 'wav', $self->file) == 0 or die "the song cannot be made\n";
	for my $n (2 .. $how{count}) {
		link $self->file, sprintf('%s/6%02d.mp4', $self->{dir}, $n) or die "link: $!\n";
	}
	$self->{gateway} = Gateway->new(dir => "$self->{dir}");
	$self->_program;
	return $self;
}

sub ids { my ($self) = @_; return map { sprintf 'song-%02d', $_ } 1 .. $self->{count} }
sub file { return "$_[0]{dir}/601.mp4" }

sub app {
	my ($self, %more) = @_;
	my @allow = map { "127.0.0.1/32:$_" } $self->{gateway}->port, $self->{gateway}->edge_port;
	return (import => 0, %more, conf => { rate_video_info => 'none', rate_api => 'none', %{ $more{conf} // {} } },
		sources => [ { name => 'tube', type => 'command', url => 'https://tube.example/{id}/watch', command => ["$self->{dir}/resolver"], allow => \@allow } ]);
}

sub calls {
	my ($self) = @_;
	open my $file, '<', "$self->{dir}/calls" or return ();
	chomp(my @lines = <$file>);
	return @lines;
}

sub _program {
	my ($self) = @_;
	my $url = $self->{gateway}->vod_url('6') =~ s/6$//r;
	open my $program, '>', "$self->{dir}/resolver" or die "resolver: $!\n";
	print $program <<"SH";
#!/bin/sh
for last; do :; done
name=\${last%/watch}
name=\${name##*/}
echo "\$name" >> '$self->{dir}/calls'
printf 'title: A song\\nid: hi\\next: wav\\nkbps: 4608\\nurl: ${url}6%s.mp4\\n' "\${name#song-}"
SH
	close $program;
	chmod 0755, "$self->{dir}/resolver", "$self->{dir}";
	return;
}

1;
