# t/lib/Front/Files.pm - what a front server does with files, whoever names them.
# SPDX-License-Identifier: BSD-2-Clause
package Front::Files;
use strict;
use warnings;
use File::Temp ();
use POSIX ();
use Test::More;

my $RUN  = 'a1' x 16;
my $BODY = join '', map { chr(($_ * 7 + ($_ >> 8)) % 256) } 0 .. 199_999;
my $FOREVER = qr/max-age=31536000/;
# Everything that is published: address, type, how long others keep it.
my @PUBLISHED = (
	[ "/tv/live-1/$RUN/720p/1.ts", 'video/mp2t', qr/max-age=60$/ ],
	[ "/api/hls/vod-1/$RUN/720p/1.m4s", 'video/iso.segment', $FOREVER ],
	[ "/api/hls/vod-1/$RUN/720p.m3u8", 'application/vnd.apple.mpegurl', $FOREVER ],
	[ "/api/hls/vod-1/$RUN/s0/1.vtt", 'text/vtt', $FOREVER ],
	[ "/cdn/o/$RUN.mp4", 'video/mp4', $FOREVER ],
	[ "/cdn/art/trk-1/300.jpg", 'image/jpeg', qr/max-age=86400/ ],
	[ "/g/$RUN/1.m4s", 'video/iso.segment', qr/^(?!.*public)/ ],
);
my $FILE = $PUBLISHED[0][0];

sub run {
	my ($front) = @_;
	$front->publish($_->[0], $BODY) for @PUBLISHED;
	subtest "published files" => \&published, $front;
	subtest "parts of a file" => \&ranges, $front;
	subtest "conditions" => \&conditions, $front;
	subtest "the pages' parts" => \&assets, $front;
	subtest "files that the program names" => \&named, $front;
	return;
}

# Whether a file that was sent is missing as soon as it is removed. It is in the end, and there again at once.
sub _is_gone_at_once {
	my ($front) = @_;
	my $app = $front->app;
	$app->get($FILE);
	unlink $app->www . $FILE;
	my $at_once = $app->get($FILE)->status == 404;
	ok $app->wait_for(sub { $app->get($FILE)->status == 404 }, 4), 'a file that was removed is gone soon';
	$front->publish($FILE, $BODY);
	is $app->get($FILE)->status, 200, 'one that has come is there at once';
	return $at_once;
}

