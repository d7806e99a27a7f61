#!/usr/bin/perl
# t/10-master.t - the master keeps the service running, reloads it unnoticed and ends it whole.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time sleep);
use App;

my $pages = File::Temp::tempdir('sluice-XXXXXX', TMPDIR => 1, CLEANUP => 1);
for my $page (qw(index watch film status offline)) {
	open my $file, '>', "$pages/$page.html" or die "$page.html: $!";
}
# A program of our own, for the upgrade.
my ($built, $program) = (App::program(), "$pages/sluice");
sub install { my ($from) = @_; copy($from, "$program.new"); chmod 0755, "$program.new"; return rename "$program.new", $program }
install($built);
{ no warnings 'redefine'; *App::program = sub { return $program } }
my $app = App->new(
	via  => 'fastcgi', import => 0,
	conf => { api_processes => 2, relay_processes => 1, web_dir => $pages }
);

sub ours { return grep { $_->{name} ne 'memcached' } $app->processes }
sub roles { return join ' ', sort map { $_->{role} } ours() }
sub answers { return $app->get('/health/live')->status == 200 }
sub inode { return (stat $app->run_dir . "/$_[0]")[1] }

my $WHOLE = 'api api janitor master relay supervisor';

sub is_whole {
	my ($name) = @_;
	return ok $app->wait_for(sub { roles() eq $WHOLE }, 10, 'all processes'), $name;
}

# --- what runs --------------------------------------------------------------------------------------
is_whole('the master runs two pools, the supervisor and its janitor');
my ($status, $text) = $app->command('status');
is $status, 0, 'status finds it';
like $text, qr/^sluice \d\S+, process \d+, up \d+ s$/m, 'and tells version, process and age';
like $text, qr/^api +\d+ +ready +\d+ s +\d+ +\d+ +0/m, 'and of each process pid, age, memory and requests';
like $text, qr/^published_bytes +\d+$/m, 'and the totals';
is((stat $app->run_dir . '/api.sock')[2] & 0777, 0660, 'its sockets are for user and group');
ok -l $app->www . '/tv', 'live segments are a link below the document root';

my ($master) = $app->pids('master');
($status, $text) = $app->command('serve');
is $status, 1, 'a second start on the same run_dir is refused';
like $text, qr/^sluice: It runs already, as process $master \(/, 'in a sentence';
ok answers(), 'and the first one goes on';

# --- who may not know -----------------------------------------------------------------------------------
SKIP: {
	skip 'only root can be somebody else', 4 if $>;
	my ($conf, $stranger) = ("$pages/stranger.conf", scalar getpwnam 'nobody');
	chmod 0755, $pages;
	copy("$app->{dir}/sluice.conf", $conf);
	chmod 0644, $conf;
	for my $command (qw(status stop)) {
		my $pid = open my $out, '-|';
		if (!$pid) {
			open STDERR, '>&', \*STDOUT;
			$) = "65534 65534";
			POSIX::setgid(65534);
			POSIX::setuid($stranger);
			exec $program, '-c', $conf, $command or POSIX::_exit(127);
		}
		my $said = do { local $/; <$out> } // '';
		close $out;
		is $? >> 8, 1, "$command is not for strangers";
		like $said, qr/^sluice: What runs in .* is another user's business/, 'who are not told that nothing runs';
	}
}

# --- who dies is replaced -----------------------------------------------------------------------------
# Within a second, and some for a busy machine.
for my $role (qw(api relay janitor supervisor)) {
	my %before = map { $_ => 1 } $app->pids($role);
	my $began = time;
	$app->kill($role);
	$app->wait_for(sub { my @now = $app->pids($role); @now == keys %before && !grep { $before{$_} } @now }, 10, $role);
	cmp_ok time - $began, '<', 5, "killed hard, $role is soon there again";
	is_whole("with all the others, and nothing of the old $role is left");
	ok answers(), 'and requests are answered';
}
is(($app->pids('master'))[0], $master, 'the master is the same');

# --- messages that nobody should send -----------------------------------------------------------------
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $app->run_dir . '/supervisor.sock');
$socket->send($_) for 'watch', 'watch ', 'watch ../../etc', "watch live-1\0", 'eat live-1', 'x' x 5000, '', "watch 8\n",
	'watch ' . 'a' x 64;
