#!/usr/bin/perl
# t/34-import.t - lists of channels, films and series: large ones, wrong ones, and those that play.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use Fcntl qw(:flock);
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);
use App;
use Gateway;

my $gateway = Gateway->new;
my $list = $gateway->url . '/get.php?username=demo&password=demo&type=m3u_plus';
my @allow = map { '127.0.0.1/32:' . $_ } $gateway->port, $gateway->edge_port;
my $app = App->new(gateway => $gateway, via => 'fastcgi', conf => { ladder => '240p' }, import => 0,
	sources => [ { name => 'list', type => 'm3u', url => $list, allow => \@allow } ]);

sub import_it { my ($name, @how) = @_; return $app->command('import', @how, $name) }
sub fault { my ($set) = @_; $gateway->control('fault', kind => 'api', id => '', set => $set); return }
sub well { $gateway->control('clear'); return }
sub ids { return join ' ', map { $_->{id} } @{ $app->get('/api/live?limit=1000')->json->{channels} } }

# What the program itself says it has in its catalogue.
sub rows {
	my ($sql) = @_;
	return undef unless App::which('sqlite3');
	my $db = $app->state_dir . '/db/catalog.db';
	chomp(my $text = `sqlite3 '$db' "$sql"`);
	return $text;
}

subtest 'both kinds of sources' => sub {
	my ($status, $text) = import_it('demo');
	is $status, 0, 'a gateway is imported';
	like $text, qr/demo: 3 channels in 2 categories, 3 films, 1 series/, 'with films and series';
	($status, $text) = import_it('list');
	is $status, 0, 'a list is imported';
	like $text, qr/list: 3 channels in 2 categories, 3 films, 0 series/, 'with what it has';
	my @list = grep { /^list\./ } split / /, ids();
	is scalar @list, 3, 'its channels are listed';
	like $list[0], qr/^list\.live-m[0-9a-f]{16}$/, 'under ids of our own';
	my $before = ids();
	import_it('list');
	is ids(), $before, 'which stay when it is read again';
	unlike $app->get('/api/live')->body, qr/demo\/demo|password/, 'no answer holds an address';
};

subtest 'while another import runs' => sub {
	open my $lock, '>', $app->state_dir . '/db/import.lock' or die "import.lock: $!\n";
	flock $lock, LOCK_EX or die "import.lock: $!\n";
	my $pid = open my $out, '-|';
	if (!$pid) {
		close $lock;
		my ($status, $text) = $app->command('import');
		print $text;
		POSIX::_exit($status);
	}
	sleep 0.5;
	close $lock;
	my $text = do { local $/; <$out> } // '';
	close $out;
	is $?, 0, 'one waits for its turn';
	is scalar(() = $text =~ /\d+ channels in/g), 2, 'and imports each source';
	unlike $text, qr/Another import/, 'without a word about that';
};

subtest 'a list\'s channel plays' => sub {
	plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
	my ($id) = grep { /^list\./ } split / /, ids();
	is $app->get("/api/live/$id")->status, 200, 'it is described';
	ok $app->wait_for(sub { $app->get("/api/hls/$id/240p.m3u8")->body =~ /\.ts$/m }, 20, 'a segment'), 'and gives segments';
	is $gateway->channel(1)->{streams}, 1, 'from one stream';
};

my @bad = (
	# what is wrong, faults, which source, what is said
	[ 'a web page', 'html=1', 'demo', qr/web page/ ],
	[ 'a web page', 'html=1', 'list', qr/web page/ ],
	[ 'nothing', 'cut_after=0', 'list', qr/list:/ ],
	[ 'half of a list of channels', 'json=truncated', 'demo', qr/no JSON/ ],
	[ 'garbage', 'json=garbage', 'demo', qr/no JSON/ ],
	[ 'a refusal', 'status=403', 'demo', qr/refuses the account/ ],
	[ 'a refusal', 'status=403', 'list', qr/status 403/ ],
	[ 'a gateway out of order', 'status=500', 'list', qr/status 500/ ],
	[ 'a broken gzip', 'gzip=broken', 'demo', qr/demo: \S/ ],
	[ 'a list that shrank', 'count=1', 'demo', qr/1 channels where there were 3.*--force/ ],
	[ 'a list that shrank', 'count=1', 'list', qr/1 channels where there were 3.*--force/ ],
	[ 'an empty list', 'count=0', 'list', qr/no channels.*--force/ ],
);
my $good = ids();
for my $case (@bad) {
	my ($name, $faults, $source, $said) = @$case;
	fault($faults);
	my ($status, $text) = import_it($source);
	isnt $status, 0, "$source: $name is refused";
	is scalar(grep { !/^\d{4}-/ && $_ =~ $said } split /\n/, $text), 1, 'and said, once';
	is ids(), $good, 'and nothing was lost';
	well();
}
fault('count=1');
is +(import_it('list', '--force'))[0], 0, 'with --force it goes in';
ok $app->wait_for(sub { 1 == grep { /^list\./ } split / /, ids() }, 5), 'as it is';
well();
is +(import_it('list'))[0], 0, 'and back';

