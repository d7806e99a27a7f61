#!/usr/bin/perl
# t/21-private.t - private addresses are refused when the connection is made, whoever asks, wherever they
# stand: in the configuration, in a list, behind a redirect, in a playlist, behind a name that changes.
# SPDX-License-Identifier: BSD-2-Clause
# How they may be spelt is the subject of t/unit/private.c.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(sha256_hex);
use File::Temp ();
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep);
use App;
use Gateway;
use Resolver;

my $refusal = qr/is a private address; allow it in the source's `allow` list/;
my $dir = File::Temp->newdir;

# --- somebody who is not to be reached -------------------------------------------------------------------
my $victim = IO::Socket::INET->new(LocalAddr => '0.0.0.0', Listen => 50) or die "nobody can listen: $!\n";
my $port = $victim->sockport;
$victim->blocking(0);
sub reached { my $n = 0; $n++ while $victim->accept; return $n }

# --- a source on 127.0.0.2, which is allowed: path => answer ----------------------------------------------
my $origin = IO::Socket::INET->new(LocalAddr => '127.0.0.2', Listen => 50, ReuseAddr => 1) or plan skip_all => "127.0.0.2: $!";
my $at = '127.0.0.2:' . $origin->sockport;
my %answer;

sub to { my ($url) = @_; return "HTTP/1.1 302 Found\r\nLocation: $url\r\nContent-Length: 0\r\n\r\n" }
sub says { my ($type, $text) = @_; return "HTTP/1.1 200 OK\r\nContent-Type: $type\r\nContent-Length: " . length($text) . "\r\n\r\n$text" }
sub playlist { return says('application/vnd.apple.mpegurl', join "\n", '#EXTM3U', @_, '') }

