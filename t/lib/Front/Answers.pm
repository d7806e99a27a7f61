# t/lib/Front/Answers.pm - what the program says through a front server, and what that says itself.
# SPDX-License-Identifier: BSD-2-Clause
package Front::Answers;
use strict;
use warnings;
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Test::More;
use App;

my $BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

sub run {
	my ($front) = @_;
	subtest 'answers of the program' => \&answers, $front;
	subtest 'refusals' => \&refusals, $front;
	subtest 'many same requests' => \&storm, $front;
	subtest 'requests that make no sense' => \&mutated, $front;
	return;
}

sub answers {
	my ($front) = @_;
	my $app = $front->app;
	my $list = $app->get('/api/live');
	is $list->status, 200, 'JSON is answered';
	is scalar @{ $list->json->{channels} }, 3, 'as JSON';
	is $list->header('Content-Length'), length $list->body, 'with its length';
	is $list->header('Cache-Control'), 'public, max-age=1', 'and how long it stays right';
	is $list->header('Access-Control-Allow-Origin'), '*', 'for pages of other hosts, said once';
	my $head = $app->head('/api/live');
	is $head->status . $head->body, '200', 'HEAD has no body';
	is $app->get('/api/live?q=two')->json->{channels}[0]{id}, 'live-2', 'a query arrives';
	is $app->get('/api/live?q=Channel%20One')->json->{channels}[0]{id}, 'live-1', 'escaped as well';
	my $page = $app->get('/', Accept => $BROWSER);
	like $page->body, qr/^<!doctype html>/, 'a page is a page';
	is $page->header('Cache-Control'), 'no-cache', 'that is asked for anew';
	like $app->get('/watch/live-1')->body, qr/Channel One/, 'with names in it';
	like $app->get('/watch/vod-101')->body, qr/Film One/, 'films as well';
	for my $case ([ '/sw.js', 'text/javascript', qr/importScripts/ ], [ '/manifest.webmanifest', 'application/manifest+json', qr/"icons"/ ],
		[ '/offline', 'text/html', qr/You are offline/ ]) {
		my ($target, $type, $like) = @$case;
		my $reply = $app->get($target);
		is $reply->status, 200, "$target is answered";
		like $reply->header('Content-Type'), qr/^\Q$type\E(?:;|$)/, "as $type";
		is $reply->header('Cache-Control'), 'no-cache', 'asked for anew';
		like $reply->body, $like, 'and what it should be';
	}
	my $preflight = $app->request(OPTIONS => '/api/live', Origin => 'https://x.example', 'Access-Control-Request-Method' => 'GET');
	is $preflight->status, 204, 'a preflight is answered';
	is $preflight->header('Access-Control-Allow-Origin'), '*', 'once';
	my $post = $app->post('/api/live', '{}', 'Content-Type' => 'application/json');
	is $post->status, 405, 'what an address does not take is 405';
	is $post->header('Allow'), 'GET, HEAD, OPTIONS', 'and says what it takes';
	return;
}

