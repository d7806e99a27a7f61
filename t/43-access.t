#!/usr/bin/perl
# t/43-access.t - access = password: the front server asks, for published files too.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use MIME::Base64;
use Test::More;
use App;

plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');

my $dir = File::Temp->newdir;
my $file = "$dir/htpasswd";
open my $empty, '>', $file or die "$file: $!\n";
close $empty;
my $app = App->new(via => App::via('lighttpd'), conf => { access => 'password', htpasswd => $file });

my ($status, $token) = $app->command(user => 'add', 'viewer');
is $status, 0, 'a user is added';
like $token, qr/^[0-9a-f]{32}\n$/, 'and the token is told, 128 bits';
chomp $token;
open my $in, '<', $file or die;
my $line = <$in>;
like $line, qr{^viewer:\{SHA\}[A-Za-z0-9+/]{27}=\n$}, 'the file holds its hash';
ok index($line, $token) < 0, 'and not the token';
is +(stat $file)[2] & 0007, 0, 'and is not for everybody';

my ($asset) = map { m{([^/]+/[^/]+)$} } glob $app->www . '/web/*/*.css';
my @sign = (Authorization => 'Basic ' . encode_base64("viewer:$token", ''));
for my $target ('/', '/api/live', '/health', "/web/$asset") {
	is $app->get($target)->status, 401, "$target asks for a password";
	like $app->get($target)->header('WWW-Authenticate') // '', qr/^Basic /, 'as browsers know it';
	is $app->get($target, Authorization => 'Basic ' . encode_base64("viewer:x$token", ''))->status, 401, 'a wrong one is refused';
	is $app->get($target, @sign)->status, 200, 'the right one is let in';
}
is $app->get($_)->status, 200, "$_ is for orchestrators, who have none" for '/health/live', '/health/ready';
is $app->request(OPTIONS => '/api/live')->status, 204, 'nor has a preflight';

is +($app->command(user => 'list'))[1], "viewer\n", 'users are listed';
is +($app->command(user => @$_))[0], 2, "'user @$_' is no command" for [], ['add'], ['list', 'viewer'], ['rename', 'viewer'];
my (undef, $second) = $app->command(user => 'add', 'viewer');
isnt $second, "$token\n", 'added again a user has another token';
is +($app->command(user => 'del', 'viewer'))[0], 0, 'a user can be deleted';
isnt +($app->command(user => 'del', 'viewer'))[0], 0, 'once';
is $app->get('/api/live', @sign)->status, 401, 'and is out at once';
for my $name ('', '../x', 'a:b', "a\nb", '-x', 'a' x 65) {
	isnt +($app->command(user => 'add', $name))[0], 0, 'a name that is none is refused';
}
SKIP: {
	skip 'only root can give files away', 4 if $>;
	my $group = getgrnam 'nogroup';
	chown -1, $group, $app->state_dir;
	unlink $file;
	is +($app->command(user => 'add', 'viewer'))[0], 0, 'root makes the file anew';
	is_deeply [ (stat $file)[2] & 0777, (stat _)[5] ], [ 0640, $group ], 'for the group that may read what is published';
	chown 12345, 23456, $file;
	is +($app->command(user => 'add', 'other'))[0], 0, 'root changes one of somebody else';
	is_deeply [ (stat $file)[4, 5] ], [ 12345, 23456 ], 'which stays theirs';
}
done_testing;
