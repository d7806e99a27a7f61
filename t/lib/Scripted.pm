# t/lib/Scripted.pm - films that are scripts for a sluice-media that encodes nothing (t/mock_media.c).
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $films = Scripted->new;
#   $films->film('Long.mkv', 'segments 200', 'copy 1');
#   my $app = $films->serve(conf => { film_jobs => 2 });     # an App with these films
#   my $ver = $films->ver('Long.mkv');
#   $films->get('Long.mkv', $ver, '360p/7.m4s')->status;
#   my $later = $films->later($films->path('Long.mkv', $ver, '360p/8.m4s'));
#   is $later->()->{status}, 200;
#   is_deeply $films->made('Long.mkv'), { '360p 7' => 1, '360p 8' => 1 };
package Scripted;
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Temp ();
use POSIX ();
use App;

sub new {
	my ($class) = @_;
	return bless { dir => File::Temp->newdir }, $class;
}

sub dir { return "$_[0]{dir}" }
sub app { return $_[0]{app} }

# Writes a script; or any other text under the name of a film.
sub film {
	my ($self, $file, @lines) = @_;
	return $self->text($file, join("\n", 'script', @lines) . "\n");
}

sub text {
	my ($self, $file, $text) = @_;
	open my $out, '>:raw', "$self->{dir}/$file" or die "$file: $!\n";
	print $out $text;
	close $out;
	return;
}

# How App->new() is told of these films, in a directory of its own unless `sources` or a gateway says
# where else they are.
sub how {
	my ($self, %how) = @_;
	$how{sources} //= [ { name => 'films', type => 'files', url => "$self->{dir}" } ] unless $how{gateway};
	$how{conf} = { media_program => App::builddir() . '/t/mock-media', relay_threads => 64, %{ $how{conf} // {} } };
	return %how;
}

sub serve {
	my ($self, %how) = @_;
	return $self->{app} = App->new($self->how(%how));
}

# --- asking ---------------------------------------------------------------------------------------

# The id of a film: as the catalogue makes it of a file's name, or itself.
sub id {
	my ($self, $film) = @_;
	return $film =~ /\.\w{2,4}\z/ ? 'vod-' . substr(sha256_hex($film), 0, 16) : $film;
}

sub master_path { my ($self, $film) = @_; return '/api/hls/' . $self->id($film) . '/master.m3u8' }
sub path { my ($self, $film, $ver, $part) = @_; return '/api/hls/' . $self->id($film) . "/$ver/$part" }
sub master { my ($self, $film) = @_; return $self->{app}->get($self->master_path($film)) }
sub get { my ($self, @part) = @_; return $self->{app}->get($self->path(@part)) }
sub published { my ($self, @part) = @_; return -e $self->{app}->www . $self->path(@part) }

sub ver {
	my ($self, $film) = @_;
	my $reply = $self->master($film);
	return ($reply->body =~ m{^([0-9a-f]{32})/}m)[0] // die "no master of $film: " . $reply->status . ' ' . $reply->body;
}

# Asks now, of the app or another one, and has the answer, {status, body}, when it is called. Called
# with 'leave', it goes away instead, as a player does that seeks.
sub later {
	my ($self, $target, %how) = @_;
	my $app = $how{app} // $self->{app};
	my $pid = open my $pipe, '-|';
	defined $pid or die "fork: $!\n";
	if (!$pid) {
		binmode STDOUT;
		my $reply = $app->get($target, 'User-Agent' => $how{agent} // 'a test');
		print $reply->status, "\n", $reply->body;
		close STDOUT;
		POSIX::_exit(0);
	}
	binmode $pipe;
	return sub {
		if (@_) { kill KILL => $pid; close $pipe; return }
		my ($status, $body) = split /\n/, do { local $/; <$pipe> } // '0', 2;
		close $pipe;
		return { status => $status, body => $body };
	};
}

sub together { my ($self, @targets) = @_; return map { $_->() } map { $self->later($_) } @targets }

# --- what became of it ----------------------------------------------------------------------------

sub packager { return ($_[0]{app}->pids('packager'))[0] // 0 }

# Processes of sluice-media: (zygotes, children).
sub media {
	my ($self) = @_;
	my $packager = $self->packager;
	my @all = grep { $_->{name} eq 'mock-media' } $self->{app}->processes;
	return ([ grep { $_->{parent} == $packager } @all ], [ grep { $_->{parent} != $packager } @all ]);
}
sub jobs { my ($self) = @_; return @{ ($self->media)[1] } }

# Segments that were made of a film, as the log tells since it was so long: "720p 3" => how often.
sub made {
	my ($self, $film, $from) = @_;
	my %made;
	my $id  = $self->id($film);
	my $log = substr $self->{app}->log, $from // 0;
	$made{"$1 $2"}++ while $log =~ /part_made id=(?:\S+\.)?\Q$id\E rendition=(\S*) part=2 n=(\d+)/g;
	return \%made;
}

sub indexed {
	my ($self, $film, $from) = @_;
	my $id = $self->id($film);
	return scalar(() = substr($self->{app}->log, $from // 0) =~ /part_made id=(?:\S+\.)?\Q$id\E rendition="" part=0/g);
}

1;