subtest 'films that cannot be had' => sub {
	$gateway->control('fault', kind => 'api', id => 'get_vod_streams', set => 'html=1');
	my ($status, $text) = import_it('demo');
	is $status, 0, 'are no reason against the channels';
	like $app->get('/health')->json->{checks}{upstreams}, qr/films stayed as they were/, 'but it is told';
	well();
	SKIP: {
		skip 'sqlite3 is not installed', 1 unless App::which('sqlite3');
		is rows('SELECT count(*) FROM film AS f JOIN source AS s ON s.id = f.source AND s.film_generation = f.generation WHERE s.name = \'demo\''),
			3, 'and the old ones stay';
	}
	import_it('demo');
};

subtest 'a catalogue from before there were films' => sub {
	plan skip_all => 'sqlite3 is not installed' unless App::which('sqlite3');
	$app->stop;
	my $before = rows('SELECT count(*) FROM channel');
	rows('DROP INDEX channel_alike; DROP INDEX channel_guide; '
		. (join '', map { "DROP TABLE $_; " } qw(address shelf film series episode asked))
		. (join '', map { "ALTER TABLE channel DROP COLUMN $_; " } qw(alike guide))
		. (join '', map { "ALTER TABLE source DROP COLUMN $_; " } qw(films film_generation series series_generation))
		. 'PRAGMA user_version = 1');
	$app->start;
	is scalar(split / /, ids()), $before, 'is read as it is';
	is +(import_it('demo'))[0], 0, 'and grows with the next import';
	is rows('SELECT films || \' \' || series FROM source WHERE name = \'demo\''), '3 1', 'by what was missing';
};

subtest 'large lists' => sub {
	my ($channels, $series) = $ENV{SLUICE_LONG} ? (100_000, 33_000) : (20_000, 5_000);
	my $path = $app->dir . '/large.m3u';
	open my $file, '>', $path or die "$path: $!\n";
	print $file "#EXTM3U\n";
	print $file qq{#EXTINF:-1 tvg-id="c$_.tv" tvg-name="Channel $_" tvg-logo="http://logos.example/$_.png" group-title="Group },
		$_ % 50, qq{",Channel $_\nhttp://gateway.example/live/u/p/$_.ts\n} for 1 .. $channels;
	close $file;
	$app->write_conf;
	open $file, '>>', $app->dir . '/sluice.conf';
	print $file qq{source "large" { type = m3u url = "$path" }\n};
	close $file;
	$gateway->control('fault', kind => 'api', id => 'get_live_streams', set => "count=$channels");
	$gateway->control('fault', kind => 'api', id => 'get_series', set => "count=$series");
	for my $source (qw(large demo)) {
		my ($status, $text) = import_it($source);
		is $status, 0, "$source goes in";
		like $text, qr/$source: $channels channels in/, 'whole';
		like $text, qr/ $series series/, 'with all series' if $source eq 'demo';
		my ($ms, $peak) = $text =~ /imported[^\n]* ms=(\d+) peak_kb=(\d+)/ or diag $text;
		note "$source: $ms ms, $peak KB at most";
		cmp_ok $peak, '<', 60_000, 'in bounded memory' unless App::sanitized();
	}
	well();
};

unlike $app->log, qr/demo\/demo|password=/, 'no log line shows an account';
done_testing;
