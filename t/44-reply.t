#!/usr/bin/perl
# t/44-reply.t - answers as HTTP wants them: parts, conditions, who sends a file, errors for people.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use App;

my $app = App->new(via => 'fastcgi', conf => { site_name => 'Tom & "Co" <tv>', cors_origin => 'https://page.example' });
my $socket = $app->run_dir . '/api.sock';

sub ask {
	my ($method, $target, $headers, %more) = @_;
	return App::Client::fcgi($socket, $method, $target, $headers // [], undef, %more);
}

sub date { return POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $_[0]) }

# One part of the pages stands for all published files.
my ($dir) = glob $app->www . '/web/*';
my ($version) = $dir =~ m{/([0-9a-f]{16})$};
ok $version, 'the parts of the pages are published below a version';
my $target = "/web/$version/player.js";
my $bytes = do { open my $in, '<:raw', "$dir/player.js" or die; local $/; <$in> };
my $size = length $bytes;
my $mtime = (stat "$dir/player.js")[9];
cmp_ok $size, '>', 1000, 'one of them has some bytes';

subtest 'the bytes themselves' => sub {
	my $reply = ask(GET => $target);
	is $reply->status, 200, 'a file is sent';
	ok $reply->body eq $bytes, 'whole';
	my %want = (
		'Content-Type' => 'text/javascript; charset=utf-8', 'Content-Length' => $size, 'Accept-Ranges' => 'bytes',
		'Last-Modified' => date($mtime), 'Cache-Control' => 'public, max-age=31536000, immutable', 'X-Cache' => 'MISS',
		'Access-Control-Allow-Origin' => 'https://page.example', 'Vary' => 'Accept-Encoding, Origin',
	);
	is $reply->header($_), $want{$_}, "$_ is $want{$_}" for sort keys %want;
	like $reply->header('X-Request-Id'), qr/^[0-9a-f]{16}$/, 'and it has a name';
	is $reply->header('ETag'), undef, 'there is one validator';
	my $head = ask(HEAD => $target);
	is_deeply [ $head->status, $head->body ], [ 200, '' ], 'HEAD has no body';
	is $head->header($_), $reply->header($_), "but the same $_" for qw(Content-Length Content-Type Last-Modified Vary);
};

my $last = $size - 1;
my @parts = (
	# Range, status, first, last
	[ 'bytes=0-0', 206, 0, 0 ], [ 'bytes=10-19', 206, 10, 19 ], [ "bytes=$last-", 206, $last, $last ],
	[ 'bytes=-10', 206, $size - 10, $last ], [ 'bytes=100-', 206, 100, $last ], [ 'bytes=5-999999999', 206, 5, $last ],
	[ 'bytes=-999999999', 206, 0, $last ], [ 'bytes=3-99999999999999999999999', 206, 3, $last ],
	[ "bytes=$size-", 416 ], [ 'bytes=-0', 416 ], [ 'bytes=99999999999999999999999-', 416 ],
	[ 'bytes=0-1,4-5', 200 ], [ 'bytes=5-2', 200 ], [ 'bytes=abc', 200 ], [ 'lines=1-2', 200 ], [ 'bytes=', 200 ],
);
subtest 'parts' => sub {
	for my $case (@parts) {
		my ($range, $status, $from, $to) = @$case;
		my $reply = ask(GET => $target, [ Range => $range ]);
		is $reply->status, $status, "$range is $status";
		if ($status == 206) {
			is $reply->header('Content-Range'), "bytes $from-$to/$size", 'and says which';
			ok $reply->body eq substr($bytes, $from, $to - $from + 1), 'and is that part';
			is $reply->header('Content-Length'), $to - $from + 1, 'of that length';
		} elsif ($status == 416) {
			is $reply->header('Content-Range'), "bytes */$size", 'and says how long it is';
			is $reply->code, 'range', 'in words';
			is $reply->header('Cache-Control'), 'no-store', 'which nobody keeps';
		} else {
			ok $reply->body eq $bytes, 'all of it';
			is $reply->header('Content-Range'), undef, 'and is no part';
		}
	}
	my $reply = ask(HEAD => $target, [ Range => 'bytes=0-9' ]);
	is_deeply [ $reply->status, $reply->header('Content-Length') ], [ 200, $size ], 'HEAD has no parts';
};

