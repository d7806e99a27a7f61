#!/usr/bin/perl
# t/49-admin.t - who may do more than watch: a user, the administrator, or who sits at this host.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path ();
use File::Temp ();
use MIME::Base64;
use Test::More;
use App;
use Gateway;
use Resolver;

my $resolver = Resolver->new;
my %open = (rate_video_info => 'none');
my $body = '{"url":"https://pages.example/good/x"}';

# The status of a request that not everybody may make, over the pool's socket. What begins with a small
# letter is a header, the rest parameters of the front server.
sub asked {
	my ($app, %with) = @_;
	my %more = map { $_ => $with{$_} } grep { /^[A-Z]+_/ } keys %with;
	my @headers = map { $_ => $with{$_} } grep { !/^[A-Z]+_/ } keys %with;
	my $reply = App::Client::fcgi($app->run_dir . '/relay.sock', 'POST', '/api/video-info', \@headers, $body, %more);
	return $reply->status;
}

# --- without a token: who sits here -------------------------------------------------------------------------
my $app = App->new(via => 'fastcgi', sources => [ $resolver->source ], conf => {%open});
for my $case (
	[ 200, 'from this host' ],
	[ 200, 'by its name', HTTP_HOST => 'localhost:8080' ],
	[ 200, 'by its address', HTTP_HOST => '127.0.0.1:8080' ],
	[ 200, 'by IPv6', HTTP_HOST => '[::1]:8080', REMOTE_ADDR => '::1' ],
	[ 200, 'by a page of ours', HTTP_HOST => 'localhost:8080', origin => 'http://localhost:8080', 'sec-fetch-site' => 'same-origin' ],
	[ 200, 'over a socket of this host', REMOTE_ADDR => '' ],
	[ 403, 'from another host', REMOTE_ADDR => '192.0.2.1' ],
	[ 403, 'from another host by IPv6', REMOTE_ADDR => '2001:db8::1' ],
	[ 403, 'from another host that says a name', REMOTE_ADDR => '192.0.2.1', REMOTE_USER => 'viewer' ],
	[ 403, 'from another host that says a token', REMOTE_ADDR => '192.0.2.1', 'x-sluice-token' => '' ],
	[ 403, 'through a proxy on this host', 'x-forwarded-for' => '192.0.2.1' ],
	[ 403, 'through one of another kind', forwarded => 'for=192.0.2.1' ],
	[ 403, 'through any', via => '1.1 cache' ],
	[ 403, 'by a page of another host', HTTP_HOST => 'localhost:8080', origin => 'http://evil.example' ],
	[ 403, 'by a page on another port', HTTP_HOST => 'localhost:8080', origin => 'http://localhost:9090' ],
	[ 403, 'by a page of nowhere', HTTP_HOST => 'localhost:8080', origin => 'null' ],
	[ 403, 'by what a browser calls another site', 'sec-fetch-site' => 'cross-site' ],
	[ 403, 'by a name that leads here', HTTP_HOST => 'evil.example:8080', origin => 'http://evil.example:8080' ],
	[ 403, 'by a name that begins like ours', HTTP_HOST => 'localhost.cash' ],
	[ 403, 'by one that begins like our address', HTTP_HOST => '127.0.0.1.example' ],
) {
	my ($status, $who, %with) = @$case;
	is asked($app, %with), $status, ($status == 200 ? 'let in: ' : 'not let in: ') . $who;
}

# --- with a token: who has it -------------------------------------------------------------------------------
my $token = 'a-secret-of-4711';
$app = App->new(via => 'fastcgi', sources => [ $resolver->source ], conf => { %open, admin_token => $token });
for my $case (
	[ 200, 'the token', 'x-sluice-token' => $token, REMOTE_ADDR => '192.0.2.1' ],
	[ 200, 'the token as bearer', authorization => "Bearer $token", REMOTE_ADDR => '192.0.2.1', 'x-forwarded-for' => '192.0.2.2' ],
	[ 403, 'none' ],
	[ 403, 'an empty one', 'x-sluice-token' => '' ],
	[ 403, 'a part of it', 'x-sluice-token' => substr $token, 0, -1 ],
	[ 403, 'more than it', 'x-sluice-token' => "${token}x" ],
	[ 403, 'a name', REMOTE_USER => 'viewer' ],
) {
	my ($status, $who, %with) = @$case;
	is asked($app, %with), $status, "who gives $who: $status";
}
unlike $app->log, qr/4711/, 'the log does not hold it';

# --- users, and those who only say that they are ----------------------------------------------------------
my @name = (Authorization => 'Basic ' . encode_base64('viewer:any', ''), 'Content-Type' => 'application/json');
for my $via (grep { App::Front::is_here($_) } qw(lighttpd nginx apache)) {
	my $app = App->new(via => $via, sources => [ $resolver->source ], conf => { %open, admin_token => $token });
	is $app->post('/api/video-info', $body, @name)->status, 403, "$via: a name that nobody has looked at is nobody's";
	is $app->post('/api/video-info', $body, 'X-Sluice-Token' => $token)->status, 200, 'the token is heard';
	is $app->post('/api/video-info', $body, Authorization => "Bearer $token")->status, 200, 'either way';
	is $app->post('/api/video-info', $body, 'Remote-User' => 'viewer', 'REMOTE_USER' => 'viewer', 'Remote-Addr' => '127.0.0.1')->status, 403, 'headers make nobody';
	$app->end;
}
my $users = File::Temp->newdir;
open my $file, '>', "$users/htpasswd" or die "htpasswd: $!\n";
close $file;
$app = App->new(via => App::via('lighttpd'), sources => [ $resolver->source ], conf => { %open, admin_token => $token, access => 'password', htpasswd => "$users/htpasswd" });
my (undef, $password) = $app->command(user => 'add', 'viewer');
chomp $password;
is $app->post('/api/video-info', $body, Authorization => 'Basic ' . encode_base64("viewer:$password", ''))->status, 200, 'a user is known where the front server asks for a password';
is $app->post('/api/video-info', $body, @name)->status, 401, 'and nobody else';