sub serve {
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	$SIG{PIPE} = 'IGNORE';
	while (1) {
		my $client = $origin->accept or next;
		sysread $client, my $request, 8192;
		my ($path) = $request =~ m{^GET (\S+)};
		print $client $answer{ $path // '' } // "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
		close $client;
	}
}

# --- names, and what they mean when they are asked for one time after the other -------------------------
mkdir "$dir/names";
sub name {
	my ($name, @answers) = @_;
	open my $file, '>', "$dir/names/$name" or die "$name: $!\n";
	print $file map { "$_\n" } @answers;
	close $file;
	return $name;
}
sub asked { my ($name) = @_; return -s "$dir/names/$name.asked" // 0 }
my %names = (LD_PRELOAD => App::builddir() . '/t/names.so', SLUICE_TEST_NAMES => "$dir/names");

# --- what the configuration names -------------------------------------------------------------------------
my $gateway = Gateway->new;
my $app = App->new(start => 0, import => 0, via => 'fastcgi', environment => \%names);

# What an import from $url says, with these addresses allowed.
sub import_from {
	my ($type, $url, @allow) = @_;
	my @account = $type eq 'xtream' ? (user => 'demo', password => 'hush-4711') : ();
	$app->{sources} = [ { name => 'x', type => $type, url => $url, @account, allow => [@allow] } ];
	$app->write_conf;
	return $app->command('import', '--force');
}

name('one.test', '127.0.0.1');
name('three.test', '169.254.169.254 10.0.0.1 127.0.0.1');
name('six.test', '::ffff:127.0.0.1');
for my $type ('xtream', 'm3u') {
	for my $host ('127.0.0.1', '127.1', '0x7f.1', '2130706433', '017700000001', 'localhost', '0.0.0.0', '[::ffff:127.0.0.1]',
		'user@127.0.0.1', '8.8.8.8@127.0.0.1', 'one.test', 'three.test', 'six.test')
	{
		my ($status, $said) = import_from($type, "http://$host:$port/list");
		isnt $status, 0, "$type: $host is refused";
		like $said, $refusal, 'in a sentence that says what to do';
		unlike $said . $app->log, qr/hush-4711/, 'without the password';
	}
}
is reached(), 0, 'and nobody was connected to';
ok asked('one.test') >= 2, 'the names were asked for';

# --- redirects, and a name that means something else the next time -------------------------------------
$answer{'/away'} = to("http://127.0.0.1:$port/player_api.php?password=hush-4711");
$answer{'/away-by-name'} = to("http://one.test:$port/");
$answer{'/once-more'} = to("http://$at/away");
$answer{'/file'} = to('file:///etc/passwd');
$answer{'/list'} = says('audio/x-mpegurl', "#EXTM3U\n#EXTINF:-1,One\nhttp://$at/1.ts\n");
my @servers = (serve());
for my $path ('away', 'away-by-name', 'once-more') {
	my ($status, $said) = import_from('m3u', "http://$at/$path", '127.0.0.2/32');
	like $said, qr/127\.0\.0\.1 $refusal/, "where a redirect leads is refused: $path";
	unlike $said, qr/hush-4711/, 'without what stands in it';
}
like +(import_from('m3u', "http://$at/file", '127.0.0.2/32'))[1], qr/no http or https address/, 'a file is nothing to fetch';
my ($origin_port) = $at =~ /:(\d+)/;
name('changes.test', '127.0.0.2', '127.0.0.1', '127.0.0.2 127.0.0.1', '127.0.0.1 127.0.0.2');
# The same port of another address is somebody else.
my $twin = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $origin_port, Listen => 5, ReuseAddr => 1, Blocking => 0);
my @said = map { (import_from('m3u', "http://changes.test:$origin_port/list", '127.0.0.2/32'))[1] } 1 .. 4;
unlike $said[0], $refusal, 'a name is what it means now: allowed';
like $said[1], qr/127\.0\.0\.1 $refusal/, 'and then it is refused';
unlike $said[$_], $refusal, 'of several addresses the one that is allowed is taken' for 2, 3;
ok !$twin || !$twin->accept, 'and the other one is not connected to';
my (undef, $said) = import_from('xtream', 'http://127.0.0.1:' . $gateway->port, '127.0.0.1/32:' . ($gateway->port + 1));
like $said, $refusal, 'another port is not what was allowed';
(undef, $said) = import_from('xtream', 'http://127.0.0.1:' . $gateway->port, '127.0.0.1/32:' . $gateway->port);
unlike $said, $refusal, 'what is allowed is reached';
is reached(), 0, 'and nobody else was';
$app->end;

# --- what a list names: channels, what their playlists name, films ---------------------------------------
from_list() if App::which('ffmpeg');

sub from_list {
	my $bad = "http://127.0.0.1:$port";
	my $segment = "#EXTINF:4,\nhttp://$at/nothing.ts";
	name('later.test', '127.0.0.2', '127.0.0.1');
	my %channel = (
		'an address'                    => "$bad/live.ts",
		'an address by a name'          => "http://one.test:$port/live.ts",
		'a redirect'                    => "http://$at/away",
		'a variant'                     => [ "#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=640x360", "$bad/v.m3u8" ],
		'a variant by a redirect'       => [ "#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=640x360", "http://$at/away" ],
		'a segment'                     => [ '#EXT-X-TARGETDURATION:4', '#EXTINF:4,', "$bad/1.ts", '#EXTINF:4,', "$bad/2.ts" ],
		'a segment by a mapped address' => [ '#EXT-X-TARGETDURATION:4', '#EXTINF:4,', "http://[::ffff:7f00:1]:$port/1.ts" ],
		'a segment by a redirect'       => [ '#EXT-X-TARGETDURATION:4', '#EXTINF:4,', "http://$at/once-more" ],
		'a segment by a name'           => [ '#EXT-X-TARGETDURATION:4', '#EXTINF:4,', "http://three.test:$port/1.ts" ],
		'a key'                         => [ '#EXT-X-TARGETDURATION:4', "#EXT-X-KEY:METHOD=AES-128,URI=\"$bad/key\"", $segment ],
		'the head of MP4'               => [ '#EXT-X-TARGETDURATION:4', "#EXT-X-MAP:URI=\"$bad/init.mp4\"", $segment ],
		'a name that changes'           => "http://later.test:$origin_port/changed.m3u8",
	);
	my ($list, $n) = ("#EXTM3U\n", 0);
	for my $what (sort keys %channel) {
		my $url = $channel{$what};
		if (ref $url) {
			$answer{ '/c' . ++$n . '.m3u8' } = playlist(@$url);
			$url = "http://$at/c$n.m3u8";
		}
		$list .= "#EXTINF:-1 tvg-logo=\"$bad/logo.png\",$what\n$url\n";
	}
	$answer{'/changed.m3u8'} = playlist('#EXT-X-TARGETDURATION:4', '#EXTINF:4,', "http://later.test:$port/1.ts");
	$list .= "#EXTINF:-1,A film\n$bad/film.mkv\n#EXTINF:-1,A film behind a redirect\nhttp://$at/film.mkv\n";
	$answer{'/film.mkv'} = to("$bad/film.mkv");
	$answer{'/channels'} = says('audio/x-mpegurl', $list);
	push @servers, serve();
	kill 'KILL', $servers[0];    # which does not know of them
	$app = App->new(via => 'fastcgi', environment => \%names, conf => { ladder => '240p' },
		sources => [ { name => 'x', type => 'm3u', url => "http://$at/channels", allow => ['127.0.0.2/32'] } ]);
	my %id = map { $_->{name} => $_->{id} } @{ $app->get('/api/live')->json->{channels} };
	is_deeply [ sort keys %id ], [ sort keys %channel ], 'the channels of the list are there';
	$app->get("/api/hls/$id{$_}/240p.m3u8") for sort keys %id;
	for my $what (sort keys %id) {
		my $id = $id{$what} =~ /^\d/ ? "live-$id{$what}" : $id{$what};
		my $line = qr/ (?:channel|id)=$id .*private address/;
		ok $app->wait_for(sub { $app->log =~ $line }, 25, "$what to be refused"), "$what is refused, and the log says why";
	}
	my $logo = $app->get("/cdn/art/live-" . ($id{'a key'} =~ s/^live-//r));
	isnt $logo->status, 200, 'a logo there is none';
	for my $film ('A film', 'A film behind a redirect') {
		# As lists are told apart that say no more of it.
		my $id = 'vod-m' . substr sha256_hex("path\n/film.mkv\n$film"), 0, 16;
		my $reply = $app->get("/api/hls/$id/master.m3u8");
		like $reply->json ? $reply->json->{error}{message} : $reply->status, $refusal, lcfirst "$film is refused in words";
	}
	is reached(), 0, 'and nobody was connected to';
	ok asked('later.test') >= 2, 'a name that changed was asked for again';
	return;
}

# --- what is resolved -------------------------------------------------------------------------------------
$answer{'/to/abc'} = to("http://127.0.0.1:$port/abc");
$answer{'/named/abc'} = to("http://three.test:$port/abc");
push @servers, serve();
kill 'KILL', $servers[-2];
my $resolver = Resolver->new;
my %template = (
	straight => "http://127.0.0.1:$port/{id}", named => "http://one.test:$port/{id}", mapped => "http://[::ffff:127.0.0.1]:$port/{id}",
	cloud => 'http://169.254.169.254/latest/meta-data/{id}', redirected => "http://$at/to/{id}", namedlater => "http://$at/named/{id}",
);
$app = App->new(import => 0, via => 'fastcgi', environment => \%names, conf => { rate_video_info => 'none' }, sources => [
	(map { { name => $_, type => 'http', media => 'audio', url => $template{$_}, allow => ['127.0.0.2/32'] } } sort keys %template), $resolver->source ]);
for my $source (sort keys %template) {
	my $reply = $app->get("/cdn/stream/$source.abc");
	is $reply->status, 403, "an address made of a template is refused: $source";
	like $reply->json ? $reply->json->{error}{message} : '', $refusal, 'in words';
}
my $page = $app->post('/api/video-info', '{"url":"https://pages.example/private/x"}', 'Content-Type' => 'application/json')->json;
my $found = $app->get("/cdn/stream/$page->{id}");
like $found->json ? $found->json->{error}{message} : $found->status, qr/169\.254\.169\.254 $refusal/, 'and one that a program has found';
is $app->get("/prefetch?v=straight.abc")->status, 202, 'to ask in advance helps nobody';
$app->wait_for(sub { $app->log =~ /prefetched id=straight/ }, 20, 'that to be tried');
is reached(), 0, 'nobody was connected to';

kill 'KILL', $_ for @servers;
waitpid $_, 0 for @servers;
done_testing;