my ($same, $older, $newer) = (date($mtime), date($mtime - 1), date($mtime + 1));
my $same_850 = POSIX::strftime('%A, %d-%b-%y %H:%M:%S GMT', gmtime $mtime);
my $same_asctime = POSIX::strftime('%a %b %e %H:%M:%S %Y', gmtime $mtime);
my @conditions = (
	# request headers, status
	[ [ 'If-Modified-Since' => $same ], 304 ], [ [ 'If-Modified-Since' => $newer ], 304 ],
	[ [ 'If-Modified-Since' => $older ], 200 ], [ [ 'If-Modified-Since' => 'yesterday' ], 200 ],
	[ [ 'If-Modified-Since' => $same_850 ], 304 ], [ [ 'If-Modified-Since' => $same_asctime ], 304 ],
	[ [ 'If-None-Match' => '*' ], 304 ], [ [ 'If-None-Match' => '"x"' ], 200 ],
	[ [ 'If-None-Match' => '"x"', 'If-Modified-Since' => $same ], 200 ],
	[ [ 'If-Unmodified-Since' => $same ], 200 ], [ [ 'If-Unmodified-Since' => $older ], 412 ],
	[ [ 'If-Unmodified-Since' => 'x' ], 200 ],
	[ [ 'If-Match' => '*' ], 200 ], [ [ 'If-Match' => '"x"' ], 412 ],
	[ [ 'If-Match' => '*', 'If-Unmodified-Since' => $older ], 200 ],
	[ [ 'Range' => 'bytes=0-9', 'If-Range' => $same ], 206 ], [ [ 'Range' => 'bytes=0-9', 'If-Range' => $older ], 200 ],
	[ [ 'Range' => 'bytes=0-9', 'If-Range' => $newer ], 200 ], [ [ 'Range' => 'bytes=0-9', 'If-Range' => '"x"' ], 200 ],
	[ [ 'Range' => 'bytes=0-9', 'If-Range' => 'W/"x"' ], 200 ], [ [ 'Range' => "bytes=$size-", 'If-Range' => $older ], 200 ],
	[ [ 'Range' => 'bytes=0-9', 'If-Modified-Since' => $same ], 304 ],
	[ [ 'Range' => 'bytes=0-9', 'If-Unmodified-Since' => $older ], 412 ],
);
subtest 'conditions' => sub {
	for my $case (@conditions) {
		my ($headers, $status) = @$case;
		my $reply = ask(GET => $target, $headers);
		my $name = join ', ', map { "$headers->[2 * $_]: $headers->[2 * $_ + 1]" } 0 .. $#$headers / 2;
		is $reply->status, $status, "$name is $status";
		next if $status == 200 || $status == 206;
		my $head = ask(HEAD => $target, $headers);
		is $head->status, $status, 'for HEAD too' unless grep { $_ eq 'Range' } @$headers;
		if ($status == 412) {
			is $reply->code, 'precondition_failed', 'in words';
		} else {
			is_deeply [ $reply->body, $reply->header('Content-Type') ], [ '', undef ], 'without a body';
			is $reply->header($_), ask(GET => $target)->header($_), "with the same $_"
				for qw(Last-Modified Cache-Control Vary Access-Control-Allow-Origin);
		}
	}
};

subtest 'a front server that sends files' => sub {
	my %path = ('X-Sendfile' => $app->www . $target, 'X-Accel-Redirect' => "/-file$target", 'x-sendfile' => $app->www . $target);
	for my $dialect (sort keys %path) {
		my ($header) = grep { lc eq lc $dialect } 'X-Sendfile', 'X-Accel-Redirect';
		my @say = (SLUICE_SEND_FILE => $dialect);
		for my $method (qw(GET HEAD)) {
			my $reply = ask($method => $target, [], @say);
			is_deeply [ $reply->status, $reply->header($header), $reply->body ], [ 200, $path{$dialect}, '' ],
				"$dialect, $method: it is told which";
			is $reply->header('Content-Length'), undef, 'and how long it is, it knows';
			is $reply->header($_), ask(GET => $target)->header($_), "the same $_ goes along"
				for qw(Content-Type Last-Modified Cache-Control Vary X-Cache Access-Control-Allow-Origin);
			is $reply->header('Accept-Ranges'), $header eq 'X-Sendfile' ? 'bytes' : undef, 'parts are offered, once: nginx does it by itself';
		}
		for my $case (@parts) {
			my ($range, $status) = @$case;
			my $reply = ask(GET => $target, [ Range => $range ], @say);
			my $plain = $status == 206 && $range !~ /\d{16}/;
			is $reply->status, $plain ? 200 : $status, "$dialect: $range";
			is defined $reply->header($header), $plain, 'the part is its business, where servers agree what it is';
		}
		for my $case (@conditions) {
			my ($headers, $status) = @$case;
			my $reply = ask(GET => $target, $headers, @say);
			my $plain = $status < 300 && !grep { /^If-(?:Match|None-Match|Unmodified-Since|Range)$/ } @$headers;
			is $reply->status, $plain && $status == 206 ? 200 : $status, "$dialect: @$headers";
			is defined $reply->header($header), $plain, 'the file goes only with 200, and where servers agree on the condition';
		}
	}
	is ask(GET => $target, [ 'Sluice-Send-File' => 'X-Sendfile' ])->body, $bytes, 'a client cannot say it';
	is ask(GET => $target, [], SLUICE_SEND_FILE => 'X-Unknown')->body, $bytes, 'a word that nobody knows says nothing';
	is ask(GET => '/api/live', [], SLUICE_SEND_FILE => 'X-Sendfile')->header('X-Sendfile'), undef, 'what is no file is sent from here';
};

