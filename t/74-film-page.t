#!/usr/bin/perl
# t/74-film-page.t - the shipped page of a film in Chromium, and the pages as an installed program.
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
use Film;

my ($node) = App::which('node');
plan skip_all => 'node is not installed'     unless $node;
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');

my $films = File::Temp->newdir;
copy(Film->new('page.mkv')->path, "$films/The.Long.Film.2019.mkv") or die "page.mkv: $!\n";
copy(Film->new('page.mp4')->path, "$films/As It Is.mp4")           or die "page.mp4: $!\n";
make_path("$films/Shows/Long Story/Season $_") for 1, 2;
copy(Film->new('page.mp4')->path, "$films/Shows/Long Story/$_.mp4") or die "page.mp4: $!\n"
	for 'Season 1/01 - First', 'Season 1/02 - Second', 'Season 2/01 - Third';
my $app = App->new(via => 'lighttpd', sources => [ { name => 'films', type => 'files', url => "$films" } ],
	conf => { relay_threads => 32 });
my $list = $app->get('/api/movies')->json->{movies};
my %id   = map { $_->{name} => $_->{id} } @$list;
is_deeply [ sort keys %id ], [ 'As It Is', 'The Long Film' ], 'the films are listed';

my $url = 'http://127.0.0.1:' . $app->port;
for (
	[ 'film.mjs', 'a film plays on its page', $id{'The Long Film'}, $id{'As It Is'} ],
	[ 'native.mjs', 'a film plays where the browser has HLS of its own', $id{'The Long Film'}, $id{'As It Is'} ],
	[ 'episodes.mjs', 'a series plays, one episode after another', $app->get('/api/series')->json->{series}[0]{id} ],
	[ 'install.mjs', 'the pages can be installed', $id{'The Long Film'} ],
) {
	my ($script, $name, @ids) = @$_;
	open my $pipe, '-|', $node, "$FindBin::Bin/browser/$script", $url, @ids or die "$script: $!\n";
	my $said = do { local $/; <$pipe> } // '';
	close $pipe;
	my $status = $?;
	SKIP: {
		skip "$name: $1", 1 if $said =~ /^1\.\.0 # SKIP (.*)/;
		is $status, 0, $name;
		diag $said if $status;
		note $said;
	}
}
unlike $app->log, qr/ error | died /, 'and the service has nothing to complain of';
done_testing;