# By the program or by the server, as it comes; the reader shall not notice.
sub refusals {
	my ($front) = @_;
	my $app = $front->app;
	my $run = '0' x 32;
	for my $case ([ '/none', 404, 'not_found' ], [ "/tv/live-1/$run/720p/9.ts", 404, 'not_found' ], [ "/api/hls/1/$run/720p/1.m4s", 404, 'not_found' ],
		[ '/api/live/999', 404, 'not_found' ], [ '/api/live?limit=x', 400, 'bad_input' ], [ '/api%2flive', 400, 'bad_input' ],
		[ '/api/live/%0d%0aX-Evil:%20yes', 400, 'bad_input' ], [ '/api/live/%zz', 400, 'bad_input' ], [ '/api/../../etc/passwd', 400, 'bad_input' ],
		[ '/api/live/%ff', 400, 'bad_input' ], [ '/tv', 404, 'not_found' ], [ '/tv/', 404, 'not_found' ], [ '/web', 404, 'not_found' ]) {
		my ($target, $status, $code) = @$case;
		my $reply = $app->get($target);
		is $reply->status, $status, "$target is $status";
		is $reply->code, $code, 'as JSON to a program' or diag $reply->body;
		unlike $reply->header('Cache-Control') // '', qr/max-age=[1-9]/, 'nobody keeps that';
		is $reply->header('X-Evil'), undef, 'and no header was made of it';
		my $page = $app->get($target, Accept => $BROWSER);
		is $page->status, $status, 'to a browser it is the same';
		next unless $target =~ m{^/(?:none|tv/.)};    # where people go; the rest is for programs
		like $page->header('Content-Type'), qr{^text/html}, 'as a page';
		like $page->body, qr/^<!doctype html>/i, 'that is one';
	}
	my $nul = $app->get('/api/live/1%00');
	$front->holds('NUL', $nul->status == 400, 'a NUL byte is 400');
	ok defined $nul->code, 'in JSON';
	my $address = $app->get('/' . 'a' x 9000);
	$front->holds('long address', $address->status == 414, 'too long an address is 414');
	ok defined $address->code, 'in JSON';
	my $header = $app->get('/api/live', 'X-Absurd' => 'y' x 20_000);
	$front->holds('long header', $header->status == 431, 'too long a header is 431');
	ok defined $header->code, 'in JSON';
	is $app->get('/api/live?' . 'a' x 3000 . '=b')->status, 200, 'a long query is none';
	is $app->get('/api/live', 'X-Long' => 'y' x 6000)->status, 200, 'nor a long header';
	is $app->post('/api/live', 'x' x 200_000)->status, 413, 'a large body is too large';
	return;
}

