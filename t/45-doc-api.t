#!/usr/bin/perl
# t/45-doc-api.t - doc/api.md holds the routes that there are, and what it says of them is true.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use B ();
use Test::More;
use App;
use Gateway;
use Hls;
use Resolver;

my $top = $ENV{SLUICE_SRCDIR} // "$FindBin::Bin/..";

sub text { open my $file, '<', "$top/$_[0]" or die "$_[0]: $!\n"; local $/; return scalar <$file> }

# --- the page -----------------------------------------------------------------------------------------
my $page = text('doc/api.md');
my %route;    # "GET /api/live" => {cache, members => {path => type}, examples => [[target, status, what]]}
while ($page =~ /^### `([A-Z]+ \S+)`\n(.*?)(?=^##|\z)/msg) {
	my ($name, $section) = ($1, $2);
	ok !$route{$name}, "$name is described once";
	my %members = $section =~ /^\| `([A-Za-z0-9.\[\]]+)` \| ((?:string|number|boolean|null|array|object)[a-z ]*?) \|/mg;
	my ($cache) = $section =~ /^`Cache-Control: ([^`]+)`$/m;
	my @examples;
	push @examples, [ $2, $3, $4, $1 ] while $section =~ /^curl ([^#\n]*)http:\/\/127\.0\.0\.1:8080([^'"\s]+)['"] *# (\d{3}) (\S.*)$/mg;
	is scalar @examples, scalar(() = $section =~ /^curl/mg), "$name: every example says what comes back";
	$route{$name} = { cache => $cache, members => \%members, examples => \@examples };
}

# --- against the program's own tables -----------------------------------------------------------------
my %table = map { $_ => 1 } map { "$_->[0] $_->[1]" } _pairs(text('fcgi-app/door/route.c') =~ /^\t\{METHOD_([A-Z]+), "([^"]+)"/mg);
cmp_ok scalar keys %table, '>', 10, 'the table of routes was found';
is_deeply [ sort keys %route ], [ sort keys %table ], 'the routes that are described are those that there are';
my %code = reverse text('fcgi-app/door/reply_fail.c') =~ /\[FAIL_[A-Z]+\] = \{(\d+), "([a-z_]+)"/g;
delete $code{client_gone};    # nobody is there to see it
$code{method_not_allowed} = 405;
is_deeply { map { $_->[1] => $_->[0] } _pairs($page =~ /^\| (\d{3}) \| `([a-z_]+)`/mg) }, \%code, 'and so are the errors';

sub _pairs { my @flat = @_; my @pairs; push @pairs, [ splice @flat, 0, 2 ] while @flat; return @pairs }

# --- against what comes back ----------------------------------------------------------------------------
my $resolver = Resolver->new;
my $app = App->new(gateway => Gateway->new, sources => [ $resolver->source ], via => 'fastcgi', conf => { ladder => '720p 480p 240p audio' });
my ($version) = $app->get('/')->body =~ m{/web/([0-9a-f]+)/};

# Straight to a worker, so that no published file answers instead.
sub ask { my ($method, $target, @headers) = @_; return $app->fcgi(App::_pool($target), $method, $target, \@headers, $method eq 'POST' ? '' : undef) }
sub give { my ($target, $body) = @_; return $app->fcgi(App::_pool($target), POST => $target, [], $body) }

# path => type for all that is in a value; what stands in a list is put together.
sub members {
	my ($value, $path, $to) = @_;
	if (ref $value eq 'HASH') {
		members($value->{$_}, length $path ? "$path.$_" : $_, $to) for keys %$value;
	} elsif (ref $value eq 'ARRAY' && grep { ref } @$value) {
		members($_, "${path}[]", $to) for @$value;
	} else {
		$to->{$path}{ type_of($value) } = 1;
	}
	return $to;
}

sub type_of {
	my ($value) = @_;
	return 'null' if !defined $value;
	return 'array' if ref $value eq 'ARRAY';
	return 'boolean' if ref $value;
	return B::svref_2object(\$value)->FLAGS & B::SVp_POK ? 'string' : 'number';
}

# What the answer has and the page does not say, or the other way round.
sub differences {
	my ($said, $json) = @_;
	my $seen = members($json, '', {});
	my @wrong = map { "$_ is not described" } grep { !$said->{$_} } sort keys %$seen;
	for my $path (sort keys %$said) {
		my %may = map { $_ => 1 } split / or /, $said->{$path};
		push @wrong, "$path is missing" if !$seen->{$path};
		push @wrong, map { "$path is $_" } grep { !$may{$_} } sort keys %{ $seen->{$path} // {} };
	}
	return join '; ', @wrong;
}

# A channel needs a moment to start, and a token is known by memcached only after it was asked for.
# When it plays, what is listed last is short at first, and such a list not to be kept.
sub last_s { my ($list) = @_; return (Hls->read($list->body)->segments)[-1]{duration} }
my $first;
ok $app->wait_for(sub {
	my $list = ask(GET => '/api/hls/1/240p.m3u8');
	return if $list->status != 200;
	$first //= $list;
	return last_s($list) > 1.5;
}, 60, 'the channel'), 'a channel plays';
is $first->header('Cache-Control'), last_s($first) > 1.5 ? 'max-age=1' : 'max-age=0', 'its first list is not kept for too long';
for my $name (sort keys %route) {
	my ($method, $pattern) = split / /, $name;
	my $said = $route{$name};
	(my $like = "\Q$pattern\E") =~ s/\\\{\w+\\\}/[^\/?]+/g;
	is_deeply [ grep { $_->[0] !~ /^$like(?:\?|$)/ } @{ $said->{examples} } ], [], "$name: its examples are of this route";
	# Nobody can guess the version of a film, and none lies in a directory here: what comes then,
	# t/70-vod.t and t/71-packager.t show.
	ok scalar(grep { $_->[1] < 300 } @{ $said->{examples} }), "$name: one of them is answered" unless $name =~ m{/api/hls/\{id\}/(?:\{ver\}/|\{rendition\}/|thumbnails)|/api/stream/\{id\}$};
	next if $name =~ m{/stats/cache$} && !$app->{memcached};    # there are no members without one
	for my $example (@{ $said->{examples} }) {
		my ($target, $status, $what, $options) = @$example;
		my @headers = $options =~ /-H '([^':]+): ([^']+)'/g;
		$target =~ s/\$VERSION/$version/;
		my ($body) = $options =~ /-d '([^']*)'/;
		my $reply = defined $body ? give($target, $body) : ask($options =~ /^-\w*I/ ? 'HEAD' : $method, $target, @headers);
		is $reply->status, $status, "$method $target is $status" or diag $reply->body;
		if ($what !~ m{/}) {
			is $reply->code, $what, "by $what";
			ok length $reply->json->{error}{message} && $reply->json->{error}{requestId} eq $reply->header('X-Request-Id'), 'in words';
			next;
		}
		is $reply->header('Content-Type'), $what, "of $what";
		like $reply->header('X-Request-Id'), qr/^[0-9a-f]{16}$/, 'with an id';
		next if $status >= 300;
		is $reply->header('Cache-Control'), $said->{cache}, "for $said->{cache}";
		is differences($said->{members}, $reply->json), '', 'with these members' if $what eq 'application/json';
		next if $method ne 'GET';
		my $head = ask(HEAD => $target, @headers);
		# A part is what GET alone asks for (RFC 9110 section 14.2).
		is $head->status . ' ' . length $head->body, ($status == 206 ? 200 : $status) . ' 0', 'HEAD is the same without a body';
		is ask(POST => $target)->status, 405, 'POST is not allowed' if !$table{"POST $pattern"};
		my $preflight = ask(OPTIONS => $target);
		is $preflight->status, 204, 'OPTIONS answers the preflight';
		like $preflight->header('Allow'), qr/\bGET, HEAD\b.*\bOPTIONS\b/, 'and says what is allowed';
	}
}
done_testing;
