#!/usr/bin/perl
# t/40-channel.t - a channel from end to end: gateway, token, encoder, playlists, segments, stop.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use App;
use Gateway;
use Hls;
use Ts;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg') && App::which('ffprobe');

my $secret  = 'hush-4711';
my $gateway = Gateway->new(user => 'viewer.one', password => $secret);
my $app     = App->new(gateway => $gateway);
my %said;    # every answer's body by target, searched for secrets at the end

sub ask {
	my ($target, @headers) = @_;
	my $reply = $app->get($target, @headers);
	$said{$target} = $reply->body unless $target =~ /\.ts$/;
	return $reply;
}

# The master, as soon as there is one.
sub master {
	my ($id) = @_;
	my $reply;
	$app->wait_for(sub { ($reply = ask("/api/hls/$id/master.m3u8"))->status != 503 }, 20, "channel $id");
	return $reply;
}

sub playlist { my ($id, $name) = @_; return ask("/api/hls/$id/$name.m3u8") }

# Time passes in steps shorter than what counts as a stalled stream or a lost lease, with a little
# real time between them for the streams to go on.
sub elapse {
	my ($seconds) = @_;
	for (1 .. $seconds / 3) {
		$app->move_clock(3);
		select undef, undef, undef, 0.4;
	}
	return;
}

subtest 'the list of channels' => sub {
	my $list = ask('/api/live')->json;
	is_deeply [ map { $_->{id} } @{ $list->{channels} } ], [qw(live-1 live-2 live-3)], 'is the gateway\'s';
	my $first = $list->{channels}[0];
	is $first->{name}, 'Channel One', 'with names';
	is $first->{streamId}, '1', 'the gateway\'s own ids';
	is $first->{url}, '/api/hls/1/master.m3u8', 'where to play';
	is $first->{status}, 'off', 'and that nobody watches';
	is_deeply $list->{categories}, [ 'Clocks', 'Patterns' ], 'categories stand beside it';
	is_deeply [ map { $_->{id} } @{ ask('/api/live?category=Patterns')->json->{channels} } ], ['live-3'], 'and choose';
	is_deeply [ map { $_->{id} } @{ ask('/api/live?q=two')->json->{channels} } ], ['live-2'], 'so does a search';
	my $page = ask('/api/live?limit=2')->json;
	is scalar @{ $page->{channels} }, 2, 'a page is as long as asked';
	is_deeply [ map { $_->{id} } @{ ask("/api/live?limit=2&cursor=$page->{nextCursor}")->json->{channels} } ], ['live-3'],
		'and the next one follows';
	is $gateway->channel(1)->{redirects}, 0, 'none of this troubles the gateway';
};

subtest 'one channel' => sub {
	# Long enough for the janitor's first look at directories that nobody uses.
	$gateway->control('fault', kind => 'redirect', id => 1, set => 'slow_start=700ms,times=1');
	my $reply = ask('/api/live/1');
	is $reply->status, 200, 'is described, though the gateway takes its time';
	my $channel = $reply->json;
	is "$channel->{streamId} $channel->{name} $channel->{quality}", '1 Channel One 720p', 'by name and usual quality';
	is join(' ', map { $_->{name} } @{ $channel->{qualities} }), '720p 480p 360p 240p audio', 'with its ladder';
	like $channel->{direct}, qr{/api/live/1/direct$}, 'and its own stream';
	ok !$channel->{token}{cached}, 'the first asks the gateway';
	like $channel->{token}{expiresAt}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'for a token with an end';
	ok ask('/api/live/live-1')->json->{token}{cached}, 'the second does not, by whichever id';
	is $gateway->channel(1)->{redirects}, 1, 'so the gateway was asked once';
	is $gateway->channel(1)->{streams}, 0, 'and sends nothing yet';
};

subtest 'a fresh token' => sub {
	my $before = $gateway->channel(1)->{redirects};
	$app->move_clock(6);
	my @replies = App::parallel(8, sub { my $r = $app->get('/api/live/1/refresh'); { status => $r->status, json => $r->json } });
	is join(' ', map { $_->{status} } @replies), join(' ', (200) x 8), 'eight ask for one at once';
	is $gateway->channel(1)->{redirects}, $before + 1, 'and the gateway is asked once for all';
	is ask('/api/live/1/refresh')->status, 200, 'another within 5 s';
	is $gateway->channel(1)->{redirects}, $before + 1, 'gets the same';
	$app->move_clock(6);
	ok !ask('/api/live/1/refresh')->json->{token}{cached}, 'after them';
	is $gateway->channel(1)->{redirects}, $before + 2, 'the gateway is asked again';
};

