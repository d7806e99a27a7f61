#!/usr/bin/perl
# t/41-processes.t - any process may die at any instant, and a reload or a stop costs nobody anything.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');
plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');

my $gateway = Gateway->new;
my $app = App->new(gateway => $gateway, via => App::via('lighttpd'));

sub playlist { return $app->get('/api/hls/1/360p.m3u8')->body }
sub newest { my @n = playlist() =~ m{/(\d+)\.ts$}mg; return $n[-1] // 0 }
sub run_of { return $app->wait_for(sub { playlist() =~ m{^/tv/live-1/([0-9a-f]{32})/}m && $1 }, 5) // '' }
sub plays_on { my ($than, $seconds) = @_; return $app->wait_for(sub { newest() > $than }, $seconds // 20, 'a newer segment') }
sub encoders { return grep { $_->{role} eq 'ffmpeg' } $app->processes }

ok plays_on(0), 'a channel plays';
my $run = run_of();

for my $role (qw(api relay janitor live ffmpeg supervisor)) {
	subtest "kill -9 of $role" => sub {
		my $before = newest();
		my %old = map { $_ => 1 } $app->pids($role);
		ok $app->kill($role) > 0, 'it was there';
		ok plays_on($before), 'the channel plays on';
		is run_of(), $run, 'under the same addresses';
		# A viewer goes on asking: without a master that is what starts another supervisor.
		ok $app->wait_for(sub { playlist(); my @now = grep { !$old{$_} } $app->pids($role); scalar @now }, 10, "another $role"),
			'another one is there';
		ok $app->wait_for(sub { playlist(); encoders() == 1 }, 10, 'one encoder'), 'and one encoder, no orphan';
	};
}

subtest 'a reload under load' => sub {
	my %workers = map { $_ => 1 } $app->pids('api');
	my ($live) = $app->pids('live');
	my @seen = App::parallel(5, sub {
		my ($n) = @_;
		return +{ 'reload ' . ($app->command('reload'))[0] => 1 } if $n == 5;
		my $end = time + 4;
		my %status;
		while (time < $end) { $status{ $app->get('/api/live')->status }++; sleep 0.02 }
		return \%status;
	});
	my %sum;
	for my $one (@seen) { $sum{$_} += $one->{$_} for keys %$one }
	is delete $sum{'reload 0'}, 1, 'is done';
	is join(' ', keys %sum), '200', 'and fails no request';
	cmp_ok $sum{200} // 0, '>', 100, 'of many';
	ok !grep({ $workers{$_} } $app->pids('api')), 'the workers are new ones';
	is_deeply [ $app->pids('live') ], [$live], 'the channel\'s process is the same one';
};

subtest 'a reload of a broken configuration' => sub {
	open my $file, '>>', $app->dir . '/sluice.conf';
	print $file "api_threds = 9\n";
	close $file;
	my ($status, $text) = $app->command('reload');
	isnt $status, 0, 'is refused';
	like $text . $app->log, qr/sluice\.conf:\d+: There is no setting api_threds; do you mean api_threads\?/, 'and says why and where';
	is $app->get('/api/live')->status, 200, 'while the service goes on';
	$app->write_conf;
};

subtest 'kill -9 of all of it' => sub {
	my $before = newest();
	my ($segment) = playlist() =~ m{^(/tv/\S+)$}m;
	my @all = grep { $_->{role} ne 'lighttpd' } $app->processes;
	CORE::kill('KILL', map { $_->{pid} } grep { $_->{role} ne 'ffmpeg' } @all);
	# Without a master lighttpd starts workers again, and the first request the rest.
	my $ours = $app->is_alone ? qr/^(?:live|ffmpeg)$/ : qr/^(?!lighttpd$)/;
	ok $app->wait_for(sub { !grep({ $_->{role} =~ $ours } $app->processes) }, 5, 'silence'), 'nothing of ours is left, no encoder either';
	is $app->get($segment)->status, 200, 'what was published is still served';
	is $app->get('/api/live')->status, $app->is_alone ? 200 : 503, 'what was not is refused in words, or made again';
	$app->start;
	ok plays_on($before), 'a start later it plays';
	is run_of(), $run, 'where it was';
	# Without a master somebody tidies up after a quarter of an hour, when there are requests.
	$app->move_clock($app->is_alone ? 1000 : 400);
	$app->get('/api/live') for 1 .. 4;
	ok $app->wait_for(sub { $app->get($segment)->status == 404 }, 30, 'the end of a life'), 'old segments end their lives';
	ok $app->wait_for(sub { !encoders() }, 30, 'an idle stop'), 'and what nobody watches stops';
};

subtest 'a stop' => sub {
	my ($status, $text) = $app->stop;
	is $status, 0, 'ends well' or diag $text;
	ok $app->wait_for(sub { !grep { $_->{role} ne 'lighttpd' } $app->processes }, 5, 'their end'), 'and leaves no process';
	is_deeply [ grep { -S } map { $app->run_dir . "/$_.sock" } qw(api relay supervisor) ], [], 'and no socket';
};

done_testing;