# While the program is away.
sub away {
	my ($front) = @_;
	my $app = $front->app;
	for my $target ('/watch/live-1', '/cdn/stream/trk-1') {
		my $reply = $app->get($target);
		like $reply->status, qr/^50[23]$/, "$target: the server says that the program is away";
		like $reply->code // '', qr/^(?:busy|bad_gateway)$/, 'in JSON';
		is $reply->json->{error}{retryAfter}, 2, 'and when to ask again';
		$front->holds('own Retry-After', ($reply->header('Retry-After') // '') eq '2', 'as a header too');
		next if $target =~ /cdn/;    # where lighttpd can, because files may be there
		$front->holds('own CORS', ($reply->header('Access-Control-Allow-Origin') // '') eq '*', 'for pages of other hosts');
		like $app->get($target, Accept => $BROWSER)->body, qr/^<!doctype html>/, 'to a browser a page';
	}
	return;
}

sub storm {
	my ($front) = @_;
	my $app = $front->app;
	my $same = sub { my (@headers) = @_; return App::parallel(50, sub { $app->get('/api/live?limit=2', @headers)->status }) };
	my $before = $front->reached('live_list');
	# All are there before the first can be answered, where there are workers to be held.
	my @held = $app->is_alone ? () : $app->pids('api');
	kill STOP => @held;
	my $release = fork // die "fork: $!\n";
	if (!$release) { sleep 1; kill CONT => @held; POSIX::_exit(0) }
	is join(' ', $same->()), join(' ', (200) x 50), 'fifty ask the same at once';
	waitpid $release, 0;
	my $cold = $front->reached('live_list') - $before;
	note "of 50 at once, $cold reached the program";
	$front->holds('cold storm', $cold <= 3, 'few of them reach the program');
	# One is kept now, or within this second.
	my $fewest = 50;
	for (1 .. 3) {
		$app->get('/api/live?limit=2');
		$before = $front->reached('live_list');
		$app->get('/api/live?limit=2') for 1 .. 20;
		my $reached = $front->reached('live_list') - $before;
		$fewest = $reached if $reached < $fewest;
	}
	note "of 20 soon after another, $fewest reached the program";
	$front->holds('micro-cache', $fewest <= 2, 'what is the same for everyone is kept for a second');
	for my $case ([ 'a token', '/api/live?limit=2', 'X-Sluice-Token' => 'x' ], [ 'a bearer', '/api/live?limit=2', Authorization => 'Bearer x' ],
		[ 'a token in the query', '/api/live?limit=2&token=x' ], [ 'a signature', '/api/live?limit=2&e=1&k=1&st=x' ]) {
		my ($what, $target, @headers) = @$case;
		$app->get('/api/live?limit=2');
		$before = $front->reached('live_list');
		my @said = map { $app->get($target, @headers)->status } 1 .. 5;
		$app->wait_for(sub { $front->reached('live_list') - $before >= 5 }, 2);
		# One before may be logged only now.
		cmp_ok $front->reached('live_list') - $before, '>=', 5, "$what: each request reaches the program" or diag "@said";
	}
	return;
}

sub mutated {
	my ($front) = @_;
	my $app = $front->app;
	my @seeds = ('/api/live/1', '/api/live?limit=2&cursor=x', '/api/hls/1/master.m3u8?quality=360p', '/watch/live-1', '/tv/live-1/aa/720p/1.ts',
		'/web/0123456789abcdef/base.css', '/api/hls/1/' . 'a' x 32 . '/720p/1.m4s', '/cdn/stream/trk-1', '/g/aa/1.ts', '/health', '/-api/x', '/-file/x');
	my @parts = ('%', '/', '?', '.', '..', '&', '=', '%00', '%2f', '%2e%2e/', '%0d%0a', '%ff', '\\', ';', '//', '#', '%3f', '%25', ' ', '~', 'http://');
	srand 4711;
	my (%seen, @bad);
	for (1 .. 400) {
		my $target = $seeds[ rand @seeds ];
		substr $target, 1 + rand(length($target) - 1), rand 3, $parts[ rand @parts ] for 1 .. 1 + rand 4;
		my $reply = $app->get($target, rand() < 0.3 ? (Accept => $BROWSER) : (), rand() < 0.2 ? (Range => 'bytes=-,') : ());
		$seen{ $reply->status }++;
		# A channel that is started has nothing to show yet: 503 is right.
		push @bad, "$target: " . $reply->status . ' ' . substr $reply->body, 0, 80
			if $reply->status == 0 || $reply->status >= 500 && $reply->status != 503;
	}
	is join("\n", @bad), '', 'none is answered by 500, or not at all';
	note join ' ', map { "$_: $seen{$_}" } sort keys %seen;
	is $app->get('/health/live')->status, 200, 'and the service is there';
	return;
}

# A service of its own that asks for a password.
sub access {
	my ($way) = @_;
	my $dir = File::Temp->newdir;
	chmod 0755, "$dir";
	my $file = "$dir/htpasswd";
	open my $empty, '>', $file or die "$file: $!\n";
	close $empty;
	my $app = App->new(via => $way, memcached => '', conf => { access => 'password', htpasswd => $file });
	my (undef, $token) = $app->command(user => 'add', 'viewer');
	chomp $token;
	chmod 0644, $file;
	my @sign = (Authorization => 'Basic ' . encode_base64("viewer:$token", ''));
	my ($asset) = $app->get('/', @sign)->body =~ m{"(/web/[0-9a-f]{16}/base\.css)};
	for my $target ('/', '/api/live', '/health', $asset, '/tv/live-1/x.ts') {
		my $refused = $app->get($target);
		is $refused->status, 401, "$target asks for a password";
		like $refused->header('WWW-Authenticate') // '', qr/^Basic /, 'as browsers know it';
		is $refused->code, 'unauthorized', 'in JSON to a program';
		like $app->get($target, Accept => $BROWSER)->body, qr/^<!doctype html>/, 'as a page to a browser';
		is $app->get($target, Authorization => 'Basic ' . encode_base64("viewer:x$token", ''))->status, 401, 'a wrong one is refused';
		is $app->get($target, @sign)->status, $target =~ /^.tv/ ? 404 : 200, 'the right one is let in';
	}
	isnt $app->get('/-api/health/live', @sign)->status, 200, 'what is exempt has one address';
	is $app->get($_)->status, 200, "$_ is for orchestrators, who have none" for '/health/live', '/health/ready';
	is $app->request(OPTIONS => $_)->status, 204, "nor has a preflight of $_" for '/api/live', $asset;
	return;
}

1;
