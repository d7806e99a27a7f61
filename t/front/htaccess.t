#!/usr/bin/perl
# t/front/htaccess.t - shared hosting: the host's own Apache, an .htaccess and one script.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use App;
use Front;
use Gateway;

my $gateway = Gateway->new;
my $run = 'a1' x 16;

for my $way ('htaccess-fcgid', 'htaccess-cgi') {
	SKIP: {
		skip "$way is not installed", 1 unless App::Front::is_here($way);
		subtest $way => sub {
			my $front = Front->new($way, gateway => $gateway, memcached => '');
			my $app = $front->app;
			$app->get('/api/hls/1/master.m3u8');    # a channel starts

			my $body = 'x' x 100_000;
			for my $case ([ "/tv/live-1/$run/720p/1.ts", 'video/mp2t', 'public, max-age=60' ],
				[ "/api/hls/vod-1/$run/720p/1.m4s", 'video/iso.segment', 'public, max-age=31536000, immutable' ]) {
				my ($target, $type, $keep) = @$case;
				$front->publish($target, $body);
				my $file = $app->get("$target?CMCD=x");
				is $file->status, 200, "$target is sent";
				is length $file->body, length $body, 'whole';
				is $file->header('Content-Type'), $type, 'by its type';
				is $file->header('Cache-Control'), $keep, 'for as long as it stays right';
				is $file->header('Access-Control-Allow-Origin'), '*', 'to pages of other hosts too';
				is $file->header('ETag'), undef, 'without an ETag';
				is $file->header('X-Request-Id'), undef, 'and no process was started for it';
				is $app->get($target, Range => 'bytes=0-9')->status, 206, 'or a part of it';
				is $app->request(OPTIONS => $target)->status, 204, 'and a preflight is answered';
			}
			is $app->get("/tv/live-1/$run/720p/2.ts")->status, 404, 'a live segment that is none is not there';

			my $list = $app->get('/api/live?q=two', 'X-Sluice-Token' => 'x');
			is $list->json->{channels}[0]{id}, 'live-2', 'the program answers, with its query';
			is $list->header('Access-Control-Allow-Origin'), '*', 'CORS is said once';
			is $list->header('Cache-Control'), 'public, max-age=1', 'and its own words on keeping it';
			is $app->post('/api/live', '{}')->status, 405, 'POST arrives';
			is $app->get('/none')->code, 'not_found', 'what there is not is said in JSON';
			like $app->get('/', Accept => 'text/html')->body, qr/^<!doctype html>/, 'pages are pages';

			my ($folder) = $app->get('/')->body =~ m{"(/web/[0-9a-f]{16})/};
			my $plain = $app->get("$folder/base.css");
			is $plain->status, 200, 'a part of the pages is sent';
			for my $coding ('gzip', -e App::builddir() . '/web/site/base.css.br' ? 'br' : ()) {
				my $coded = $app->get("$folder/base.css", 'Accept-Encoding' => $coding);
				is $coded->header('Content-Encoding'), $coding, "as $coding to who takes it";
				is $coded->header('Content-Type'), 'text/css; charset=utf-8', 'by its own type';
				cmp_ok length $coded->body, '<', length $plain->body, 'and smaller';
			}
			is $app->get("$folder/icon-192.png")->header('Content-Type'), 'image/png', 'a picture is one';
			is $app->get('/sw.js')->header('Content-Type'), 'text/javascript; charset=utf-8', 'the service worker is a script';
			is $app->get('/manifest.webmanifest')->header('Content-Type'), 'application/manifest+json', 'and the manifest one';
			unlink $app->www . "$folder/view.js";
			my $made = $app->get("$folder/view.js");
			is length $made->body, -s App::builddir() . '/web/site/view.js', 'one that was evicted is made again';
			is join(' ', grep { /sendfile/ } keys %{ $made->headers }), '', 'and where it lies is not said';

			for my $hidden ('/.htaccess', '/sluice.fcgi') {
				my $reply = $app->get($hidden);
				like $reply->status, qr/^40[34]$/, "$hidden is for nobody";
				unlike $reply->body, qr/exec |RewriteRule/, 'and does not show what is in it';
			}
			my $playlist;
			ok $app->wait_for(sub { ($playlist = $app->get('/api/hls/1/240p.m3u8'))->status == 200 && $playlist->body =~ /\.ts$/m }, 30,
				'a playlist'), 'the channel plays';
			my ($segment) = $playlist->body =~ m{^(/tv/\S+)$}m;
			is $app->get($segment)->status, 200, 'and its segments are files';
		};
	}
}
done_testing;