sleep 0.3;
is_whole('messages that make no sense start nothing');

# --- reload -------------------------------------------------------------------------------------------
my %kept = map { $_ => inode($_) } qw(api.sock relay.sock supervisor.sock);
my ($supervisor) = $app->pids('supervisor');
my %workers = map { $_ => 1 } $app->pids('api'), $app->pids('relay');
my @failed = App::parallel(4, sub {
	my ($number) = @_;
	if ($number == 1) {
		return [ map { $app->command('reload') } 1 .. 3 ];
	}
	my ($end, $bad) = (time + 2.5, 0);
	while (time < $end) { $bad++ unless answers() }
	return $bad;
});
is_deeply $failed[0], [ map { (0, "Reloaded: new workers answer, the old ones finish what they began.\n") } 1 .. 3 ],
	'three reloads under load are done';
is "@failed[1 .. 3]", '0 0 0', 'and no request fails';
is_whole('afterwards all is there once');
is(($app->pids('master'))[0], $master, 'the master is the same process');
is(($app->pids('supervisor'))[0], $supervisor, 'and so is the supervisor');
ok !(grep { $workers{$_} } $app->pids('api'), $app->pids('relay')), 'the workers are new ones';
is_deeply { map { $_ => inode($_) } keys %kept }, \%kept, 'the sockets have never been away';

$app->write_conf(api_processes => 1);
is(($app->command('reload'))[0], 0, 'a changed configuration is taken');
ok $app->wait_for(sub { roles() eq 'api janitor master relay supervisor' }, 10, 'one worker less'), 'and holds';

$app->write_conf(api_threads => 1);
($status, $text) = $app->command('reload');
is $status, 1, 'a bad configuration is refused';
like $text, qr/sluice\.conf:\d+: api_threads lies between/, 'in a sentence with its line';
my @before = sort $app->pids('api');
kill 'HUP', $master;
ok $app->wait_for(sub { $app->log =~ /reload_refused why=.*sluice\.conf:\d+: api_threads/ }, 10, 'the log'),
	'one that comes by signal is logged';
is_deeply [ sort $app->pids('api') ], \@before, 'and the service goes on as it was';
ok answers(), 'answering';
$app->write_conf(api_threads => 8, run_dir => $app->{dir} . '/elsewhere');
kill 'HUP', $master;
ok $app->wait_for(sub { $app->log =~ /reload_refused why=.*run_dir cannot change/ }, 10, 'the log'),
	'a run_dir does not change while the service runs';
$app->write_conf(api_processes => 2, run_dir => $app->run_dir);
is(($app->command('reload'))[0], 0, 'a mended one is taken');
is_whole('and all is as before');

# --- upgrade ------------------------------------------------------------------------------------------
sub image { return (stat "/proc/$master/exe")[1] }
my $old_image = image();
install($built);
is(($app->command('reload'))[0], 0, 'another program is taken by a reload');
isnt image(), $old_image, 'it is what runs then';
is image(), (stat $program)[1], 'as the same process';
is_whole('with all the others');
open my $garbage, '>', "$pages/garbage" or die "garbage: $!";
print $garbage "no program";
close $garbage;
install("$pages/garbage");
kill 'HUP', $master;
ok $app->wait_for(sub { $app->log =~ /reload_refused why=\S*sluice/ }, 10, 'the log'), 'one that does not run is refused';
ok answers(), 'and the service goes on as it was';
install($built);

# --- the master dies ----------------------------------------------------------------------------------
mkdir $app->www . '/made';
open my $file, '>', $app->www . '/made/1.ts' or die "1.ts: $!";
close $file;
my $old_socket = inode('api.sock');
$app->kill('master');
waitpid delete $app->{pids}{sluice}, 0;
ok $app->wait_for(sub { !ours() }, 5, 'all to be gone'), 'when the master is killed hard, all its children die';
is(($app->command('status'))[0], 1, 'status says that nothing runs');
ok -S $app->run_dir . '/api.sock', 'a socket is left over';
$app->start;
is_whole('which does not hinder the next start');
isnt inode('api.sock'), $old_socket, 'it has been replaced';
is_deeply [ grep { /\.new$/ } glob $app->run_dir . '/*' ], [], 'nothing half made is there';
ok -e $app->www . '/made/1.ts', 'published files are';