subtest 'parts of the pages' => sub {
	for my $case (
		[ undef, undef ], [ 'gzip', 'gzip' ], [ 'gzip, deflate, br', 'br' ], [ 'br;q=0.1, gzip', 'gzip' ],
		[ 'identity', undef ], [ 'br;q=0, gzip;q=0', undef ],
	) {
		my ($accept, $coding) = @$case;
		$coding = 'gzip' if ($coding // '') eq 'br' && !-e "$dir/player.js.br";
		my $reply = ask(GET => $target, [ defined $accept ? ('Accept-Encoding' => $accept) : () ]);
		is $reply->header('Content-Encoding'), $coding, 'for ' . ($accept // 'nothing') . ': ' . ($coding // 'the bytes as they are');
		is $reply->header('Content-Type'), 'text/javascript; charset=utf-8', 'of the same type';
		like $reply->header('Vary'), qr/\bAccept-Encoding\b/, 'and it depends on that';
		my $ending = !$coding ? '' : $coding eq 'br' ? '.br' : '.gz';
		open my $in, '<:raw', "$dir/player.js$ending" or die "$dir/player.js$ending: $!";
		ok $reply->body eq do { local $/; <$in> }, 'the published bytes';
	}
	is ask(GET => $target, [ 'Accept-Encoding' => 'gzip', Range => 'bytes=0-9' ])->body, substr($bytes, 0, 10), 'parts are of the bytes as they are';
	is ask(GET => $target, [ 'Accept-Encoding' => 'br, gzip' ], SLUICE_SEND_FILE => 'X-Sendfile')->header('Content-Encoding'), undef,
		'where the front server would not say the coding, the bytes as they are';
	ok defined ask(GET => $target, [ 'Accept-Encoding' => 'br, gzip' ], SLUICE_SEND_FILE => 'X-Accel-Redirect')->header('Content-Encoding'),
		'where it does, the smaller ones';
	is ask(GET => $target, [ 'Accept-Encoding' => 'br' ], SLUICE_SEND_FILE => 'X-Sendfile', SLUICE_CODING => 'gzip')->header('X-Sendfile'),
		$app->www . "$target.gz", 'or the form that it has chosen itself';
	unlink glob "$dir/*";
	rmdir $dir;
	my $reply = ask(GET => $target);
	ok $reply->status == 200 && $reply->body eq $bytes, 'one that was evicted is sent all the same';
	ok -f "$dir/player.js$_", "and published again ($_)" for '', '.gz';
	for my $case ([ "/web/$version/none.js", 'an unknown file' ], [ '/web/0123456789abcdef/player.js', 'an unknown version' ],
		[ "/web/$version/../index.html", 'a way out' ], [ "/web/$version/index.html", 'a template' ]) {
		my $reply = ask(GET => $case->[0], [ Accept => 'text/html' ]);
		like $reply->status, qr/^40[04]$/, "$case->[1] is none";
		ok $reply->code, 'said as programs like it';
	}
};

my $browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
subtest 'errors' => sub {
	my @cases = (
		# target, status, whether people open it
		[ '/nothing', 404, 1 ], [ '/nothing/here?at=all', 404, 1 ], [ '/watch/!', 400, 1 ], [ '/watch/%zz', 400, 1 ],
		[ '/watch', 404, 1 ], [ '/apiary', 404, 1 ],
		[ '/api/none', 404, 0 ], [ '/api/live/99', 404, 0 ], [ '/api', 404, 0 ], [ '/health/none', 404, 0 ],
		[ '/cdn/stream/x', 404, 0 ], [ '/tv/x/1.ts', 404, 0 ], [ '/g/x', 404, 0 ], [ '/api/%zz', 400, 0 ], [ '/metrics/x', 404, 0 ],
	);
	for my $case (@cases) {
		my ($target, $status, $is_page) = @$case;
		my $page = ask(GET => $target, [ Accept => $browser ]);
		my $json = ask(GET => $target, [ Accept => '*/*' ]);
		is $page->status, $status, "$target is $status for a browser";
		is $json->status, $status, 'and for a program';
		ok $json->code && $json->json->{error}{message}, 'which is told in JSON';
		is $page->header('Content-Type'), $is_page ? 'text/html; charset=utf-8' : 'application/json', 'a browser as it fits';
		is scalar(grep { ($_->header('Vary') // '') =~ /\bAccept\b/ } $page, $json), $is_page ? 2 : 0,
			$is_page ? 'both say that it depends on Accept' : 'neither says so where it does not';
		next unless $is_page;
		my $message = $json->json->{error}{message};
		$message =~ s/([&<>"'])/{ '&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#39;' }->{$1}/ge;
		like $page->body, qr/\Q$message\E/, 'the page says the same sentence';
		like $page->body, qr/Tom &amp; &quot;Co&quot; &lt;tv&gt;/, 'and whose it is';
		unlike $page->body, qr/<tv>|<script|src=/, 'is only text, by itself';
		my $id = $page->header('X-Request-Id');
		like $page->body, qr/\Q$id\E/, 'and names the request';
		is $page->header('Cache-Control'), 'no-store', 'nobody keeps it';
	}
	my $reply = ask(POST => '/', [ Accept => $browser ]);
	is_deeply [ $reply->status, $reply->header('Allow') ], [ 405, 'GET, HEAD, OPTIONS' ], 'a wrong method is told the right ones';
	like $reply->header('Content-Type'), qr/html/, 'on a page';
	is ask(HEAD => '/nothing', [ Accept => $browser ])->body, '', 'HEAD has no body';
	is ask(GET => '/nothing')->code, 'not_found', 'who says nothing gets JSON';
	is ask(GET => '/nothing', [ Accept => 'application/json, text/html' ])->code, 'not_found', 'and who likes both';
};

# Whatever the front server makes of it, what arrives is the file.
for my $via (grep { App::Front::is_here($_) } qw(lighttpd nginx apache fcgid)) {
	subtest "an evicted file by $via" => sub {
		my $app = App->new(via => $via);
		my ($dir) = glob $app->www . '/web/*';
		my $target = "/web/$version/player.js";
		for my $case (
			[ 'as it is', 200 ], [ 'coded', 200, 'Accept-Encoding' => 'gzip, deflate, br' ],
			[ 'by a part', 206, Range => 'bytes=10-19' ], [ 'of which nothing is there', 416, Range => 'bytes=99999999-' ],
		) {
			my ($how, $status, @headers) = @$case;
			my $reply;
			for (1 .. 5) {
				# A worker that has just begun publishes too; lighttpd may send what it looked up within the second.
				unlink glob "$dir/player.js*";
				select undef, undef, undef, 1.01 if $via eq 'lighttpd';
				$reply = $app->get($target, @headers);
				last if $reply->header('X-Cache');
			}
			is $reply->status, $status, "$how: $status";
			next if $status == 416;
			my %decode = (gzip => 'gzip -dc', br => 'brotli -dc');
			my $got = decoded($reply->body, $decode{ $reply->header('Content-Encoding') // '' });
			ok $got eq ($status == 206 ? substr $bytes, 10, 10 : $bytes), 'its bytes';
			is $reply->header('Content-Type'), 'text/javascript; charset=utf-8', 'of its type';
			like $reply->header('Vary') // '', qr/Accept-Encoding/, 'said to depend on the coding';
			is $reply->header('X-Cache'), 'MISS', 'and made anew';
			ok -f "$dir/player.js.gz", 'with all its forms';
		}
	};
}

sub decoded {
	my ($body, $command) = @_;
	return $body if !$command;
	my $path = $app->dir . '/coded';
	open my $out, '>:raw', $path or die "$path: $!";
	print $out $body;
	close $out;
	return scalar `$command <$path`;
}

subtest 'where nothing can be published' => sub {
	my $full = App->new(via => 'fastcgi', start => 0);
	mkdir $full->www;
	open my $in_the_way, '>', $full->www . '/web' or die;
	close $in_the_way;
	$full->start;
	my $path = $full->run_dir . '/api.sock';
	my $page = App::Client::fcgi($path, 'GET', '/', []);
	my ($target) = $page->body =~ m{"(/web/[0-9a-f]{16}/channels\.js)"};
	ok $target, 'pages name their parts';
	ok !-e $full->www . $target, 'which are not there';
	for my $say ('', 'X-Sendfile', 'X-Accel-Redirect') {
		my $reply = App::Client::fcgi($path, 'GET', $target, [], undef, SLUICE_SEND_FILE => $say);
		is $reply->status, 200, "but are sent ($say)";
		like $reply->body, qr/import/, 'from here';
	}
};

unlike $app->log, qr/ error | died /, 'no process had trouble';
done_testing;
