#!/usr/bin/perl
# t/37-hls-upstream.t - sources that answer with HLS, and all that goes wrong with those.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Watch;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg') && App::which('openssl');

my $long = $ENV{SLUICE_LONG};
my $media = Gateway::media();
my $has_mp4 = system("$FindBin::Bin/odd-media", "$media/odd") == 0;
my $gateway = Gateway->new(dir => $media);
$gateway->control('set', token_life => 3600);
$gateway->control('fault', kind => 'redirect', id => 1, set => 'hls');    # what is asked for as 1.ts is a playlist
my %lists = (
	name => 'lists', type => 'xtream', url => $gateway->url, user => 'demo', password => 'demo', connections => 5, output => 'm3u8',
	allow => [ map { "127.0.0.1/32:$_" } $gateway->port, $gateway->edge_port ],
);
my $app = App->new(gateway => $gateway, via => 'fastcgi', conf => { ladder => '240p audio' });
my $watch = Watch->new($app, 1, qw(240p audio));

sub fault { my ($set) = @_; $gateway->control('fault', kind => '', id => 1, set => "tag=hls,$set"); return }
sub well  { $gateway->control('clear', kind => $_, id => 1) for '', qw(segment list); return }
sub channel { return $app->get('/api/live/1')->json }
my $seen;
sub says { my ($what) = @_; return substr($app->log, $seen) =~ $what }

my $began = time;
ok $watch->until(sub { $app->get('/api/live')->json->{channels}[0]{status} eq 'on' }, 30), 'the channel plays';
note sprintf 'after %.1f s', time - $began;
like $app->log, qr/flowing .*as=hls/, 'from a playlist, which is known by its first line';
my ($periods, $from) = ($watch->periods, $watch->newest('240p'));

# What happens, one after the other while it plays, and what is then said of it.
my @cases = (
	[ 'a new token with each list',        sub { fault('hls_token=poll') } ],
	[ 'a token with each segment',         sub { fault('hls_token=segment') } ],
	[ 'addresses that are paths',          sub { fault('hls_urls=path') } ],
	[ 'addresses of another host',         sub { fault('hls_urls=host') } ],
	[ 'a list of a megabyte',              sub { fault('hls_pad=1M') } ],
	[ 'encrypted segments',                sub { fault('hls_key=good') } ],
	[ 'encrypted with a vector that is said', sub { fault('hls_key=iv') } ],
	[ 'a segment that is not there at once', sub { well(); $gateway->control('fault', kind => 'segment', id => 1, set => 'status=404,times=1') },
		qr/source_lost .*segment is answered with status 404/ ],
	[ 'a segment that is never there',     sub { well(); $gateway->control('fault', kind => 'segment', id => 1, set => 'status=404,times=2') },
		qr/segment_skipped .*status 404/ ],
	[ 'a list that is refused once',       sub { well(); $gateway->control('fault', kind => 'list', id => 1, set => 'status=403,times=1') },
		qr/source_lost .*playlist is answered with status 403/ ],
	[ 'a segment that is cut off',         sub { well(); $gateway->control('fault', kind => 'segment', id => 1, set => 'cut_after=100k,times=1') },
		qr/source_lost .*partial|source_lost .*transfer/i ],
	[ 'a web page instead of a segment',   sub { well(); $gateway->control('fault', kind => 'segment', id => 1, set => 'html,times=1') },
		qr/source_lost .*a web page, not its segment/ ],
	[ 'the numbers begin anew',            sub { well(); $gateway->control('set', hls_sequence => -60) }, qr/sequence_anew/ ],
	[ 'the window slides on',              sub { $gateway->control('clock', add => 20) }, qr/segments_missed/ ],
	[ 'the clock jumps, and nothing says so', sub { $gateway->control('timeline', id => 1, add => -300) } ],
	[ 'the clock jumps a little, as a discontinuity says', sub { fault('hls_break'); $gateway->control('timeline', id => 1, add => 4) } ],
	[ 'a dead token',                      sub { well(); $gateway->control('tokens', kill => 1) }, qr/source_lost .*status 403/ ],
);
@cases = @cases[ 0, 1, 5, 8, 9, 12, 13, 15 ] unless $long;
for my $case (@cases) {
	my ($what, $do, $said) = @$case;
	$seen = length $app->log;
	my ($segments, $more) = ($gateway->channel(1)->{streams}, $long ? 8 : 2);
	my $watched = $watch->newest('240p');
	$do->();
	ok $watch->until(sub { $gateway->channel(1)->{streams} >= $segments + $more && (!$said || says($said)) }, 40),
		"$what: it goes on" . ($said ? ', and says so' : '') or diag substr $app->log, $seen;
	ok $watch->goes_on(3, 20), 'for long' if $long;
}
well();
ok $watch->goes_on(2, 40), 'after all of that it plays';
is_deeply [ $watch->uneven('240p', $from), $watch->uneven('audio', $from) ], [], 'every picture and every sound a frame after the one before';
is $watch->periods, $periods, 'all of it without a discontinuity';
unlike $app->log, qr/encoder_ended/, 'with one encoder, which was never restarted';
is $gateway->channel(1)->{peak}, 1, 'and over one connection at a time';
cmp_ok $watch->late($from), '<', 5.5, sprintf 'nobody has to wait (%.1f s)', $watch->late($from);
is_deeply [ $watch->faults, $watch->joints ], [], 'with nothing wrong in any playlist, segment or joint';