sub published {
	my ($front) = @_;
	my $app = $front->app;
	for my $case (@PUBLISHED) {
		my ($target, $type, $keep) = @$case;
		my $reply = $app->get($target);
		is $reply->status, 200, "$target is sent";
		ok $reply->body eq $BODY, 'whole' or diag length $reply->body;
		like $reply->header('Content-Type'), qr/^\Q$type\E(?:;|$)/, "as $type";
		like $reply->header('Cache-Control') // '', $keep, 'kept as long as it stays right';
		is $reply->header('Access-Control-Allow-Origin'), '*', 'open to other hosts';
		is $reply->header('ETag'), undef, 'without an ETag';
		is $reply->header('Last-Modified'), 'Tue, 14 Nov 2023 22:13:20 GMT', 'with the time it was made';
		is $reply->header('X-Request-Id'), undef, 'and nobody of ours was asked';
		is $reply->header('Content-Encoding'), undef, 'uncompressed';
	}
	$front->holds('immutable', index($app->get($PUBLISHED[1][0])->header('Cache-Control') // '', 'immutable') >= 0,
		'what has a version never changes');
	my $head = $app->head($FILE);
	is $head->status . ' ' . $head->body, '200 ', 'HEAD has no body';
	is $head->header('Content-Length'), length $BODY, 'but its length';
	for my $query ('?CMCD=br%3D3200', '?', '?a=b&c=%2F..%2F') {
		is $app->get("$FILE$query")->body, $BODY, "a query such as '$query' changes nothing";
	}
	is $app->get($FILE, 'Accept-Encoding' => 'gzip, br')->header('Content-Encoding'), undef, 'media is never compressed';
	my $preflight = $app->request(OPTIONS => $FILE, Origin => 'https://x.example', 'Access-Control-Request-Method' => 'GET');
	is $preflight->status, 204, 'a preflight for a file is answered';
	like $preflight->header('Access-Control-Allow-Headers') // '', qr/Range.*CMCD-Request/, 'and allows what players send';
	like $app->request(POST => $FILE, _body => 'x')->status, qr/^40[45]$/, 'a file takes no POST';
	my @at_once = map { _is_gone_at_once($front) } 1 .. 3;    # who looks once a second may just have been about to
	$front->holds('removed file', !grep({ !$_ } @at_once), 'a file that was removed is gone at once');
	return;
}

sub ranges {
	my ($front) = @_;
	my $app = $front->app;
	my $size = length $BODY;
	my $last = $size - 1;
	for my $case (
		[ 'bytes=0-9', 206, "bytes 0-9/$size", substr $BODY, 0, 10 ],
		[ 'bytes=100-299', 206, "bytes 100-299/$size", substr $BODY, 100, 200 ],
		[ 'bytes=-10', 206, sprintf('bytes %d-%d/%d', $size - 10, $last, $size), substr $BODY, -10 ],
		[ "bytes=$last-", 206, "bytes $last-$last/$size", substr $BODY, -1 ],
		[ "bytes=0-999999999", 206, "bytes 0-$last/$size", $BODY ],
		[ 'items=0-9', 200, undef, $BODY ],
	) {
		my ($range, $status, $said, $body) = @$case;
		my $reply = $app->get($FILE, Range => $range);
		is $reply->status, $status, "$range is $status";
		is $reply->header('Content-Range'), $said, 'says which part';
		ok $reply->body eq $body, 'and is that part';
		is $reply->header('Access-Control-Allow-Origin'), '*', 'for pages of other hosts too';
	}
	my $beyond = $app->get($FILE, Range => "bytes=$size-");
	is $beyond->status, 416, 'a range beyond the end is 416';
	is $beyond->code, 'range', 'in the words of the contract';
	$front->holds('416 size', ($beyond->header('Content-Range') // '') eq "bytes */$size", '416 says the size');
	$front->holds('own CORS', ($beyond->header('Access-Control-Allow-Origin') // '') eq '*', '416 can be read by other pages');
	for my $garbage ('bytes=abc', 'bytes=9-2') {
		$front->holds('garbage range', $app->get($FILE, Range => $garbage)->status == 200, "'$garbage' is no range");
	}
	my $several = $app->get($FILE, Range => 'bytes=0-9,1000-1009');
	like $several->status, qr/^20[06]$/, 'two ranges are answered';
	ok $several->body eq $BODY || $several->header('Content-Type') =~ m{^multipart/byteranges}, 'as two parts, or whole';
	my $many = $app->get($FILE, Range => 'bytes=' . join ',', map { $_ * 100 . '-' . ($_ * 100 + 1) } 1 .. 200);
	like $many->status, qr/^(?:20[06]|4\d\d)$/, 'two hundred are no error of the server';
	ok length $many->body <= length($BODY) + 3000, 'and no more work than the file';
	return;
}

sub conditions {
	my ($front) = @_;
	my $app = $front->app;
	my ($made, $before, $after) = map { "Tue, 14 Nov 2023 22:$_ GMT" } '13:20', '13:19', '13:21';
	for my $case (
		[ 304, 'If-Modified-Since' => $made ], [ 200, 'If-Modified-Since' => $before ], [ 200, 'If-Modified-Since' => 'yesterday' ],
		[ 206, 'If-Range' => $made, Range => 'bytes=0-9' ], [ 200, 'If-Range' => $before, Range => 'bytes=0-9' ],
		[ 200, 'If-Range' => '"x"', Range => 'bytes=0-9' ], [ 200, 'If-None-Match' => '"x"' ],
	) {
		my ($status, @headers) = @$case;
		my $reply = $app->get($FILE, @headers);
		is $reply->status, $status, "@headers: $status";
		is length $reply->body, { 200 => length $BODY, 206 => 10, 304 => 0 }->{$status}, 'with the body that belongs to it';
		is $reply->header('Access-Control-Allow-Origin'), '*', 'for pages of other hosts too' if $status == 304;
	}
	return;
}

# The version that the pages name now.
sub _version {
	my ($front) = @_;
	my ($version) = $front->app->get('/')->body =~ m{/web/([0-9a-f]{16})/};
	return $version;
}

sub assets {
	my ($front) = @_;
	my $app = $front->app;
	my $base = '/web/' . _version($front);
	for my $case ([ 'base.css', 'text/css' ], [ 'player.js', 'text/javascript' ], [ 'icon.svg', 'image/svg+xml' ]) {
		my ($name, $type) = @$case;
		my $plain = $app->get("$base/$name");
		is $plain->status, 200, "$name is sent";
		is $plain->header('Content-Encoding'), undef, 'as it is to who takes it only so';
		like $plain->header('Vary') // '', qr/Accept-Encoding/, 'which depends on what is taken';
		is $plain->header('X-Content-Type-Options'), 'nosniff', 'and is nothing else';
		like $plain->header('Cache-Control') // '', $FOREVER, 'for a year';
		for my $coding ('gzip', $app->front->has_brotli ? 'br' : ()) {
			my $coded = $app->get("$base/$name", 'Accept-Encoding' => $coding eq 'br' ? 'gzip, deflate, br' : 'gzip, deflate');
			is $coded->header('Content-Encoding'), $coding, "$name as $coding";
			like $coded->header('Content-Type'), qr/^\Q$type\E/, 'by its own type';
			like $coded->header('Vary') // '', qr/Accept-Encoding/, 'which depends on what is taken';
			cmp_ok length $coded->body, '<', length $plain->body, 'is smaller';
			is _decoded($coding, $coded->body), $plain->body, 'and the same';
		}
	}
	my $picture = $app->get("$base/icon-192.png", 'Accept-Encoding' => 'gzip, br');
	is $picture->status, 200, 'a picture is sent';
	is $picture->header('Content-Type'), 'image/png', 'as one';
	is $picture->header('Content-Encoding'), undef, 'uncompressed';
	like $picture->header('Cache-Control') // '', $FOREVER, 'for a year';
	my $missing = $app->get('/web/0123456789abcdef/player.js', 'Accept-Encoding' => 'gzip');
	is $missing->status, 404, 'a part of another version is not there';
	unlike $missing->header('Cache-Control') // '', qr/max-age=[1-9]/, 'and nobody keeps that';
	$front->holds('missing part', !defined $missing->header('Content-Encoding'), 'nor says that it is compressed');
	return;
}

sub _decoded {
	my ($coding, $bytes) = @_;
	my $file = File::Temp->new;
	binmode $file;
	print $file $bytes;
	close $file;
	my $command = $coding eq 'br' ? 'brotli -dc' : 'gzip -dc';
	return `$command <$file`;
}

# A part of the pages that was evicted is made again by the program, and sent by the server.
sub named {
	my ($front) = @_;
	my $app = $front->app;
	my $folder = '/web/' . _version($front);
	my $target;
	my $later = POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime time + 600);
	for my $case (
		# Each by a file that nobody has asked for before: the server may remember those.
		[ 'GET', 'api.js', [], 200, -s App::builddir() . '/web/site/api.js' ], [ 'HEAD', 'store.js', [], 200, 0 ],
		[ 'GET', 'theme.js', [ Range => 'bytes=5-14' ], 206, 10 ], [ 'GET', 'view.js', [ 'If-Modified-Since' => $later ], 304, 0 ],
	) {
		my ($method, $name, $headers, $status, $bytes) = @$case;
		$target = "$folder/$name";
		unlink $app->www . $target;
		my $reply = $app->request($method, $target, @$headers);
		is $reply->status, $status, "$method @$headers of a file that the program names: $status";
		is length $reply->body, $bytes, 'with what belongs to it';
		like $reply->header('X-Request-Id') // '', qr/^[0-9a-f]{16}$/, 'the program was asked';
		is $reply->header('Access-Control-Allow-Origin'), '*', 'its headers come through: CORS';
		like $reply->header('Vary') // '', qr/Accept-Encoding/, 'Vary';
		is $reply->header('X-Cache'), 'MISS', 'X-Cache';
		like $reply->header('Content-Type'), qr{^text/javascript}, 'type' if $status != 304;
		is join(' ', grep { /sendfile|accel/ } sort keys %{ $reply->headers }), '', 'but not where the file is';
		is index(join("\n", values %{ $reply->headers }), $app->dir), -1, 'in any of them';
		is $reply->header('ETag'), undef, 'and no ETag was made up';
	}
	is $app->get($target)->header('X-Request-Id'), undef, 'the next one is not asked of the program';
	for my $hidden ("/-file$target", '/-file/../sluice.conf', '/-error/json/404.html', "/-api$target", "/-relay$target", '/-preflight') {
		is $app->get($hidden)->status, $hidden =~ /\.\./ ? 400 : 404, "$hidden is no address";
	}
	return;
}

1;
