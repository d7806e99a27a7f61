#!/usr/bin/perl
# t/35-sources.t - a channel of several sources: the next one plays when one fails, the first again when
# it is well, tokens are replaced while they still work, and all of it is said.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my ($first, $second) = map { Gateway->new } 1, 2;
my @sources = map { {
	name => $_->[0], type => 'xtream', url => $_->[1]->url, user => 'demo', password => 'demo', connections => 2, group => 'tv',
	allow => [ map { '127.0.0.1/32:' . $_ } $_->[1]->port, $_->[1]->edge_port ],
} } [ star => $first ], [ moon => $second ];
my $app = App->new(sources => \@sources, via => 'fastcgi', conf => { ladder => '240p' });

sub playlist { my ($id) = @_; return $app->get("/api/hls/star.live-$id/240p.m3u8")->body }
sub newest { my @n = playlist($_[0]) =~ m{/(\d+)\.ts$}mg; return $n[-1] // 0 }

sub plays_on {
	my ($id, $seconds) = @_;
	my $from = newest($id);
	return $app->wait_for(sub { sleep 0.2; newest($id) > $from }, $seconds // 20, "channel $id to play on");
}

sub sources {
	my ($id) = @_;
	my $reply = $app->get("/api/live/star.live-$id");
	return { map { $_->{name} => $_ } @{ $reply->json->{sources} // [] } };
}
sub state_of { my ($id, $name) = @_; return sources($id)->{$name}{state} // '-' }
sub now { my ($id) = @_; return $first->channel($id)->{now} . $second->channel($id)->{now} }

is join(' ', map { $_->{id} } @{ $app->get('/api/live')->json->{channels} }), 'star.live-1 star.live-2 star.live-3',
	'what two sources have is listed once';

ok plays_on(1), 'a channel plays';
is now(1), '10', 'from the first source';
ok $app->wait_for(sub { state_of(1, 'star') eq 'playing' }, 5), 'and says so';
is state_of(1, 'moon'), 'ready', 'the second is ready';

subtest 'the first source fails' => sub {
	$first->control('fault', kind => '', id => '', set => 'status=500');
	$first->control('cut', kind => 'live', how => 'rst');
	my $run = $1 if playlist(1) =~ m{/tv/star\.live-1/(\w+)/};
	my $began = time;
	ok $app->wait_for(sub { playlist(1); now(1) eq '01' }, 20, 'the second source'), 'the second one is read';
	note sprintf 'after %.1f s', time - $began;
	ok plays_on(1), 'and plays on';
	like playlist(1), qr{/tv/star\.live-1/$run/}, 'in the same run';
	ok $app->wait_for(sub { state_of(1, 'moon') eq 'playing' }, 5), 'as is said';
	my $star = sources(1)->{star};
	is $star->{state}, 'failing', 'with the first one\'s state';
	is $star->{reason}, 'source_down', 'its reason';
	like $star->{message}, qr/status 500|500/, 'a sentence';
	like $star->{since}, qr/^\d{4}-\d\d-\d\dT/, 'and since when';
	like $app->log, qr/origin_changed .*from=star to=moon/, 'the log says it too';
	is $app->get('/api/live/star.live-2')->json->{sources}[1]{name}, 'moon', 'another channel has the same sources';
	my $status = $app->get('/api/status')->json;
	is $status->{channels}[0]{source}, 'moon', 'the status page\'s data say from where it plays';
	is $status->{sources}[1]{accounts}[0]{inUse}, 1, 'and which account\'s connections are in use';
};

subtest 'the first source is well again' => sub {
	$first->control('clear');
	my ($from, $streams) = (newest(1), $second->channel(1)->{streams});
	my $back = $app->wait_for(sub { playlist(1); $app->move_clock(2); sleep 0.4; now(1) =~ /^1/ }, 30, 'the first source');
	ok $back, 'it is read again';
	ok $app->wait_for(sub { playlist(1); now(1) eq '10' }, 10, 'one source'), 'and it alone';
	ok plays_on(1), 'and plays on';
	ok $app->wait_for(sub { state_of(1, 'star') eq 'playing' }, 5), 'as is said';
	like $app->log, qr/origin_changed .*from=moon to=star/, 'in the log too';
	is $second->channel(1)->{streams}, $streams, 'the second was read to the end without a cut';
	# From there on: before, time leaps, and the second one cannot send that much.
	unlike +($app->log =~ /(origin_changed [^\n]*from=moon to=star.*)/s)[0] // '', qr/ slate [^\n]*channel=\S*live-1\b/, 'no slate was needed';
};

subtest 'the first source shows a clip, as to an account that has expired' => sub {
	$first->control('fault', kind => 'redirect', id => 3, set => 'location=clip');
	ok $app->wait_for(sub { playlist(3); now(3) eq '01' }, 20, 'the second source'), 'a channel is read from the second source';
	ok plays_on(3), 'and plays';
	like $app->log, qr/source_lost channel=star.live-3 why="The source sends a clip of 2632000 bytes, not a live stream"/, 'the log says why';
	my $star;
	$app->wait_for(sub { $star = sources(3)->{star}; $star->{reason} }, 5, 'the reason');
	is "$star->{state} $star->{reason}", 'failing source_down', 'as does JSON';
	$first->control('clear');
	ok $app->wait_for(sub { playlist($_) for 1, 3; $app->move_clock(2); sleep 0.4; now(3) eq '10' }, 40, 'the first source'), 'until the first is well again';
};

subtest 'both fail' => sub {
	$_->control('fault', kind => '', id => '', set => 'status=500') for $first, $second;
	$_->control('cut', kind => 'live', how => 'rst') for $first, $second;
	my $asked = sub { ($first->counts->{statuses}{500} // 0) + ($second->counts->{statuses}{500} // 0) };
	sleep 1;
	my $before = $asked->();
	for (1 .. 10) { playlist(1); sleep 0.4 }
	cmp_ok $asked->() - $before, '<=', 12, 'they are not asked all the time';
	$_->control('clear') for $first, $second;
	ok $app->wait_for(sub { playlist(1); $app->move_clock(1); sleep 0.3; now(1) ne '00' }, 30, 'a source'),
		'and when one is well, it plays';
	ok plays_on(1, 30), 'again';
};

subtest 'tokens that die' => sub {
	my $redirects = $first->channel(2)->{redirects};
	$first->control('fault', kind => 'live', id => 2, set => 'token_dead=8s');
	ok plays_on(2), 'a channel whose tokens live 8 s plays';
	my $log = length $app->log;
	my ($end, $longest, $last, $n) = (time + 20, 0, time, newest(2));
	while (time < $end) {
		my $new = newest(2);
		if ($new > $n) { ($n, $longest, $last) = ($new, (time - $last > $longest ? time - $last : $longest), time) }
		sleep 0.2;
	}
	cmp_ok $longest, '<', 5, sprintf 'and goes on through their deaths: %.1f s at most between two segments', $longest;
	unlike substr($app->log, $log), qr/encoder_ended/, 'with the same encoder';
	is state_of(2, 'star'), 'playing', 'from the same source';
	cmp_ok $first->channel(2)->{redirects} - $redirects, '<=', 10, 'with one token for each death, and not many more';
};

unlike $app->log, qr/demo:demo|\/demo\/demo\/|auth\/[a-z0-9]{20}/, 'no log line shows an account or a token';
done_testing;
