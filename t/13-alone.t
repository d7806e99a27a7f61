#!/usr/bin/perl
# t/13-alone.t - without a master: a front server starts the workers, and a request the supervisor.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;

plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

# One rendition: these tests are about processes.
my %small = (ladder => '240p audio', live_idle => '10s', api_threads => 4, relay_threads => 4);

sub roles { my ($app) = @_; return join ' ', sort map { $_->{role} } grep { $_->{name} !~ /^(?:memcached|lighttpd|ffmpeg)$/ } $app->processes }

# --- CGI --------------------------------------------------------------------------------------------
my $gateway = Gateway->new;
my $app = App->new(via => 'cgi', gateway => $gateway, memcached => '', conf => {%small});
ok $app->wait_for(sub { roles($app) eq 'janitor supervisor' }, 5, 'a janitor'), 'the first request of all has a janitor come by';
is(($app->command('stop'))[0], 0, 'which a stop ends');
is roles($app), '', 'between two requests no process runs';
is(($app->command('status'))[0], 1, 'which status says');
for my $case (
	[ GET     => '/health/live',        200, qr/^\{"status":"live"\}$/, 'a request is answered' ],
	[ HEAD    => '/health/live',        200, qr/^$/,                    'HEAD without a body' ],
	[ GET     => '/api/live?limit=1',   200, qr/^\{"channels":\[\{/,    'with its query' ],
	[ OPTIONS => '/api/live',           204, qr/^$/,                    'a preflight' ],
	[ GET     => '/api/live?limit=x',   400, qr/"code":"bad_input"/,    'what is wrong is refused' ],
	[ GET     => '/nothing',            404, qr/"code":"not_found"/,    'what there is not, too' ],
	[ POST    => '/health/live',        405, qr/"method_not_allowed"/,  'and what cannot be done' ],
	)
{
	my ($method, $target, $status, $body, $name) = @$case;
	my $reply = $app->request($method, $target, $method eq 'POST' ? (_body => 'x' x 100_000) : ());
	is $reply->status, $status, "as CGI, $name";
	like $reply->body, $body, 'in the words of the contract';
}
like $app->get('/')->body, qr{<!doctype html>}i, 'pages too';
$app->write_conf(api_threads => 1);
my $reply = $app->get('/health/live');
is $reply->status, 503, 'with a bad configuration it answers that there is no service';
is $reply->code, 'busy', 'as JSON';
unlike $reply->body, qr/api_threads/, 'without details';
like $app->output('sluice'), qr/sluice\.conf:\d+: api_threads lies between/, 'which stand in the log';
$app->write_conf(%small);

# --- the first of all, many at once --------------------------------------------------------------------
my $fresh = App->new(via => 'cgi', memcached => '', start => 0, conf => {%small});
my @first = App::parallel(30, sub { return $fresh->get('/')->status });
is "@first", join(' ', (200) x 30), 'thirty that come first at once find or make all that they need';
ok $fresh->wait_for(sub { roles($fresh) eq 'janitor supervisor' }, 5, 'a janitor'), 'and one of them has a janitor come by';
is(($fresh->command('status'))[1] =~ /^requests +(\d+)$/m && $1, 30, 'all on one board');
$fresh->end;

# --- the supervisor, on demand ------------------------------------------------------------------------
my @status = App::parallel(50, sub { return $app->get('/api/live/' . (1 + $_[0] % 3))->status });
is "@status", join(' ', (200) x 50), 'fifty first requests at once are answered';
my @supervisors = $app->pids('supervisor');
is scalar @supervisors, 1, 'by one supervisor';
is join(' ', map { $gateway->channel($_)->{redirects} } 1 .. 3), '1 1 1', 'and the gateway was asked once for each channel';
my ($it) = grep { $_->{pid} == $supervisors[0] } $app->processes;
is $it->{parent}, 1, 'which is nobody\'s child';
like(($app->command('status'))[1], qr/^sluice \S+, without a master.*^supervisor +$supervisors[0] +ready .* on demand$/ms, 'and known to status');
is_deeply [ grep { !m{^(?:/dev/null|socket:|anon_inode:|/dev/shm|$)} && !/^\Q$app->{dir}\E/ } map { readlink // '' } glob "/proc/$supervisors[0]/fd/*" ], [],
	'it has nothing open that belongs to a request';
open my $file, '<', "/proc/$supervisors[0]/environ";
unlike do { local $/; <$file> }, qr/(?:^|\0)HTTP_/, 'nor in its environment';

$app->kill('supervisor');
ok $app->wait_for(sub { !$app->pids('janitor') }, 5, 'the janitor\'s end'), 'when it is killed hard, its children die';
sleep 1.1; # not sooner than that is one started for another that died: the lock's time is the machine's
is $app->get('/api/live/1/refresh')->status, 200, 'and the next request that needs one starts another';
($it) = $app->pids('supervisor');
isnt $it, $supervisors[0], 'which is a new one';
ok $app->wait_for(sub { $app->get('/api/hls/1/master.m3u8')->status == 200 }, 15, 'a master'), 'a channel starts';
$app->move_clock(11);
ok $app->wait_for(sub { !$app->pids('live') }, 15, 'its end'), 'and stops when nobody watches';
ok $app->wait_for(sub { roles($app) eq 'janitor supervisor' }, 15, 'the resolvers\' end'), 'the supervisor stays for a while';
$app->move_clock(61);
ok $app->wait_for(sub { roles($app) eq '' }, 15, 'no process'), 'and ends when nobody has asked for a minute';
is_deeply [ grep { m{/supervisor\.} } glob $app->run_dir . '/*' ], [], 'without a trace';

is $app->get('/health/live')->status, 200, 'a request that needs no child';
is roles($app), '', 'starts none';
$app->move_clock(16 * 60);
is $app->get('/health/live')->status, 200, 'but when nobody has tidied up for a quarter of an hour';
ok $app->wait_for(sub { roles($app) eq 'janitor supervisor' }, 10, 'a janitor'), 'it has that done';
# Who asks in the moment in which nobody has asked for a minute is heard.
($it) = $app->pids('supervisor');
kill 'STOP', $it;
$app->move_clock(61);
my $asks = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $app->run_dir . '/supervisor.sock') or die "supervisor.sock: $!\n";
is $asks->send('token live-2'), 12, 'the supervisor is asked at the very end of its life';
my $known = length $app->log;
kill 'CONT', $it;
ok $app->wait_for(sub { substr($app->log, $known) =~ /role=token id=live-2|nobody asks/ }, 10, 'an answer'), 'which it notices';
unlike substr($app->log, $known), qr/nobody asks/, 'and goes on';
is +($app->pids('supervisor'))[0], $it, 'so it stays';

# --- a master comes -------------------------------------------------------------------------------------
my $served = App->new(via => 'fastcgi', memcached => '', start => 0, conf => {%small});
$served->{dir} = $app->{dir}; # the same place
$served->_spawn(sluice => App::program(), '-c', "$app->{dir}/sluice.conf", 'serve');
ok $app->wait_for(sub { roles($served) =~ /^api api janitor master relay supervisor$/ }, 15, 'a whole service'),
	'a master that starts ends the one on demand and brings its own';
my ($master) = $served->pids('master');
is_deeply [ map { $_->{parent} } grep { $_->{role} eq 'supervisor' } $served->processes ], [$master], 'as its child';
kill 'STOP', $master;
$served->kill('supervisor');
$served->get('/api/live/2/refresh');
is_deeply [ grep { $_->{role} eq 'supervisor' && $_->{parent} != $master } $served->processes ], [], 'its workers start none';
kill 'CONT', $master;
$served->stop;
$_->end for $served, $app;

# --- descriptor 0 ---------------------------------------------------------------------------------------
$app = App->new(via => 'cgi', memcached => '', import => 0, conf => {%small});
sub serve_socket {
	my (@words) = @_;
	my $path = $app->run_dir . '/zero.sock';
	unlink $path;
	my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 100) or die "zero.sock: $!";
	$listener->blocking(0); # as systemd makes them
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		POSIX::dup2(fileno $listener, 0);
		$ENV{SLUICE_CLOCK} = "$app->{dir}/clock";
		exec App::program(), '-c', "$app->{dir}/sluice.conf", 'fcgi', @words or POSIX::_exit(127);
	}
	return ($pid, $path);
}
for my $case ([ TERM => 'all' ], [ USR1 => 'api', '--pool', 'api' ], [ INT => 'relay', '--pool', 'relay' ]) {
	my ($signal, $role, @words) = @$case;
	my ($pid, $path) = serve_socket(@words);
	is(App::Client::fcgi($path, 'GET', '/health/live', [])->status, 200, "descriptor 0, $role: a request is answered");
	like(($app->command('status'))[1], qr/^$role +$pid +ready/m, 'status knows it');
	my @cpu = (split ' ', do { open my $stat, '<', "/proc/$pid/stat"; scalar <$stat> })[ 13, 14 ];
	cmp_ok $cpu[0] + $cpu[1], '<', 30, 'idle threads do not spin on a socket that was made non-blocking';
	my $early = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) or die "$path: $!";
	my ($begin, $rest) = App::Client::fcgi_request('GET', '/health/live');
	$early->syswrite($begin);
	sleep 0.1;
	kill $signal, $pid;
	sleep 0.2;
	$early->syswrite($rest);
	like do { local $/; <$early> } // '', qr/Status: 200/, "a request that had come before $signal is finished";
	waitpid $pid, 0;
	is $?, 0, 'and the end is a good one';
}
delete $ENV{GATEWAY_INTERFACE};
is system(App::program() . " -c $app->{dir}/sluice.conf fcgi </dev/null 2>/dev/null") >> 8, 1, 'started by hand it says what it is for';
is(($app->command('fcgi', '--pool', 'short'))[0], 2, 'and there is no other pool');
$app->end;

# --- lighttpd starts it -----------------------------------------------------------------------------------
SKIP: {
	skip 'lighttpd is not installed', 18 unless App::which('lighttpd');
	$app = App->new(via => 'bin-path', gateway => $gateway, memcached => '', conf => {%small});
	is roles($app), 'api api janitor relay relay supervisor', 'lighttpd starts two processes for each pool, and they a supervisor';
	ok $app->wait_for(sub { $app->get('/api/hls/2/master.m3u8')->status == 200 }, 15, 'a master'), 'a channel plays';
	my ($supervisor) = $app->pids('supervisor');
	my ($kills, %seen) = (0);
	my @failed = App::parallel(4, sub {
		my ($number) = @_;
		my ($end, $bad, $done) = (time + 4, 0, 0);
		if ($number == 1) {
			# Never both: on a slow machine the next one would have the request of the one before.
			while (time < $end) {
				my @ready = ($app->command('status'))[1] =~ /^api +(\d+) +ready/mg;
				$bad += kill 'KILL', $ready[0] if @ready == 2;
				sleep 0.5;
			}
			return $bad;
		}
		my $failed = sub { $done++; return $app->get('/api/live?limit=2')->status != 200 };
		my $twice = 0;
		while (time < $end) {
			next unless $failed->();
			$bad++;
			sleep 0.05;    # a process that dies closes what it answers on before what it listens on
			$twice++ if $failed->();
		}
		return [ $bad, $twice, $done ];
	});
	cmp_ok $failed[0], '>=', 2, "workers are killed hard under load ($failed[0])";
	for my $client (@failed[ 1 .. 3 ]) {
		my ($bad, $twice, $done) = @$client;
		cmp_ok $bad, '<=', $failed[0], "a client loses the request that such a worker had at most ($bad of $done)";
		is $twice, 0, 'and has an answer when it asks again in a moment';
	}
	ok $app->wait_for(sub { scalar(() = $app->pids('api')) == 2 }, 10, 'two workers'), 'lighttpd has started others';
	is(($app->pids('supervisor'))[0], $supervisor, 'the supervisor has not noticed');

	my %before = map { $_ => 1 } $app->pids('api'), $app->pids('relay');
	@failed = App::parallel(3, sub {
		my ($number) = @_;
		return [ $app->command('reload') ] if $number == 1;
		my ($end, $bad) = (time + 4, 0);
		while (time < $end) { $bad++ if $app->get('/api/live?limit=2')->status != 200 }
		return $bad;
	});
	is_deeply $failed[0], [ 0, "Reloaded: 4 workers have finished, and the front server starts others.\n" ], 'a reload replaces them';
	is "@failed[1, 2]", '0 0', 'and no request fails';
	ok $app->wait_for(sub { my @now = map { $app->pids($_) } qw(api relay); @now == 4 && !grep { $before{$_} } @now }, 10, 'new workers'),
		'all of them';
	is(($app->pids('supervisor'))[0], $supervisor, 'the supervisor renews itself');
	like(($app->command('status'))[1], qr/^supervisor .* on demand$/m, 'and stays what it was');
	my ($status, $text) = $app->command('stop');
	is $status, 0, 'a stop';
	is $text, "Stopped: the supervisor, process $supervisor, and all its children are gone.\n"
		. "4 workers belong to the front server that started them: stop it.\n", 'ends what is ours to end, and says what is not';
}

done_testing;
