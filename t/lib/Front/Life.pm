# t/lib/Front/Life.pm - a front server and the program while things happen to them.
# SPDX-License-Identifier: BSD-2-Clause
package Front::Life;
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Hls;

my $CLIENTS = 4;

sub run {
	my ($front) = @_;
	subtest 'a channel plays' => \&channel, $front;
	subtest 'the server reads its configuration anew' => \&server_reload, $front;
	subtest 'the program is renewed' => \&program_reload, $front if $front->can_do('reload');
	subtest 'a process is killed' => \&killed, $front;
	return;
}

# Asks for these by turns from several clients while $during->() happens, and until one second after.
# Returns what failed, how many were asked and the longest time that one took.
sub load {
	my ($app, $during, @targets) = @_;
	my $stop = $app->dir . '/stop-load';
	unlink $stop;
	pipe my $read, my $write or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		my @said = App::parallel($CLIENTS, sub {
			my ($number) = @_;
			my ($asked, $longest, @failed) = (0, 0);
			while (!-e $stop && $asked < 4000) {
				my $target = $targets[ ($asked++ + $number) % @targets ];
				my $begun = time;
				my $reply = $app->get($target);
				my $took = time - $begun;
				$longest = $took if $took > $longest;
				push @failed, sprintf '%s: %d %s', $target, $reply->status, substr $reply->body, 0, 60 if $reply->status != 200;
				sleep 0.005;
			}
			return { asked => $asked, longest => $longest, failed => \@failed };
		});
		print $write JSON::PP->new->encode(\@said);
		close $write;
		POSIX::_exit(0);
	}
	close $write;
	sleep 0.3;
	$during->();
	sleep 1;
	open my $file, '>', $stop or die "$stop: $!\n";
	my @said = @{ JSON::PP->new->decode(do { local $/; <$read> }) };
	waitpid $pid, 0;
	unlink $stop;
	my ($asked, $longest) = (0, 0);
	for (@said) { $asked += $_->{asked}; $longest = $_->{longest} if $_->{longest} > $longest }
	return ([ map { @{ $_->{failed} } } @said ], $asked, $longest);
}

sub channel {
	my ($front) = @_;
	my $app = $front->app;
	my ($master, $list, $segment);
	ok $app->wait_for(sub { ($master = $app->get('/api/hls/1/master.m3u8'))->status == 200 }, 30, 'a master'), 'there is a master';
	like $master->header('Content-Type'), qr{^application/vnd\.apple\.mpegurl}, 'by its type';
	ok $app->wait_for(sub { ($list = $app->get('/api/hls/1/240p.m3u8'))->status == 200 && $list->body =~ /\.ts$/m }, 30, 'a playlist'),
		'and a playlist with segments';
	my ($first) = Hls->read($list->body)->segments;
	$segment = $app->get($first->{uri});
	is $segment->status, 200, 'a segment is sent';
	is $segment->header('Content-Type'), 'video/mp2t', 'as MPEG-TS';
	like $segment->body, qr/^\x47.{187}\x47/s, 'and is that';
	is $segment->header('X-Request-Id'), undef, 'by the server alone';
	# Asking for it is what keeps a channel on: no cache may answer.
	my $before = $front->reached('hls_media');
	$app->get('/api/hls/1/240p.m3u8') for 1 .. 5;
	$app->wait_for(sub { $front->reached('hls_media') - $before >= 5 }, 2);
	cmp_ok $front->reached('hls_media') - $before, '>=', 5, 'each request for a live playlist reaches the program';
	return;
}

sub _asset {
	my ($app) = @_;
	my ($asset) = map { m{([^/]+/[^/]+)$} } glob $app->www . '/web/*/base.css';
	return "/web/$asset";
}

# A reload, whole: the next one comes when this one is over, and when the program has answered since.
sub _reload {
	my ($app) = @_;
	my $before = $app->front->beginnings;
	$app->front->reload($app->front_pid);
	if (defined $before) {
		ok $app->wait_for(sub { $app->front->beginnings > $before }, 20, 'the server to begin anew'), 'the server begins anew';
	} else {
		sleep 0.7;
	}
	is $app->get('/api/live?q=one')->status, 200, 'and asks the program';
	return;
}

sub server_reload {
	my ($front) = @_;
	my $app = $front->app;
	my $times = 2;
	$app->get('/');    # which publishes the parts of the pages
	my ($failed, $asked, $longest) = load($app, sub { _reload($app) for 1 .. $times },
		_asset($app), '/api/live', '/api/live/1', '/api/hls/1/240p.m3u8');
	note sprintf '%d requests, %d failed, the longest took %.2f s', $asked, scalar @$failed, $longest;
	cmp_ok $asked, '>', $front->can_do('reload of the server') ? 50 : 10, 'many ask meanwhile';
	if ($front->can_do('reload of the server')) {
		is join("\n", @$failed), '', 'and none fails';
	} else {
		note "known: $_" for @$failed;
		is join("\n", grep { !/: (?:0|500|503) / } @$failed), '', 'known: some break off or are told to ask again, none fails otherwise';
		cmp_ok scalar @$failed, '<=', $times * $CLIENTS, 'and they are few';
	}
	cmp_ok $longest, '>=', 1, 'known: all wait, for a second and more' unless $front->can_do('reload at once');
	cmp_ok $longest, '<', 15, 'nobody waits for long' unless grep { /: 0 / } @$failed;
	is $app->get('/api/live')->status, 200, 'afterwards all is well';
	return;
}

sub program_reload {
	my ($front) = @_;
	my $app = $front->app;
	my ($failed, $asked, $longest) = load($app, sub {
		for (1 .. 2) { is +($app->command('reload'))[0], 0, 'the program is told to'; sleep 0.5 }
	}, '/api/live/1', '/api/hls/1/240p.m3u8', '/health/live', '/api/live?q=one');
	note sprintf '%d requests, the longest took %.2f s', $asked, $longest;
	is join("\n", @$failed), '', 'no request fails';
	return;
}

# The processes that answer requests.
sub _workers {
	my ($app) = @_;
	return map { $_->{pid} } grep { $_->{role} =~ /^(?:api|relay)$/ || $_->{command} =~ / fcgi --pool / && $_->{role} ne 'supervisor' } $app->processes;
}

sub killed {
	my ($front) = @_;
	my $app = $front->app;
	my ($failed, $asked) = load($app, sub {
		for (1 .. 3) {
			my ($pid) = _workers($app);
			kill KILL => $pid if $pid;
			sleep 0.4;
		}
	}, '/api/live/1', '/health/live', '/api/live?q=one', _asset($app));
	note sprintf '%d requests, %d failed', $asked, scalar @$failed;
	# What the killed ones were answering is lost with them: at most one for each client and kill.
	cmp_ok scalar @$failed, '<=', 3 * $CLIENTS, 'at most what it was answering is lost' or diag join "\n", @$failed;
	ok $app->wait_for(sub { $app->get('/api/live')->status == 200 }, 5, 'a new worker'), 'and another one is there';
	is $app->get('/health/live')->status, 200, 'as if nothing had been' for 1 .. 20;
	return;
}

# The program ends; files stay.
sub end {
	my ($front) = @_;
	my $app = $front->app;
	my $asset = _asset($app);
	CORE::kill('KILL', map { $_->{pid} } grep { $_->{name} eq 'sluice' } $app->processes);
	$app->wait_for(sub { !grep { $_->{name} eq 'sluice' } $app->processes }, 5, 'the program to end');
	is $app->get($asset)->status, 200, 'with the program dead, files are sent';
	return;
}

1;
