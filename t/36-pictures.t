#!/usr/bin/perl
# t/36-pictures.t - pictures are shown by addresses of ours: no list and no page tells where a source has them,
# nor its account, which stands in their paths and queries.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use POSIX ();
use Test::More;
use App;
use Gateway;
use Resolver;

my ($user, $password) = qw(viewer4711 hush0815);
my $gateway = Gateway->new(user => $user, password => $password);

# A host of pictures that takes connections and says nothing, and writes down who asked.
my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 50, ReuseAddr => 1) or die "nobody can listen: $!\n";
my $mute = '127.0.0.1:' . $silent->sockport;

# A list whose account stands wherever it can, and one whose pictures nobody sends.
my $pictures = "$user/$password/ch1.png?username=$user&password=$password";
my $list = "#EXTM3U\n" . join '', map { qq{#EXTINF:-1 tvg-id="$_->[0]" tvg-logo="$_->[1]",$_->[0]\n@{[ $gateway->url ]}/live/$user/$password/$_->[2]\n} }
	[ 'By path', $gateway->url . "/picture/$pictures", '1.ts' ], [ 'By name', "http://$user:$password\@$mute/x.png", '2.ts' ],
	[ 'No picture', '', '3.ts' ], (map { [ "Mute $_", "http://$mute/$user/$password/$_.png", "$_.ts" ] } 10 .. 29);
my $origin = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 50, ReuseAddr => 1) or die "nobody can listen: $!\n";
my $server = fork // die "fork: $!\n";
if (!$server) {
	while (my $client = $origin->accept) {
		sysread $client, my $request, 8192;
		print $client "HTTP/1.1 200 OK\r\nContent-Type: audio/x-mpegurl\r\nContent-Length: @{[ length $list ]}\r\nConnection: close\r\n\r\n$list";
	}
	POSIX::_exit(0);
}
END { kill KILL => $server if $server }

my $resolver = Resolver->new(base => $gateway->url);
my $app = App->new(gateway => $gateway, via => 'fastcgi', conf => { public_url => 'https://tv.example.org', site_logo => 'https://brand.example/logo.png?x' },
	sources => [ { name => 'list', type => 'm3u', url => 'http://127.0.0.1:' . $origin->sockport . '/list', allow => ['127.0.0.0/8'] }, $resolver->source ]);

# --- nothing of the source is told ---------------------------------------------------------------------------
my $secret = join '|', map { quotemeta } $user, $password, $mute, '127.0.0.1:' . $gateway->port, '127.0.0.1:' . $gateway->edge_port;
my %of;    # where a picture was told of, to its address

sub look {
	my ($what, $reply) = @_;
	is $reply->status, 200, $what or diag $reply->body;
	my %headers = %{ $reply->headers };
	unlike join("\n", $reply->body, map { "$_: $headers{$_}" } sort keys %headers), qr/$secret/, "$what: nothing of a source's address or account";
	return $reply;
}

sub note_pictures {
	my ($where, $value) = @_;
	if (ref $value eq 'ARRAY') {
		note_pictures("$where/$_", $value->[$_]) for 0 .. $#$value;
	} elsif (ref $value eq 'HASH') {
		for my $member (sort keys %$value) {
			$of{"$where/$member"} = $value->{$member} if $member =~ /^(?:logo|poster|thumbnail)$/;
			note_pictures("$where/$member", $value->{$member}) if ref $value->{$member};
		}
	}
	return;
}

sub ask {
	my ($target, @headers) = @_;
	my $json = look($target, $app->get($target, @headers))->json;
	note_pictures($target, $json);
	return $json;
}

my @channels = @{ ask('/api/live?limit=100')->{channels} };
my %channel = map { $_->{name} => $_ } @channels;
my @films = @{ ask('/api/movies')->{movies} };
my ($series) = @{ ask('/api/series')->{series} };
my @episodes = map { @{ $_->{episodes} } } @{ ask("/api/series/$series->{id}")->{seasons} };
ask("/api/live/$_->{id}") for grep { $_->{name} =~ /^(?:By|No)|picture 1/ } @channels;
ask("/api/stream/vod/$_->{id}", Accept => 'application/json') for $films[0], $episodes[0];
ask("/api/stream/series/$series->{id}/1/1", Accept => 'application/json');
ask('/api/status');
look("page $_", $app->get($_)) for '/', '/status', map { "/watch/$_->{id}" } $channel{'By path'}, $films[0], $episodes[0];
look($_, $app->get($_)) for '/metrics', '/health', "/api/hls/$films[0]{id}/master.m3u8";
my $info = look('a page that was looked at', $app->post('/api/video-info', '{"url":"https://p.example/good/x"}'))->json;
is $info->{thumbnail}, "https://tv.example.org/cdn/art/$info->{id}", 'its thumbnail is ours too';

# --- they are addresses of ours, and load --------------------------------------------------------------------
for my $target ('/api/live?limit=100', "/api/live/$channel{'By path'}{id}", '/api/movies', '/api/series', "/api/series/$series->{id}",
	(map { "/api/stream/vod/$_->{id}" } $films[0], $episodes[0]), "/api/stream/series/$series->{id}/1/1") {
	ok scalar(grep { index($_, "$target/") == 0 && defined $of{$_} } keys %of), "$target tells of pictures";
}
is_deeply [ grep { defined && !m{^https://tv\.example\.org/cdn/art/[a-z0-9.-]+$} } values %of ], [], 'every one at an address of this host';
is $channel{'No picture'}{logo}, undef, 'what has none says so';
is $channel{'By name'}{logo}, undef, 'nor has one whose address holds a name and a password before the host';
for my $address (map { $_->{logo} // $_->{poster} } $channel{'By path'}, $films[0], $series, $episodes[0]) {
	my $reply = $app->get(($address =~ m{^https://[^/]+(/.*)})[0] . '?size=64');
	is $reply->status, 200, "$address loads" or diag $reply->body;
	like $reply->header('Content-Type'), qr{^image/(?:jpeg|png)$}, 'as a picture';
	is $reply->header('Cache-Control'), 'public, max-age=86400', 'for a day';
}

# --- nor does a browser ask anybody else ---------------------------------------------------------------------
like $app->get('/')->header('Content-Security-Policy'), qr{; img-src 'self' data: https://brand\.example; }, "pages show what is here, and the site's own logo";
like $app->get("/watch/$films[0]{id}")->header('Content-Security-Policy'), qr{; img-src 'self' data: https://brand\.example; }, 'as do those of films';

# --- a host that says nothing is asked for a few, and the others do not wait for the rest --------------------
my @mute = grep { $_->{name} =~ /^Mute/ } @channels;
is scalar @mute, 20, 'many pictures are on a host that says nothing';
my @said = App::parallel(scalar @mute, sub { my ($n) = @_; return $app->get("/cdn/art/$mute[$n - 1]{id}?size=64")->status });
like "@said", qr/^(?:50[234] ?)+$/, 'none of them comes';
my $asked = 0;
$silent->blocking(0);
$asked++ while $silent->accept;
cmp_ok $asked, '<=', 8, "it was asked for $asked of them";
unlike $app->log, qr/$password/, 'and the log has no password';
done_testing;
