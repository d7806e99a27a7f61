#!/usr/bin/perl
# t/75-blocks.t - the byte cache: bytes that lie elsewhere, fetched once, right, and kept as long as they may.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Digest::MD5 qw(md5_hex);
use File::Temp ();
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Gateway;
use Gateway::Source;

my $dir     = File::Temp->newdir;
my $gateway = Gateway->new(dir => "$dir");
my $edge    = $gateway->edge_port;

# A source of virtual files: an id is a size, and faults go with the source's name.
sub source {
	my ($name, $faults) = @_;
	return { name => $name, type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"],
		url => "http://127.0.0.1:$edge" . ($faults ? "/x/$faults" : '') . '/virtual/{id}/x' };
}
my $app = App->new(import => 0, conf => { stream_quota => '100M', relay_threads => 80 },
	sources => [ source('plain'), source('slow', 'throttle=400k'), source('cut', 'cut_after=700k,times=3'), source('full', 'range=ignore') ]);

sub bytes {
	my ($first, $last) = @_;
	my $all = join '', map { Gateway::Source::block(undef, $_) } int($first / 65_536) .. int($last / 65_536);
	return substr $all, $first % 65_536, $last - $first + 1;
}
sub virtual { my ($size) = @_; return $gateway->counts->{virtual}{$size} // { requests => 0, bytes => 0 } }
sub part { my ($target, $first, $last) = @_; return $app->get($target, Range => "bytes=$first-$last") }
sub files { my ($half) = @_; return grep { !/\.map$/ } map { m{([^/]+)$} } glob $app->run_dir . "/bytes/$half/*" }

subtest 'the first and the second time' => sub {
	my $cold = $app->get('/cdn/stream/2M');
	is $cold->status, 200, 'is sent whole' or diag $cold->body;
	ok $cold->body eq bytes(0, 1_999_999), 'with the bytes of the source';
	is $cold->header('X-Cache'), 'MISS', 'which was asked';
	is $cold->header('Content-Type'), 'audio/webm', 'as what it says it is';
	is $cold->header('X-Quality'), 'high', 'in the quality that is given';
	like $cold->header('Cache-Control'), qr/^public, max-age=1[34]\d\d\d$/, 'to be kept as long as the address is good';
	my $warm = $app->get('/cdn/stream/2M');
	ok $warm->body eq bytes(0, 1_999_999), 'is the same again';
	is $warm->header('Last-Modified'), $cold->header('Last-Modified'), 'of the same second';
	is virtual(2_000_000)->{requests}, 1, 'the source was asked once';
	is virtual(2_000_000)->{bytes}, 2_000_000, 'for each byte once';
	is_deeply [ map { (stat $app->run_dir . "/bytes/pub/$_")[7] } files('pub') ], [2_000_000], 'and what is whole is published';
	my ($name) = files('pub');
	like $name, qr/^[0-9a-f]{32}\.weba$/, 'under a name that nobody guesses';
	my $file = $app->get("/cdn/o/$name");
	is $file->status, 200, 'which the front server sends by itself';
	is $file->header('X-Request-Id'), undef, 'without the program';
	is $file->header('Content-Type'), 'audio/webm', 'as what it is';
	is $file->header('Last-Modified'), $cold->header('Last-Modified'), 'of the same second';
	is $app->get('/proxy?v=2M')->header('X-Cache'), 'HIT', 'by the other addresses it is the same';
	is $app->get('/proxy/2M')->header('X-Cache'), 'HIT', 'all of them';
	my $part = part('/cdn/stream/2M', 100, 299);
	is $part->status . ' ' . $part->header('Content-Range'), '206 bytes 100-299/2000000', 'a part of it is a part';
	ok $part->body eq bytes(100, 299), 'the right one';
};

subtest 'parts of what is not there' => sub {
	my $far = part('/cdn/stream/20M', 15_000_000, 15_099_999);
	is $far->status . ' ' . $far->header('Content-Range'), '206 bytes 15000000-15099999/20000000', 'far in the middle';
	ok $far->body eq bytes(15_000_000, 15_099_999), 'the right bytes';
	cmp_ok virtual(20_000_000)->{bytes}, '<=', 100_000 + 2 * 262_144, 'for which no more was fetched than the blocks they lie in';
	my $end = $app->get('/cdn/stream/20M', Range => 'bytes=-500');
	ok $end->status == 206 && $end->body eq bytes(19_999_500, 19_999_999), 'the end';
	my $beyond = $app->get('/cdn/stream/20M', Range => 'bytes=20000000-');
	is $beyond->status . ' ' . $beyond->header('Content-Range'), '416 bytes */20000000', 'beyond the end';
	my $unknown = $app->get('/cdn/stream/7M', Range => 'bytes=70000000-');
	is $unknown->status . ' ' . $unknown->header('Content-Range'), '416 bytes */7000000', 'of what was never asked for';
	my $head = $app->head('/cdn/stream/20M');
	is $head->status . ' ' . $head->header('Content-Length'), '200 20000000', 'its head';
	is $head->header('Last-Modified'), $far->header('Last-Modified'), 'of the same second';
};

subtest 'what is too large to be kept' => sub {
	for my $at (0, 5_000_000_000_000, 8_999_999_000_000) {
		my $part = part('/cdn/stream/9T', $at, $at + 999_999);
		is $part->status . ' ' . $part->header('Content-Range'), "206 bytes $at-" . ($at + 999_999) . '/9000000000000', "a part of 9 TB, from $at";
		ok $part->body eq bytes($at, $at + 999_999), 'the right bytes';
	}
	my $modified = $app->head('/cdn/stream/9T')->header('Last-Modified');
	is $app->head('/cdn/stream/9T')->header('Last-Modified'), $modified, 'it stays of one second';
	is $app->get('/cdn/stream/9T', Range => 'bytes=0-9', 'If-Range' => $modified)->status, 206, 'and goes on where that is said';
	is scalar(grep { -s $app->run_dir . "/bytes/work/$_" > 20_000_000 } files('work')), 0, 'nothing of it is kept';
};

subtest 'a crowd' => sub {
	my @got = App::parallel(60, sub { my $reply = $app->get('/cdn/stream/3M'); return { status => $reply->status, sum => md5_hex($reply->body) } });
	is scalar(grep { $_->{status} == 200 && $_->{sum} eq md5_hex(bytes(0, 2_999_999)) } @got), 60, 'each of sixty gets it';
	is virtual(3_000_000)->{bytes}, 3_000_000, 'every byte was fetched once';
	is virtual(3_000_000)->{requests}, 1, 'by one request';
};

subtest 'a source that breaks off' => sub {
	my $reply = $app->get('/cdn/stream/cut.4M');
	is $reply->status, 200, 'is asked again';
	ok $reply->body eq bytes(0, 3_999_999), 'and goes on at the same byte';
	cmp_ok virtual(4_000_000)->{bytes}, '<=', 4_000_000, 'nothing is fetched twice';
};

subtest 'a source that does not send parts' => sub {
	my $part = part('/cdn/stream/full.5M', 4_000_000, 4_000_999);
	is $part->status, 206, 'is read from its beginning' or diag $part->body;
	ok $part->body eq bytes(4_000_000, 4_000_999), 'up to the part';
	ok $app->wait_for(sub { $app->get('/cdn/stream/full.5M')->body eq bytes(0, 4_999_999) }, 10), 'and all of it is there';
	is virtual(5_000_000)->{requests}, 1, 'by one request';
};

subtest 'the filler is killed' => sub {
	my ($reader) = App::parallel(1, sub {
		my $killer = fork;
		if (!$killer) { sleep 1; $app->kill('filler'); POSIX::_exit(0) }
		my $reply = $app->get('/cdn/stream/slow.1M');
		waitpid $killer, 0;
		return { status => $reply->status, sum => md5_hex($reply->body) };
	});
	is $reader->{status} . ' ' . $reader->{sum}, '200 ' . md5_hex(bytes(0, 999_999)), 'and another one goes on';
	cmp_ok virtual(1_000_000)->{bytes}, '<=', 1_000_000 + 262_144, 'where it was';
};

subtest 'another file at the source' => sub {
	my $before = part('/cdn/stream/6M', 0, 99);
	$gateway->control('fault', kind => 'virtual', id => 6_000_000, set => 'modified=1700000500');
	my $after = part('/cdn/stream/6M', 4_000_000, 4_000_099);
	is $after->status, 206, 'is begun anew' or diag $after->body;
	ok $after->body eq bytes(4_000_000, 4_000_099), 'with its own bytes';
	isnt $after->header('Last-Modified'), $before->header('Last-Modified'), 'and is of another second';
	is part('/cdn/stream/6M', 0, 99)->header('Last-Modified'), $after->header('Last-Modified'), 'wherever one looks';
};

# Both qualities are equally long, and nothing tells their bytes apart but what they are.
subtest 'a quality that ends in the middle' => sub {
	my $size = 6_000_000;
	my $listener = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1') or die "listen: $!\n";
	my $port = $listener->sockport;
	my $server = fork // die "fork: $!\n";
	if (!$server) {
		my %asked;
		$SIG{PIPE} = 'IGNORE';
		while (my $client = $listener->accept) {
			sysread $client, my $head, 8192;
			my ($quality, $first, $last) = $head =~ m{^GET /(\w)\w*/.*^Range: bytes=(\d+)-(\d+)}ms;
			$last = $size - 1 if $last >= $size;
			print $client $quality eq 'h' && $asked{$quality}++ ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
				: "HTTP/1.1 206 Partial Content\r\nContent-Type: audio/mpeg\r\nContent-Range: bytes $first-$last/$size\r\nContent-Length: "
				. ($last - $first + 1) . "\r\nConnection: close\r\n\r\n" . $quality x ($last - $first + 1);
			close $client;
		}
		POSIX::_exit(0);
	}
	my $other = App->new(import => 0, via => 'fastcgi', sources => [ { name => 'q', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$port"],
		url => "http://127.0.0.1:$port/{quality}/{id}" } ]);
	my $first = $other->get('/cdn/stream/song?quality=high');
	is $first->header('X-Quality'), 'high', 'is begun';
	like $first->body, qr/^h+$/, 'and breaks off';
	my $then = $other->get('/cdn/stream/song?quality=high');
	is $then->header('X-Quality'), 'medium', 'then the next one down is given';
	ok $then->body eq 'm' x $size, 'all of it';
	my @kept = glob $other->run_dir . '/bytes/pub/*';
	ok @kept == 1 && App::_slurp($kept[0]) eq $then->body, 'and nothing else is kept';
	kill KILL => $server;
	waitpid $server, 0;
};

subtest 'no descriptor left' => sub {
	plan skip_all => 'there is no prlimit' if !App::which('prlimit');
	my $slow = open my $pipe, '-|';
	if (!$slow) { print $app->get('/cdn/stream/slow.3M')->status; close STDOUT; POSIX::_exit(0) }
	ok $app->wait_for(sub { $app->pids('filler') }, 10), 'while something is fetched';
	my ($filler) = $app->pids('filler');
	my $open = () = glob "/proc/$filler/fd/*";
	system 'prlimit', "--pid=$filler", '--nofile=' . ($open + 4) . ':';
	my @strangers = map { IO::Socket::UNIX->new(Type => SOCK_SEQPACKET, Peer => $app->run_dir . '/filler.sock') } 1 .. 30;
	my $ticks = sub { return (split ' ', App::_slurp("/proc/$filler/stat"))[13] + (split ' ', App::_slurp("/proc/$filler/stat"))[14] };
	my $before = $ticks->();
	sleep 1;
	cmp_ok $ticks->() - $before, '<', 30, 'those who cannot be let in keep nobody busy';
	close $_ for splice @strangers;
	system 'prlimit', "--pid=$filler", '--nofile=1024:';
	is part('/cdn/stream/7M', 5, 9)->status, 206, 'and when there is room the next is';
	is scalar(<$pipe>), 200, 'what was under way came to its end';
};

subtest 'room' => sub {
	for my $size (11 .. 24) {
		my $first = $app->get("/cdn/stream/${size}M", Range => 'bytes=0-') if $size > 22;
		is $first->status, 206, "$size MB are sent" if $first;
	}
	$app->get("/cdn/stream/${_}M") for 21, 22;
	my $kept = 0;
	$kept += (stat $app->run_dir . "/bytes/pub/$_")[7] for files('pub');
	cmp_ok $kept, '<=', 100_000_000, 'no more is kept than the quota';
	ok !(grep { (stat $app->run_dir . "/bytes/pub/$_")[7] == 2_000_000 } files('pub')), 'what was used longest ago has gone';
	ok $app->get('/cdn/stream/2M')->body eq bytes(0, 1_999_999), 'and comes again when it is asked for';
	$app->move_clock(4 * 3600 + 60);
	ok $app->wait_for(sub { !files('pub') }, 40), 'four hours after its last use a track is gone' or diag join ' ', files('pub');
};
unlike $app->log, qr/ error /, 'nothing went wrong on the way' or diag join "\n", grep { / error / } split /\n/, $app->log;
done_testing;