# --- stop ---------------------------------------------------------------------------------------------
sub record { my ($type, $data) = @_; return pack('C C n n C x', 1, $type, 1, length $data, 0) . $data }

my $params = join '', map { pack('C C', length $_->[0], length $_->[1]) . $_->[0] . $_->[1] }
	[ REQUEST_METHOD => 'GET' ], [ REQUEST_URI => '/health/live' ], [ SERVER_PROTOCOL => 'HTTP/1.1' ], [ HTTP_HOST => 'x' ];
my $early = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $app->run_dir . '/api.sock') or die "api.sock: $!";
$early->syswrite(record(1, pack('n C x5', 1, 0)));
sleep 0.5;    # nothing tells that it has been accepted
my $stopper = fork // die "fork: $!";
if (!$stopper) {
	my ($code) = $app->command('stop');
	POSIX::_exit($code);
}
ok $app->wait_for(sub { !-e $app->run_dir . '/api.sock' }, 10, 'the socket to go'), 'a stop takes the sockets away';
$early->syswrite(record(4, $params) . record(4, '') . record(5, ''));
my $answer = do { local $/; <$early> } // '';
like $answer, qr/Status: 200/, 'a request that had been accepted is finished';
waitpid $stopper, 0;
is $? >> 8, 0, 'the stop waits for the end';
waitpid delete $app->{pids}{sluice}, 0;
is $?, 0, 'the master ends well';
is_deeply [ ours() ], [], 'no process is left';
is_deeply [ grep { !/memcached/ && -S || /\.(?:pid|lock)$/ } glob $app->run_dir . '/*' ], [], 'no socket, pid file or lock either';
($status, $text) = $app->command('stop');
is $status, 1, 'what does not run cannot be stopped';
like $text, qr/^sluice: Nothing runs in /, 'and that is said';
unlink $app->run_dir . '/board';
for my $command (qw(stop reload status)) {
	($status, $text) = $app->command($command);
	like $text, qr/^sluice: Nothing runs in /, "$command says so too where nothing ever ran";
}
ok !-e $app->run_dir . '/board', 'and leaves nothing there';

# --- in the background --------------------------------------------------------------------------------
($status, $text) = $app->command('serve', '--daemon');
is "$status $text", '0 ', 'in the background it returns when the service is ready';
ok answers(), 'which answers at once';
is(($app->command('stop'))[0], 0, 'and it can be stopped');
rename $app->state_dir . '/live', $app->state_dir . '/kept';
open $file, '>', $app->state_dir . '/live' or die "live: $!";
close $file;
($status, $text) = $app->command('serve', '--daemon');
is $status, 1, 'when it cannot start, it returns with an error';
like $text, qr{^sluice: .*/live.*}, "and says why: $text";
unlink $app->state_dir . '/live';
$app->write_conf(log_file => '');
($status, $text) = $app->command('serve', '--daemon');
is $status, 2, 'without a log file it does not go into the background';
like $text, qr/log_file/, 'and says so';

# --- the supervisor alone -----------------------------------------------------------------------------
$app->write_conf(log_file => "$app->{dir}/sluice.log");
my $alone = fork // die "fork: $!";
if (!$alone) {
	exec App::program(), '-c', "$app->{dir}/sluice.conf", 'supervise' or POSIX::_exit(127);
}
ok $app->wait_for(sub { -S $app->run_dir . '/supervisor.sock' }, 10, 'the supervisor'), 'a supervisor runs alone';
($status, $text) = $app->command('supervise');
is $status, 1, 'but only one';
like $text, qr/It runs already, as process $alone/, 'and the second says so';
kill 'TERM', $alone;
waitpid $alone, 0;
is $?, 0, 'it ends when it is told to';
ok !-e $app->run_dir . '/supervisor.sock', 'and takes its socket along';

done_testing;