# What cannot be played: said in the log and in JSON, and over as soon as it is well.
my @refusals = (
	[ 'a list that stands still',       'hls_frozen', qr/playlist has listed nothing new for \d s/ ],
	[ 'a list that says that it ended', 'hls_ended', qr/playlist (?:says that it has ended|is of something that has ended)/ ],
	[ 'a web page instead of a list',   'list.html', qr/a web page, not a stream|a web page, not its playlist/ ],
	[ 'a file of ours',                 'hls_urls=file', qr/leads to file, which is not fetched/ ],
	[ 'another protocol',               'hls_urls=gopher', qr/leads to gopher, which is not fetched/ ],
	[ 'a private address',              'hls_urls=private', qr/10\.0\.0\.1 is a private address/ ],
	[ 'another key',                    'hls_key=wrong', qr/segment cannot be decrypted with its key/ ],
	[ 'half a key',                     'hls_key=short', qr/key is of 5 bytes, not of 16/ ],
	[ 'no key',                         'hls_key=good,key.status=404', qr/key is answered with status 404/ ],
	[ 'a method that we do not know',   'hls_key=sample', qr/encrypted in a way that needs its own player/ ],
	[ 'segments of nonsense',           'segment.garbage=3000', qr/segment is neither MPEG-TS nor MP4 nor packed audio/ ],
);
@refusals = @refusals[ 2, 3, 9 ] unless $long;
for my $case (@refusals) {
	my ($what, $set, $said) = @$case;
	$seen = length $app->log;
	fault($set);
	ok $watch->until(sub { says(qr/source_lost .*$said/) }, 40), "$what: the log says what is wrong" or diag substr $app->log, $seen;
	ok $watch->until(sub { ($app->get('/api/status')->json->{channels}[0]{message} // '') =~ $said }, 20), 'and so does JSON'
		if $set eq 'hls_key=short';
	well();
	$gateway->control('tokens', kill => 1) if $set eq 'hls_frozen';
	my $segments = $gateway->channel(1)->{streams};
	ok $watch->until(sub { $gateway->channel(1)->{streams} > $segments + 1 }, 60), 'and when it is well, it is read again';
}
ok $watch->goes_on(1, 40), 'after all of that it plays';
is_deeply [ $watch->faults ], [], 'with nothing wrong in any playlist or segment';

# MP4 segments, whole and with the sound apart; encrypted; and a master, of which the best that fits is read.
my @kinds = (
	[ 2, 'MP4 segments', 'hls_fmp4', 3600 ],
	[ 3, 'MP4 segments with the sound apart', 'hls_fmp4,hls_apart', 3600, qr/variant channel=live-3 lines=360 .*sound_apart=1/ ],
	[ 2, 'packed audio', 'hls_packed', 3600 ],
	[ 3, 'MP4 segments with packed audio apart', 'hls_fmp4,hls_apart,hls_packed', 3600 ],
	[ 2, 'encrypted packed audio', 'hls_packed,hls_key=iv', 3600 ],
	[ 2, 'encrypted MP4 segments', 'hls_fmp4,hls_key=iv', 3600 ],
	[ 3, 'a master', 'hls_master', 3000, qr/variant channel=live-3 lines=240 bandwidth=2400000/ ],
	[ 3, 'a master whose best variant is on another host', 'hls_master,hls_urls=host', 3000, qr/variant channel=live-3 lines=240/ ],
);
splice @kinds, 3 unless $long;
for my $kind ($has_mp4 ? @kinds : ()) {
	my ($id, $what, $set, $step, $said) = @$kind;
	my $other = Watch->new($app, $id, '240p');
	$seen = length $app->log;
	$gateway->control('fault', kind => '', id => $id, set => "hls,$set");
	$gateway->control('fault', kind => 'list', id => $id, set => 'status=403,times=1') if $app->log =~ /channel=live-$id/;
	ok $other->until(sub { says(qr/flowing channel=live-$id .*as=hls/) }, 40), "$what: the channel plays";
	like substr($app->log, $seen), $said, 'the variant that fits' if $said;
	ok $other->goes_on(3, 40), 'and goes on';
	my $last = $other->newest('240p');
	is_deeply [ $other->uneven('240p', $last - 1, video => $step) ], [], 'every picture and every sound a frame after the one before';
	my $path = $app->dir . '/piece.ts';
	open my $file, '>:raw', $path or die "$path: $!\n";
	print $file map { $app->get($other->segment('240p', $_)->{uri})->body } $last - 1, $last;
	close $file;
	is scalar `ffmpeg -v error -i $path -f null - 2>&1`, '', 'which decode without a complaint';
	is_deeply [ $other->faults, $other->joints ], [], 'with nothing wrong in any playlist, segment or joint';
}

# The variant that plays dies, and another one of the master goes on.
if ($long) {
	my $other = Watch->new($app, 3, '240p');
	$gateway->control('fault', kind => '', id => 3, set => 'hls,hls_master');
	$gateway->control('fault', kind => 'list', id => 3, set => 'status=403,times=1');
	$seen = length $app->log;
	ok $other->until(sub { says(qr/variant channel=live-3 lines=240/) && says(qr/flowing channel=live-3/) }, 40), 'the best variant plays';
	ok $other->goes_on(3, 40), 'and goes on';
	my ($periods, $from) = ($other->periods, $other->newest('240p'));
	$gateway->control('fault', kind => '', id => 3, set => 'hls,hls_master,hls_dead=high');
	ok $other->until(sub { says(qr/variant channel=live-3 lines=180/) }, 30), 'when it is gone the next one is read';
	ok $other->goes_on(5, 40), 'and goes on';
	is_deeply [ $other->uneven('240p', $from, video => 3000) ], [], 'every picture and every sound a frame after the one before';
	is $other->periods, $periods, 'without a discontinuity';
	cmp_ok $other->late($from), '<', 5.5, sprintf 'nobody has to wait (%.1f s)', $other->late($from);
	is_deeply [ $other->faults, $other->joints ], [], 'with nothing wrong in any playlist, segment or joint';
}

# A gateway that is asked for HLS.
my $asks = App->new(sources => [ \%lists ], via => 'fastcgi', conf => { ladder => '240p' });
$gateway->control('clear');
$asks->get('/api/hls/1/240p.m3u8');
ok $asks->wait_for(sub { $asks->log =~ /flowing .*as=hls/ }, 20), 'with `output = "m3u8"` a gateway is asked for a playlist';
ok scalar(grep { $_->{target} =~ m{/live/demo/demo/1\.m3u8$} } @{ $gateway->control('log') }), 'by its name';
unlike $app->log, qr/hls\/\w{20}|t=\w{10}/, 'and no token in the log';
diag join "\n", grep { !/ debug / } split /\n/, $app->log if grep { !$_ } Test::More->builder->summary;
done_testing;