subtest 'fifty viewers' => sub {
	$gateway->control('reset');
	my $begun = time;
	my @seen = App::parallel(50, sub {
		my $end = time + 30;
		my ($master, $list, $waits) = (undef, undef, 0);
		while (time < $end) {
			$master = $app->get('/api/hls/2/master.m3u8');
			$list = $app->get('/api/hls/2/360p.m3u8') if $master->status == 200;
			last if $list && $list->status == 200;
			return { failed => $master->status . ' ' . $master->body } if $master->status != 503 && $master->status != 200;
			$waits++;
			select undef, undef, undef, 0.2;
		}
		return { failed => 'no playlist' } unless $list && $list->status == 200;
		my ($uri) = $list->body =~ m{^(/tv/\S+)$}m;
		my $segment = $app->get($uri);
		return { waits => $waits, status => $segment->status, bytes => length $segment->body, s => time - $begun };
	});
	is join('; ', map { $_->{failed} // () } @seen), '', 'all get a playlist';
	is scalar(grep { ($_->{status} // 0) == 200 && $_->{bytes} } @seen), 50, 'and a segment';
	my $counts = $gateway->channel(2);
	is "$counts->{redirects} $counts->{streams}", '1 1', 'for one redirect and one stream of the gateway';
	my ($slowest) = sort { $b <=> $a } map { $_->{s} // 99 } @seen;
	note sprintf 'the last viewer had a segment after %.1f s', $slowest;
	my ($status, $table) = $app->command('status');
	my @asked = $table =~ /^api +\d+ +ready +.*? +\d+ +(\d+) +\d+ *$/mg;
	ok $app->{via} eq 'cgi' || @asked == 2 && !grep({ $_ == 0 } @asked), 'every worker took part';
};

my $master = Hls->read(master(2)->body);

subtest 'the master' => sub {
	is join('; ', $master->faults), '', 'is well formed';
	is join(' ', map { $_->{uri} } $master->variants), '720p.m3u8 480p.m3u8 360p.m3u8 240p.m3u8 audio.m3u8', 'lists the ladder';
	is join(' ', map { $_->{RESOLUTION} // '-' } $master->variants), '1280x720 854x480 640x360 426x240 -', 'with sizes';
	is scalar(grep { ($_->{CODECS} // '') =~ /mp4a\.40\.2/ } $master->variants), 5, 'and sound in all';
	is scalar(grep { ($_->{CODECS} // '') =~ /avc1/ } $master->variants), 4, 'pictures in all but one';
	like ask('/api/hls/2/master.m3u8?quality=480p')->body, qr/STREAM-INF[^\n]*RESOLUTION=854x480[^\n]*\n480p\.m3u8/, 'a quality asked for';
	my ($first) = Hls->read(ask('/api/hls/2/master.m3u8?quality=480p')->body)->variants;
	is $first->{uri}, '480p.m3u8', 'comes first';
	is $app->head('/api/hls/2/master.m3u8')->body, '', 'HEAD has no body';
};

subtest 'playlists' => sub {
	$app->wait_for(sub { Hls->read(playlist(2, '720p')->body)->segments >= 4 }, 20, 'four segments');
	for my $name (qw(720p 480p 360p 240p audio)) {
		my $reply = playlist(2, $name);
		is $reply->header('Content-Type'), 'application/vnd.apple.mpegurl', "$name: a playlist by type";
		my $list = Hls->read($reply->body);
		is join('; ', $list->faults), '', 'well formed';
		ok !$list->ended, 'a live one never ends';
		like $_->{uri}, qr{^/tv/live-2/[0-9a-f]{32}/$name/$_->{n}\.ts$}, 'segments have their number' for ($list->segments)[0];
	}
	my ($older, @faults) = Hls->read(playlist(2, '360p')->body);
	my $end = time + 9;
	while (time < $end) {
		my $newer = Hls->read(playlist(2, '360p')->body);
		push @faults, $newer->faults, Hls::step_faults($older, $newer);
		$older = $newer;
		select undef, undef, undef, 0.5;
	}
	is join('; ', @faults), '', 'each follows from the one before';
	my @numbers = map { Hls->read(playlist(2, $_)->body)->{sequence} } qw(720p 240p audio);
	ok $numbers[0] - $numbers[2] <= 1 && $numbers[2] - $numbers[0] <= 1, 'all renditions are at the same place';
};

subtest 'segments' => sub {
	for my $name (qw(720p 240p audio)) {
		my @segments = Hls->read(playlist(2, $name)->body)->segments;
		my (@faults, $before, $period);
		for my $segment (@segments) {
			my $reply = $app->get($segment->{uri});
			push @faults, "$segment->{uri}: $reply->{status}" if $reply->status != 200;
			my $ts = Ts->read($reply->body);
			push @faults, $ts->faults, $ts->start_faults;
			push @faults, Ts::gap_faults($before, $ts) if $before && $period == $segment->{period};
			($before, $period) = ($ts, $segment->{period});
		}
		is join('; ', @faults), '', "$name: tables and a keyframe first, counters and timestamps go on";
		is exists $before->types->{video} ? 1 : 0, $name eq 'audio' ? 0 : 1, $name eq 'audio' ? 'sound alone' : 'with a picture';
	}
	my ($segment) = Hls->read(playlist(2, '720p')->body)->segments;
	my $reply = $app->get($segment->{uri});
	ok defined $reply->header('Last-Modified'), 'a segment says when it was made';
	is $reply->header('X-Request-Id'), undef, 'and no process of ours sent it';
	is $reply->header('Content-Type'), 'video/mp2t', 'its type is right' if $app->{via} eq 'lighttpd';
	is $app->get('/tv/live-2/' . '0' x 32 . '/720p/1.ts')->status, 404, 'one that is not there is not there';
};

subtest 'ffprobe' => sub {
	plan skip_all => 'no front server' if $app->{via} ne 'lighttpd';
	my $url = 'http://127.0.0.1:' . $app->port . '/api/hls/2/master.m3u8';
	my $text = `ffprobe -v error -show_entries stream=codec_name,width,height -of csv=p=0 $url 2>&1`;
	like $text, qr/^h264,1280,720/m, 'opens the master';
	like $text, qr/^aac/m, 'and finds sound';
	unlike $text, qr/error|invalid/i, 'without a complaint';
};

subtest 'what does not exist' => sub {
	my @cases = (
		[ '/api/live/99', 404, 'not_found' ], [ '/api/live/live-99', 404, 'not_found' ], [ '/api/live/vod-1', 404, 'not_found' ],
		[ '/api/live/1/2', 404, 'not_found' ], [ '/api/live/99/refresh', 404, 'not_found' ], [ '/api/none', 404, 'not_found' ],
		[ '/api/hls/99/master.m3u8', 404, 'not_found' ], [ '/api/hls/2/999p.m3u8', 404, 'not_found' ],
		[ '/api/hls/2/master.m3u8?quality=huge', 400, 'bad_input' ], [ '/api/live/1?quality=huge', 400, 'bad_input' ],
		[ '/api/live/%00', 400, 'bad_input' ], [ '/api/live/' . 'a' x 65, 400, 'bad_input' ], [ '/api/live?limit=x', 400, 'bad_input' ],
	);
	for my $case (@cases) {
		my ($target, $status) = @$case;
		my $reply = ask($target);
		is $reply->status, $status, substr($target, 0, 40) . " is $status";
		ok $reply->code && $reply->json->{error}{message}, 'in words';
	}
	for my $method (qw(POST PUT DELETE PATCH)) {
		my $reply = $app->request($method, '/api/live/1', _body => '');
		is $reply->status, 405, "$method is 405";
		like $reply->header('Allow') // '', qr/GET/, 'and says what is allowed';
	}
	is $app->request('OPTIONS', '/api/live/1')->status, 204, 'OPTIONS answers the preflight';
	is $gateway->channel(99)->{redirects}, 0, 'the gateway is not asked for what it does not have';
};

subtest 'a gateway that refuses' => sub {
	$gateway->control('reset');
	$gateway->control('fault', kind => 'redirect', id => 3, set => 'status=884');
	my $reply = ask('/api/live/3');
	is $reply->status, 503, 'because its limit is reached: so is ours';
	like $reply->header('Retry-After') // '', qr/^\d+$/, 'and when to ask again is said';
	ok $reply->json->{error}{message}, 'with a sentence';
	ask('/api/live/3') for 1 .. 5;
	is $gateway->counts->{requests}{redirect}, 1, 'and it is not asked for each of us';
	$gateway->control('fault', kind => 'redirect', id => 3, set => 'status=404');
	elapse(6);
	is ask('/api/live/3')->status, 502, 'for any other reason: 502';
	$gateway->control('clear');
	elapse(6);
	$app->wait_for(sub { ask('/api/live/3')->status == 200 }, 10, 'the channel to be back');
	is ask('/api/live/3')->status, 200, 'soon after it gives in, so do we';
};

subtest 'nobody watches any more' => sub {
	my ($segment) = Hls->read(playlist(2, '720p')->body)->segments;
	playlist(2, '720p');
	is $gateway->channel(2)->{now}, 1, 'a channel that is watched is fetched';
	my $before = $gateway->channel(2)->{streams};
	elapse(36);
	ok $app->wait_for(sub { $gateway->channel(2)->{now} == 0 }, 10, 'the channel to stop'), 'one that is not stops';
	ok $app->wait_for(sub { !$app->pids('ffmpeg') }, 5, 'ffmpeg to end'), 'with its encoder';
	is ask('/api/live')->json->{channels}[1]{status}, 'off', 'and is off';
	is $gateway->channel(2)->{streams}, $before, 'having fetched one stream all the time';
};

subtest 'secrets' => sub {
	my @tokens = map { $_->{token} } @{ $gateway->control('tokens') };
	ok @tokens >= 3, 'there were tokens';
	my @leaks = grep { my $body = $said{$_}; grep { index($body, $_) >= 0 } $secret, @tokens } sort keys %said;
	is "@leaks", '', 'no answer shows the password or a token';
	my $log = $app->log . $app->output('sluice');
	is join(' ', grep { index($log, $_) >= 0 } $secret, @tokens), '', 'and no log';
	unlike $log, qr/AddressSanitizer|runtime error|must failed/, 'nor does it tell of a mistake of ours';
};

done_testing;
