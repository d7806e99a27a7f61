#!/usr/bin/perl
# t/77-hostile-films.t - a folder of files that mean no good: each is answered for, and nothing else is touched.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use Test::More;
use App;
use Film;
use Hostile;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my $films  = File::Temp->newdir;
my $beside = File::Temp->newdir;
my $canary = Hostile->canary("$beside");
my $long   = $ENV{SLUICE_LONG};
my %whole  = map { $_ => Film::_slurp(Film->new($_)->path) } 'base.mkv', 'base.mp4', 'base.flv', 'base.ts', 'asp.avi';
my %file;

sub put
{
	my ($what, $suffix, $bytes) = @_;
	my $name = sprintf '%03d.%s', scalar keys %file, $suffix;
	$file{$what} = $name;
	open my $to, '>:raw', "$films/$name" or die "$name: $!\n";
	print $to $bytes;
	close $to;
	return;
}

my %no_film = Hostile::no_films($canary->path, $canary->url);
put($_, 'mkv', $no_film{$_}) for sort keys %no_film;
put('an MP4 without moov', 'mp4', $whole{'base.mp4'} =~ s/moov/m00v/r);
put('a film whose media are elsewhere', 'mp4', Hostile::elsewhere($whole{'base.mp4'}, $canary->path));
my %lies = Hostile::lies(%whole);
put($_, lc((split ' ')[0]) =~ s/matroska/mkv/r, $lies{$_}) for sort keys %lies;
put('pictures of 12,000 x 12,000', 'mkv', Film::_slurp(Film->new('huge.mkv')->path));
put('the same, said to be small', 'mkv', Hostile::said_small(Film::_slurp(Film->new('huge.mkv')->path)));
for my $name (sort keys %whole) {
	my ($suffix) = $name =~ /(\w+)$/;
	put("$name cut after $_ %", $suffix, substr $whole{$name}, 0, $_ * length($whole{$name}) / 100) for $long ? map({ 7 * $_ } 0 .. 14) : 60;
	srand 7;
	for my $turn (1 .. ($long ? 40 : 2)) {
		my $damaged = $whole{$name};
		substr $damaged, rand(rand() < 0.7 ? 4000 : length $damaged), 1, chr rand 256 for 1 .. 20;
		put("$name, damaged ($turn)", $suffix, $damaged);
	}
}
put('the film', 'mkv', $whole{'base.mkv'});

my $app = App->new(sources => [ { name => 'films', type => 'files', url => "$films" } ]);
sub root { return '/api/hls/vod-' . substr `printf %s '$_[0]' | sha256sum`, 0, 16 }

# What is wrong with an answer; nothing where it is one, or a refusal in words.
sub wrong_with
{
	my ($reply) = @_;
	return if $reply->status == 200 && length $reply->body;
	return $reply->status . ' ' . $reply->body if $reply->status !~ /^(?:404|502)$/;
	my $said = eval { $reply->json->{error}{message} } // '';
	return $said =~ /^[A-Z][^\n]{8,200}$/ ? () : $reply->status . ' without a sentence: ' . $reply->body;
}

# A master, and where there is one the last segment of everything that it offers.
sub ask_for
{
	my ($name) = @_;
	my $reply = $app->get(root($name) . '/master.m3u8');
	my @wrong = wrong_with($reply);
	return (0, @wrong) if $reply->status != 200;
	for my $list ($reply->body =~ m{^(?:.*URI="|)([0-9a-f]{32}/\w+\.m3u8)}mg) {
		my $said = $app->get(root($name) . "/$list");
		push @wrong, wrong_with($said);
		my ($last) = reverse($said->body =~ m{^(\w+/\d+\.\w+)$}mg) or next;
		push @wrong, wrong_with($app->get(root($name) . '/' . substr($list, 0, 33) . $last));
	}
	return (1, @wrong);
}

is((ask_for($file{'the film'}))[0], 1, 'a film plays');
my ($packager) = $app->pids('packager');
my @steady = sort { $a <=> $b } map { $_->{pid} }
	grep { $_->{role} =~ /^(?:master|supervisor|packager|api|relay)$/ || ($_->{role} eq 'sluice-media' && $_->{parent} == $packager) } $app->processes;
my ($played, $refused) = (0, 0);
for my $what (sort keys %file) {
	my ($plays, @wrong) = ask_for($file{$what});
	is join("\n", @wrong), '', "$what: " . ($plays ? 'plays, or says why not' : 'is refused in words');
	$plays ? $played++ : $refused++;
	ok !$plays, 'as it must be' if exists $no_film{$what} || $what =~ /12,000 x 12,000$|said to be small|without moov/;
}
note "$played play, $refused are refused";
cmp_ok $played, '>', 3, 'some play all the same';
is((ask_for($file{'the film'}))[0], 1, 'and so does the film, still');
is $canary->visits, 0, 'nobody went where they pointed';
my %left = map { $_->{pid} => 1 } $app->processes;
is scalar(grep { !$left{$_} } @steady), 0, 'no process outside the children died';
unlike $app->log, qr/media_died|crash|internal_error|level=error/, 'nor has the log a word of it';
my @died = $app->log =~ /^(.*part_died.*)$/mg;
is "@died", '', 'and no child crashed, either';

done_testing;