# --- what a program may be asked for ------------------------------------------------------------------------
my %json = ('X-Sluice-Token' => $token, Authorization => 'Basic ' . encode_base64("viewer:$password", ''));
my $before = $resolver->calls;
for my $url ('http://127.0.0.1/', 'http://127.1:8080/good/', 'http://0x7f000001/', 'http://169.254.169.254/latest', 'http://[::1]/', 'http://[::ffff:10.0.0.1]/',
	'http://localhost/', 'http://metadata.google.internal/', 'http://router/', 'http://127.0.0.1./')
{
	my $reply = $app->post('/api/video-info', qq({"url":"$url"}), %json);
	is $reply->status, 403, "no program is sent to $url";
	like $reply->json->{error}{message}, qr/is a private address, or a name of this network/, 'in words';
}
is $app->post('/api/video-info', qq({"url":"$_"}), %json)->status, 400, "nor to $_"
	for 'http://a@127.0.0.1/', 'http://pages.example\\\\\\\\@127.0.0.1/', 'http://%31%32%37.0.0.1/';
is $resolver->calls, $before, 'none was run';

# --- what only the administrator may do: purge -----------------------------------------------------------
my $gateway = Gateway->new;
my $edge = $gateway->edge_port;
$app = App->new(via => 'fastcgi', gateway => $gateway, sources => [ { name => 'plain', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"],
	url => "http://127.0.0.1:$edge/virtual/{id}/x" } ], conf => { admin_token => $token, access => 'password', htpasswd => "$users/htpasswd" });
my @kept = map { $app->www . "/api/hls/$_/" . '0123456789abcdef' x 2 . '/720p/1.m4s' } 'demo.vod-101', 'demo.vod-102';
for my $path (@kept) {
	File::Path::make_path($path =~ s{/[^/]+$}{}r);
	open my $part, '>', $path or die "$path: $!\n";
	print $part 'x' x 1000;
	close $part;
}
is $app->get('/cdn/stream/1M')->header('X-Cache'), 'MISS', 'a stream is fetched';
is $app->get('/cdn/stream/1M?quality=high')->status, 200, 'by two names';
is $app->get('/cdn/stream/1M')->header('X-Cache'), 'HIT', 'and kept';
sub purge { my ($id, @as) = @_; return $app->post('/api/cache/purge', qq({"id":"$id"}), @as) }
my @admin = ('X-Sluice-Token' => $token);
is purge('1M')->status, 403, 'not everybody may drop it';
is $app->fcgi('api', 'POST', '/api/cache/purge', [], '{"id":"1M"}')->header('Access-Control-Allow-Origin'), undef, 'and no page of another host hears of it';
is_deeply [ map { $_->status } purge('1M', 'X-Sluice-Token' => 'x'), purge('nobody.x', @admin), purge('../x', @admin) ], [ 403, 404, 400 ], 'nor by another token, nor what is none';
is_deeply purge('1M', @admin)->json, { id => '1M', files => 0, bytes => 0, streams => 1 }, 'the administrator may';
is $app->get('/cdn/stream/1M')->header('X-Cache'), 'MISS', 'and it is fetched anew';
is $app->get('/cdn/stream/2M?quality=auto', Downlink => '1.3')->header('X-Cache'), 'MISS', 'one that was chosen by hints of a network';
is $app->get('/cdn/stream/2M?quality=auto', Downlink => '1.2')->header('X-Cache'), 'HIT', 'which is the same for another like it';
is purge('2M', @admin)->json->{streams}, 1, 'goes, too';
is $app->get('/cdn/stream/2M?quality=auto', Downlink => '1.3')->header('X-Cache'), 'MISS', 'really';
is_deeply purge('demo.vod-101', @admin)->json, { id => 'demo.vod-101', files => 1, bytes => 1000, streams => 0 }, 'a film too';
is_deeply [ map { -e $_ ? 1 : 0 } @kept ], [ 0, 1 ], 'and no other';
my $logo = '/cdn/art/demo.live-1?size=64';
is join(' ', map { $app->get($logo)->header('X-Cache') } 1 .. 2), 'MISS HIT', 'a logo is fetched, and kept';
is purge('demo.live-1', @admin)->json->{files}, 1, 'it goes as what was made of it';
is $app->get($logo)->header('X-Cache'), 'MISS', 'and is fetched anew';
my $warm = sub { my ($count) = @_; return sub { $app->get('/health')->json->{cache}{prefetchCacheSize} == $count } };
is $app->get('/prefetch?v=3M')->status, 202, 'what was made ready';
ok $app->wait_for($warm->(1), 20), 'is counted';
is purge('3M', @admin)->json->{streams}, 1, 'and when it is dropped';
$app->move_clock(6);
ok $app->wait_for($warm->(0), 20), 'it is not';
done_testing;
