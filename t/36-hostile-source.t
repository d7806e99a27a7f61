#!/usr/bin/perl
# t/36-hostile-source.t - what a source says of its channels, and sends with its bytes, is text and bytes to
# viewers and front servers, and nothing more.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use POSIX ();
use Test::More;
use App;

my $origin = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 50, ReuseAddr => 1) or die "nobody can listen: $!\n";
my $at = '127.0.0.1:' . $origin->sockport;

# --- a list whose names are an attack each ------------------------------------------------------------------
my %name = (
	image      => '<img src=x onerror=alert(1)>',
	script     => '</title></script><script>alert(1)</script>',
	attribute  => q{" onmouseover="alert(1)' x='},
	entity     => '&lt;b&gt;&#0;',
	path       => '../../../etc/passwd',
	format     => '%s%n%%x',
	template   => '@NAME@ {{title}} ${x}',
	line       => "one\rtwo",
	separators => "a\xe2\x80\xa8b\xe2\x80\xa9c",
	direction  => "\xe2\x80\xaegpj.exe",
	terminal   => "red\e[31m",
	eight_bit  => "red\xc2\x9b31m",
	no_text    => "\xff\xfe\xc3",
	endless    => 'x' x 6000,
);
my $list = "#EXTM3U\n" . join '', map {
	qq{#EXTINF:-1 tvg-id="$_" tvg-logo="javascript:alert(1)" group-title="$name{$_}",$name{$_}\nhttp://$at/$_.ts\n}
		. qq{#EXTINF:-1 tvg-logo="http://} . ($_ eq 'path' ? "viewer:hush\@$at/" : qq{$at/"><script>}) . qq{" group-title="$name{$_}",$name{$_}\nhttp://$at/$_.mkv\n}
} sort keys %name;

# --- bytes, with every header that could mean something ------------------------------------------------------
my @said = (
	'Set-Cookie: sid=EVIL; Path=/', 'Alt-Svc: h3="EVIL:443"', 'Strict-Transport-Security: max-age=4711', 'Content-Security-Policy: EVIL',
	'X-Sendfile: /etc/passwd', 'X-LIGHTTPD-send-file: /etc/passwd', 'X-Sendfile2: /etc/passwd 0-10', 'X-Sendfile-Temporary: /etc/passwd',
	'X-Accel-Redirect: /-file/../key', 'X-Accel-Expires: 4711', 'X-Accel-Charset: EVIL', 'X-Accel-Limit-Rate: 1', 'Clear-Site-Data: "*"',
	'Access-Control-Allow-Origin: http://EVIL', 'Access-Control-Allow-Credentials: true', 'Link: <http://EVIL/>; rel=preload',
	'Refresh: 0; url=http://EVIL', 'Location: http://EVIL/', 'Status: 500 EVIL', 'WWW-Authenticate: Basic realm=EVIL', 'Server: EVIL',
	'Vary: EVIL', 'Content-Disposition: inline; filename=EVIL.html', 'Cache-Control: public, max-age=4711', 'Age: 4711',
	'Expires: Thu, 01 Jan 2099 00:00:00 GMT', 'X-Cache: EVIL', 'X-Request-Id: EVIL', 'X-Quality: EVIL', 'Service-Worker-Allowed: /EVIL', 'SourceMap: EVIL',
	'Proxy-Connection: EVIL', 'Upgrade: EVIL', 'Last-Modified: Mon, 01 Jan 2001 00:00:00 GMT', 'ETag: "EVIL"',
);
my %type = (js => 'text/javascript', html => 'text/html', svg => 'image/svg+xml', mpeg => 'audio/mpeg', odd => "audio/mpeg\tEVIL", text => 'text/plain');
my $bytes = '<script>alert(1)</script>' x 100;

sub serve {
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	$SIG{PIPE} = 'IGNORE';
	while (my $client = $origin->accept) {
		sysread $client, my $request, 8192;
		my ($path) = $request =~ m{^\S+ /(\S*)};
		my ($status, $body, @more) = ('200 OK', $path eq 'list' ? $list : $bytes);
		if ($path ne 'list' && $request =~ /^Range: bytes=(\d+)-(\d+)/mi) {
			my $last = $2 < length $bytes ? $2 : length($bytes) - 1;
			($status, $body, @more) = ('206 Partial', substr($bytes, $1, $last - $1 + 1), "Content-Range: bytes $1-$last/" . length $bytes);
		}
		print $client join "\r\n", "HTTP/1.1 $status", @said, @more, 'Content-Type: ' . ($type{$path} // 'audio/x-mpegurl'),
			'Content-Length: ' . length $body, 'Connection: close', '', $body;
		close $client;
	}
	POSIX::_exit(0);
}
my $server = serve();
my @sources = ({ name => 'list', type => 'm3u', url => "http://$at/list", allow => ['127.0.0.1/32'] },
	{ name => 'plain', type => 'http', media => 'audio', url => "http://$at/{id}", allow => ['127.0.0.1/32'] });

# --- headers: what comes is ours, whoever the front server is ------------------------------------------------
my $ours = qr/^(?:accept-ranges|access-control-(?:allow-origin|expose-headers)|cache-control|connection|content-(?:length|type)|date|expires|keep-alive
	|last-modified|server|x-cache|x-content-type-options|x-quality|x-request-id)$/x;
my $app;
for my $via (grep { App::Front::is_here($_) } qw(lighttpd nginx apache)) {
	$app = App->new(via => $via, sources => \@sources, import => 0);
	for my $what (sort keys %type) {
		for my $method (qw(GET HEAD GET)) {
			my $reply = $app->request($method, "/cdn/stream/plain.$what");
			is $reply->status, 200, "$via: $method of what its source calls $type{$what}" or diag $reply->body;
			ok $reply->body eq ($method eq 'GET' ? $bytes : ''), 'the bytes are sent';
			my %has = %{ $reply->headers };
			is join(' ', grep { $_ !~ $ours } sort keys %has), '', 'with headers of ours';
			unlike join("\n", %has), qr/EVIL|=4711|Jan 2099|Jan 2001|passwd/, 'that say what we say';
			my $type = $reply->header('Content-Type');
			is $type, $what eq 'mpeg' ? 'audio/mpeg' : 'application/octet-stream', 'as sound, or as what is nothing to a browser';
			is $reply->header('X-Content-Type-Options'), 'nosniff', 'and shall not be taken for a script' if $type eq 'application/octet-stream';
		}
	}
	my ($published) = map { m{([^/]+)$} } glob $app->run_dir . '/bytes/pub/*.bin';
	my $reply = $app->get("/cdn/o/$published");
	is_deeply [ $reply->status, $reply->header('Content-Type'), $reply->header('X-Content-Type-Options') ], [ 200, 'application/octet-stream', 'nosniff' ],
		"$via: nor when the front server sends it by itself";
	$app->end;
}

# --- names: in JSON, in pages, in the log --------------------------------------------------------------------
$app = App->new(via => 'fastcgi', sources => \@sources);
my $json = $app->get('/api/live?limit=100');
is $json->header('Content-Type'), 'application/json', 'the list is JSON';
my @channels = @{ $json->json->{channels} };
my @films = @{ $app->get('/api/movies?limit=100')->json->{movies} };
is scalar @channels, keys %name, 'all channels are there';
is scalar @films, keys %name, 'and all films';
for my $title (@channels, @films) {
	my $id = $title->{id};
	like $id, qr/^(?:live|vod)-m[0-9a-f]{16}$/, 'an id is made of nothing that they say';
	unlike "$title->{name}" . ($title->{category} // ''), qr/[\x00-\x1f\x7f-\x9f\x{2028}\x{2029}\x{202a}-\x{202e}]/, 'a name has letters and signs';
	cmp_ok length $title->{name}, '<', 300, 'and not too many';
	is $title->{logo} // $title->{poster}, undef, 'what is no address of a picture is none';
	my $page = $app->get("/watch/$id");
	is $page->status, 200, 'it has a page';
	my ($shown) = $page->body =~ m{<title>([^<]*)</title>};
	ok defined $shown, 'whose title ends where it should';
	unlike $page->body, qr/<img src=x|<script>|alert\(1\)<|onmouseover="/, 'without what would be run';
	my $policy = $page->header('Content-Security-Policy') // '';
	like $policy, qr/default-src 'none'; script-src 'self';/, 'which would not be, either';
	unlike $policy, qr/unsafe-(?:inline|eval)/, 'from nowhere';
	is $page->header('X-Content-Type-Options'), 'nosniff', 'as what it is';
}
my $error = $app->get('/watch/%3Cscript%3Ealert(1)%3C%2Fscript%3E', Accept => 'text/html');
unlike $error->body, qr/<script/, 'nor is an address on the page that refuses it';
$app->get('/cdn/stream/list.%1b%5b31m', 'User-Agent' => "\e[31m");
unlike $app->log, qr/[^\x20-\x7e\n]/, 'nothing of all that gives orders to a terminal';

kill 'KILL', $server;
waitpid $server, 0;
$app->end;

# --- a directory whose names are an attack, or lead out of it ------------------------------------------------
my ($inside, $outside) = map { File::Temp->newdir } 1 .. 2;
chmod 0755, $inside, $outside;
sub put { my ($path, $text) = @_; open my $out, '>', $path or die "$path: $!\n"; print $out $text; close $out; return }
put("$outside/secret.mp3", 'SECRET' x 100);
symlink "$outside/secret.mp3", "$inside/link.mp3";
symlink $outside, "$inside/folder";
symlink '/etc/passwd', "$inside/passwd.mp3";
POSIX::mkfifo("$inside/pipe.mp3", 0644);
my @files = ('plain', qq{a"b<img src=x onerror=alert(1)>}, "two\nlines", "red\e[31m", "bad\xff\xfe", '-rf', '%2e%2e%2fx', '$(id)', 'a;b|c');
put("$inside/$_.mp3", 'MUSIC' x 100) for @files;
$app = App->new(via => 'fastcgi', sources => [ { name => 'f', type => 'files', url => "$inside" } ]);
my @found = @{ $app->get('/api/movies?limit=100')->json->{movies} };
is scalar @found, scalar @files, 'what lies there is listed, and nothing that leads elsewhere' or diag join ' ', map { $_->{name} } @found;
for my $file (@found) {
	unlike $file->{name}, qr/[\x00-\x1f\x7f-\x9f]/, 'by a name of letters and signs';
	my $reply = $app->get("/api/stream/$file->{id}?download=1");
	is $reply->body, 'MUSIC' x 100, 'which has its bytes';
	my $kept = grep({ $file->{name} eq $_ } 'plain', 'two lines') ? $file->{name} : 'vod-[0-9a-f]{16}';
	like $reply->header('Content-Disposition'), qr/^attachment; filename="$kept\.mp3"; filename\*=UTF-8''[\w.~%-]+\.mp3$/, 'to be saved under a name that is one';
}
my ($plain) = map { $_->{id} } grep { $_->{name} eq 'plain' } @found;
for my $to ("$outside/secret.mp3", '/proc/self/environ', "../@{[ $outside =~ m{([^/]+)$} ]}/secret.mp3", "$inside/plain.mp3") {
	unlink "$inside/plain.mp3";
	symlink $to, "$inside/plain.mp3";
	my $reply = $app->get("/api/stream/$plain");
	is $reply->status, 502, "a file that has become a link to $to is not followed";
	like $reply->json->{error}{message}, qr/^The film's name leads out of its directory$/, 'in words';
}
done_testing;
