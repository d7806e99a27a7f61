#!/usr/bin/perl
# t/78-stream-storm.t - a crowd, at one cold object and all over a large one, while processes are killed: no wrong
# byte, and none fetched twice. SLUICE_LONG=1 for the second, which takes a minute and 1 GB of disk.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Gateway::Source;
use Load;

my $dir     = File::Temp->newdir;
my $gateway = Gateway->new(dir => "$dir");
my $edge    = $gateway->edge_port;
my $load    = App::builddir() . '/t/bench/load';
my $RATE    = 20_000;    # bytes a second that a slow reader takes
my $SOURCE  = 24_000;    # and that the source of what is cold gives them
my @common  = (type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"]);
my @source  = (
	{ name => 'v', @common, url => "http://127.0.0.1:$edge/virtual/{id}/x" },
	{ name => 'slow', @common, url => "http://127.0.0.1:$edge/x/throttle=$SOURCE/virtual/{id}/x" },
);
my $app = App->new(import => 0, conf => { stream_quota => '8G', relay_processes => 8, relay_threads => 250, log_level => 'info' }, sources => \@source);

sub bytes {
	my ($first, $last) = @_;
	my $all = join '', map { Gateway::Source::block(undef, $_) } int($first / 65_536) .. int($last / 65_536);
	return substr $all, $first % 65_536, $last - $first + 1;
}
sub virtual { my ($size) = @_; return $gateway->counts->{virtual}{$size} // { requests => 0, bytes => 0 } }

subtest 'five hundred clients, eight processes, one cold object of 2 MB' => sub {
	plan skip_all => 'no front server is installed' unless $app->front;
	plan skip_all => 'a sanitizer looks at another program here' if App::sanitized();
	plan skip_all => "$load is not built (make $load)" unless -x $load;
	my $file = File::Temp->new;
	print $file bytes(0, 1_999_999);
	close $file;
	my $begun = time;
	my $told = `$load -c 500 -n 500 -b $file @{[ $app->port ]} /cdn/stream/2M`;
	my $s = time - $begun;
	my $got = eval { JSON::PP->new->decode($told) } // {};
	is $got->{requests}, 500, 'all are answered' or diag $told;
	is $got->{wrong}, 0, 'rightly, to the byte';
	is $got->{broken}, 0, 'and whole';
	is virtual(2_000_000)->{bytes}, 2_000_000, 'every byte was fetched once';
	is virtual(2_000_000)->{requests}, 1, 'by one request';
	note sprintf 'in %.2f s, the slowest after %.2f s', $s, ($got->{max_us} // 0) / 1e6;
};

# --- all over a large object ------------------------------------------------------------------------------
my $CLIENTS = 100;
my ($SIZE, $REGION);    # of the object, and of what one client reads of it

# A client reads its own tenth of a tenth again and again, in parts of random sizes; tells what it saw.
sub client {
	my ($n, $until) = @_;
	srand $n;
	my %seen = map { $_ => 0 } qw(parts wrong broken aborted bytes asked);
	my $at = 0;
	while (time < $until) {
		my ($first, $last) = ($n * $REGION + $at, $n * $REGION + $at + 262_144 + int rand 2_000_000);
		$last = ($n + 1) * $REGION - 1 if $last >= ($n + 1) * $REGION;
		my $abort = rand() < 0.02;
		my $body = part($first, $last, $abort);
		my $want = bytes($first, $last);
		$seen{parts}++;
		# Each part begins where the one before ended: what was asked for has no hole.
		$seen{asked} = $last + 1 - $n * $REGION if $last + 1 - $n * $REGION > $seen{asked};
		$seen{bytes} += length $body;
		$seen{wrong}++ if $body ne substr $want, 0, length $body;
		if ($abort) { $seen{aborted}++; $at = ($at + length $body) % $REGION }
		elsif (length $body < length $want) { $seen{broken}++; $at += length $body; sleep 0.05 }
		else { $at = $last + 1 - $n * $REGION }
		$at = 0 if $at >= $REGION;
	}
	return \%seen;
}

# What came of one part; of one that is aborted, the beginning.
sub part {
	my ($first, $last, $abort) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $app->port, Timeout => 10) or return '';
	local $SIG{PIPE} = 'IGNORE';
	print $socket "GET /cdn/stream/$SIZE HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: bytes=$first-$last\r\n\r\n";
	$socket->flush;
	my ($answer, $most) = ('', $abort ? 1 + int rand $last - $first : 1e12);
	while (1) {
		my $ready = '';
		vec($ready, fileno $socket, 1) = 1;
		last if !select $ready, undef, undef, 35;
		my $n = sysread $socket, $answer, 262_144, length $answer;
		last if !$n || length $answer > $most;
	}
	my $end = index $answer, "\r\n\r\n";
	return '' if $end < 0 || $answer !~ m{^HTTP/1\.1 206 };
	die "another part\n" if $answer !~ m{^Content-Range: bytes $first-$last/$SIZE\r$}m;
	return substr $answer, $end + 4;
}

sub crowd {
	my ($size, $seconds, $role, $every) = @_;
	($SIZE, $REGION) = ($size, $size / $CLIENTS);
	my $until = time + $seconds;
	my $killer = fork // die "fork: $!\n";
	if (!$killer) {
		while (time + $every < $until) {
			sleep $every;
			my @pids = $app->pids($role);
			CORE::kill('KILL', $pids[ rand @pids ]) if @pids;
		}
		POSIX::_exit(0);
	}
	my %sum;
	for my $seen (App::parallel($CLIENTS, sub { client($_[0] - 1, $until) })) {
		fail "a client has failed: $seen->{failed}" if $seen->{failed};
		$sum{$_} += $seen->{$_} // 0 for qw(parts wrong broken aborted bytes asked);
	}
	waitpid $killer, 0;
	return \%sum;
}

subtest 'a hundred clients all over 1 GB' => sub {
	plan skip_all => 'SLUICE_LONG is not set' unless $ENV{SLUICE_LONG};
	plan skip_all => 'no front server is installed' unless $app->front;
	my $seconds = $ENV{SLUICE_STORM_S} // 60;
	my $seen = crowd(1_000_000_000, $seconds, 'relay', 2);
	my $fetched = virtual($SIZE)->{bytes};
	my $union = $seen->{asked};
	is $seen->{wrong}, 0, 'no wrong byte';
	cmp_ok $seen->{parts}, '>', 500, 'of many parts';
	cmp_ok $seen->{aborted}, '>', 5, 'some of which were not waited for';
	cmp_ok $fetched, '<=', 1.05 * $union, 'no more was fetched than was asked for, and a twentieth';
	note sprintf '%d parts, %d of them broken by a kill, %d aborted, %.0f MB read, %.0f MB asked for, %.0f MB fetched (%.3f)',
		@$seen{qw(parts broken aborted)}, $seen->{bytes} / 1e6, $union / 1e6, $fetched / 1e6, $fetched / $union;
	$seen = crowd(900_000_000, $seconds / 3, 'filler', 1);
	is $seen->{wrong}, 0, 'nor when the filler is killed each second';
	cmp_ok virtual($SIZE)->{requests}, '>', 100, 'and others go on where it was';
	note sprintf '%d parts, %d of them broken, %.0f MB asked for, %.0f MB fetched', @$seen{qw(parts broken)}, $seen->{asked} / 1e6, virtual($SIZE)->{bytes} / 1e6;
	unlike $app->log, qr/must failed|Sanitizer|status=139/, 'no process has died of a fault of ours';
};

# --- slow readers ----------------------------------------------------------------------------------------
my ($WHOLE_READERS, $COLD_READERS, $OBJECTS, $READ_S) = (2000, 300, 10, 12);
my $ARRIVE_S = 3;    # until the last of them has come
my $QUIET    = 0.3;  # of a machine is at work while we are alone: no more, or idle means nothing

# All at once: each line of what they ask is {count, size, target}. They are one process a line, and come of a shell:
# copies of this one would cost the machine more than they themselves do. What each line got.
sub slow_readers {
	my ($service, @asked) = @_;
	my $dir = File::Temp->newdir;
	my $script = '';
	for my $n (0 .. $#asked) {
		my ($count, $size, $target) = @{ $asked[$n] }{qw(count size target)};
		open my $file, '>:raw', "$dir/body.$n" or die "body: $!\n";
		print $file bytes(0, $size - 1);
		close $file;
		$script .= "$load -c $count -n $count -r $RATE -a $ARRIVE_S -b $dir/body.$n @{[ $service->port ]} $target >$dir/told.$n &\n";
	}
	system 'sh', '-c', "${script}wait";
	return map { eval { JSON::PP->new->decode(App::_slurp("$dir/told.$_")) } // { wrong => 'it said nothing' } } 0 .. $#asked;
}

# Of a round: how many got all of it, the right bytes, how many there were together, and when it began and ended.
sub slow_round {
	my ($service, $whole, $published, $cold) = @_;
	my @asked = ({ count => $WHOLE_READERS, size => $whole, target => $published },
		map { { count => $COLD_READERS / $OBJECTS, size => $cold + $_, target => "/cdn/stream/slow.@{[ $cold + $_ ]}" } } 1 .. $OBJECTS);
	my $begun = time;
	my @got = slow_readers($service, @asked);
	my ($finished, $together) = (0, 0);
	for my $seen (@got) {
		diag JSON::PP->new->encode($seen) if $seen->{wrong} || $seen->{broken};
		$finished += $seen->{requests} if !$seen->{wrong} && !$seen->{broken};
		$together += $seen->{most} // 0;
	}
	return { finished => $finished, together => $together, from => $begun, to => time };
}

# How much of the machine is at work, of 1, since the last time this was asked.
my @stat = (0, 0);
sub machine_load {
	my ($fields) = App::_slurp('/proc/stat') =~ /^cpu\s+(.*)/;
	my @ticks = split ' ', $fields;
	my @now = ($ticks[3] + $ticks[4], 0);
	$now[1] += $_ for @ticks[0 .. 7];
	my $share = 1 - ($now[0] - $stat[0]) / ($now[1] - $stat[1] || 1);
	@stat = @now;
	return $share;
}

subtest 'thousands of slow readers, and who asks the API meanwhile' => sub {
	plan skip_all => 'SLUICE_LONG is not set' unless $ENV{SLUICE_LONG};
	plan skip_all => 'no front server is installed, or the client is not built' unless $app->front && -x $load;
	plan skip_all => 'a sanitizer looks at another program here' if App::sanitized();
	undef $app;
	my $service = App->new(import => 0, conf => { stream_quota => '8G', log_level => 'info' }, sources => \@source);
	my ($whole, $cold, $rounds) = ($RATE * $READ_S, $RATE * $READ_S + 4096, 3);
	is length $service->get("/cdn/stream/$whole")->body, $whole, 'one object is whole';
	my ($published) = map { substr $_, length $service->www } grep { -s == $whole } glob $service->www . '/cdn/o/*';
	ok $published, 'and published';
	setpriority 0, $_, 19 for $gateway->{pid};
	my $api = Load->new($service, rate => 100, paths => ['/health/live']);
	my (@ratios, @told);
	for my $round (1 .. $rounds) {
		my ($idle_from) = (time, machine_load());
		sleep 10;
		my $work = machine_load();
		my ($idle_to, $seen) = (time, slow_round($service, $whole, $published, $cold + 100 * $round));
		is $seen->{finished}, $WHOLE_READERS + $COLD_READERS, 'all finish, with the right bytes';
		is $seen->{together}, $WHOLE_READERS + $COLD_READERS, 'and have all been there together';
		my ($idle, $busy) = map { 1000 * Load::percentile(99, $api->answers(@$_)) } [ $idle_from, $idle_to ], [ @$seen{qw(from to)} ];
		is scalar(grep { $_->{status} != 200 } $api->answers(@$seen{qw(from to)})), 0, 'the API answers all the while';
		push @ratios, $busy / $idle if $work < $QUIET;
		push @told, sprintf '%.1f ms without them, with %.0f %% of the machine at work, and %.1f ms with them for %.1f s', $idle, 100 * $work, $busy, $seen->{to} - $seen->{from};
	}
	$api->stop;
	is scalar(grep { virtual($_)->{bytes} != $_ } map { my $round = $_; map { $cold + 100 * $round + $_ } 1 .. $OBJECTS } 1 .. $rounds), 0, 'each byte was fetched once';
	note "the 99th of a hundred answers of the API: $_" for @told;
	SKIP: {
		skip 'others are at work on this machine: there is no idle to compare with', 1 unless @ratios;
		my $median = (sort { $a <=> $b } @ratios)[ @ratios / 2 ];
		cmp_ok $median, '<=', 2, sprintf 'and that of the API is at most twice that without them: %.2f', $median;
	}
};
done_testing;
