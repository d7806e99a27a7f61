#!/usr/bin/perl
# t/76-film-room.t - films, and how much of them is kept for how long: nobody ever goes without for it.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Find ();
use Test::More;
use Time::HiRes qw(time sleep);
use App;
use Disk;
use Scripted;

my $mounts = Disk::own_mounts();
my $BYTES = 400_000;    # of a segment
my $films = Scripted->new;
$films->film('Large.mkv', 'segments 100', "bytes $BYTES");
$films->film($_, 'segments 100', "bytes $BYTES") for qw(Young.mkv Third.mkv);
$films->film('Odd.mkv',   'segments 100', 'bytes 4000000');    # more than its quality allows

sub published_bytes {
	my ($app) = @_;
	my $sum = 0;
	File::Find::find({ no_chdir => 1, wanted => sub { $sum += -s _ if -f $_ } }, $app->www . '/api');
	return $sum;
}

# Asked for by several at once: the numbers of those that did not come right.
sub wrong {
	my ($film, $ver, @n) = @_;
	my @replies = App::parallel(10, sub {
		my ($k) = @_;
		return { map { my $reply = $films->app->get($films->path($film, $ver, "240p/$_.m4s"), 'User-Agent' => "viewer $k");
			($_ => $reply->status . ' ' . length($reply->body) . ' ' . substr($reply->body, 0, 16) =~ s/\n.*//sr) } grep { $_ % 10 == $k - 1 } @n };
	});
	my %got = map { %$_ } @replies;
	my $length = $film eq 'Odd.mkv' ? 4_000_000 : $BYTES;
	return [ map { ($got{$_} // "nothing") ne "200 $length segment 240p $_" ? "$_: $got{$_}" : () } @n ];
}

subtest 'a quota that is smaller than what is watched' => sub {
	my $app = $films->serve(conf => { bytes_quota => '8M', look_ahead => 0 });
	my $ver = $films->ver('Large.mkv');
	pipe my $end, my $stop;
	my $pid = open my $watch, '-|';
	if (!$pid) {
		close $stop;
		my $most = 0;
		until (sysread_ready($end)) { my $now = published_bytes($app); $most = $now if $now > $most }
		print $most;
		close STDOUT;
		POSIX::_exit(0);
	}
	close $end;
	is_deeply wrong('Large.mkv', $ver, 0 .. 69), [], 'is no reason for a viewer to go without';
	close $stop;
	my $most = <$watch>;
	cmp_ok $most, '<=', 8 << 20, 'and is never passed while 28 MB are made';
	cmp_ok $most, '>', 6 << 20, 'but used';
	ok $app->wait_for(sub { $app->log =~ / evicted files=\d/ }, 10, 'an eviction'), 'what was made first goes';
	is_deeply wrong('Large.mkv', $ver, 0 .. 3), [], 'and is made again for who goes back';
	ok $app->wait_for(sub { $films->get('Large.mkv', $ver, '240p/1.m4s'); $films->published('Large.mkv', $ver, '240p/1.m4s') }, 10, 'it'), 'and kept again';
	unlike $app->log, qr/ error /, 'without a fault of ours';
	$app->end;
};

sub sysread_ready { my ($file) = @_; my $in = ''; vec($in, fileno $file, 1) = 1; return select $in, undef, undef, 0.01 }

subtest 'a title that is asked for often' => sub {
	plan skip_all => 'lighttpd is not installed' unless App::which('lighttpd');
	my $app = $films->serve(via => 'lighttpd', conf => { bytes_quota => '8M', look_ahead => 0, access_log => 'lighttpd-access.log' });
	my %ver = map { $_ => $films->ver($_) } qw(Large.mkv Young.mkv Third.mkv);
	my $ask = sub { my ($film, @n) = @_; return grep { $films->get($film, $ver{$film}, "240p/$_.m4s")->status != 200 } @n };
	my $kept = sub { my ($film, @n) = @_; return scalar grep { $films->published($film, $ver{$film}, "240p/$_.m4s") } @n };
	is_deeply [ map { $ask->('Large.mkv', 0 .. 4) } 1 .. 5 ], [], 'it plays, again and again';
	my $id = $films->id('Large.mkv');
	ok $app->wait_for(sub {
		my ($line) = grep { $_->{id} eq $id } @{ $app->get('/api/stats/bandwidth')->json->{byTitle} };
		return ($line->{hits} // 0) >= 20;
	}, 20, 'the meter'), 'and is counted';
	$app->move_clock(2 * 3600);
	is_deeply [ $ask->('Young.mkv', 0 .. 9) ], [], 'hours later another plays, once';
	ok $app->wait_for(sub { !$ask->('Third.mkv', 0 .. 11) && $kept->('Third.mkv', 0 .. 11) == 12 }, 30, 'the third'), 'and a third, for which room is made';
	is $kept->('Large.mkv', 0 .. 4), 5, 'what is asked for often stays, though it is the oldest';
	cmp_ok $kept->('Young.mkv', 0 .. 9), '<', 5, 'what nobody has asked for again goes';
	$app->move_clock(31 * 86400);
	ok $app->wait_for(sub { !$kept->('Large.mkv', 0 .. 4) }, 10, 'its end'), 'but no title is kept for more than 30 days';
	unlike $app->log, qr/ error /, 'and nothing is a fault of ours';
	$app->end;
};

subtest 'thirty days' => sub {
	my $app = $films->serve;
	my $ver = $films->ver('Large.mkv');
	my $body = $films->get('Large.mkv', $ver, '240p/5.m4s')->body;
	$app->move_clock(29 * 86400);
	sleep 1;
	ok $films->published('Large.mkv', $ver, '240p/5.m4s'), 'a part is kept for 29 days';
	$app->move_clock(2 * 86400);
	ok $app->wait_for(sub { !$films->published('Large.mkv', $ver, '240p/5.m4s') }, 10, 'its end'), 'but not for 31';
	is $films->ver('Large.mkv'), $ver, 'the film is still the same';
	ok $films->get('Large.mkv', $ver, '240p/5.m4s')->body eq $body, 'and the part, when it is asked for again';
	ok $films->published('Large.mkv', $ver, '240p/5.m4s'), 'which is kept again';
	$app->end;
};

subtest 'a full disk' => sub {
	plan skip_all => Disk::missing() unless $mounts;
	my $app = $films->serve(start => 0, conf => { free_floor => '4M', look_ahead => 0 });
	Disk::mount($app->state_dir, 48);
	$app->start;
	$app->import_sources;
	my $disk = sub { $app->get('/health')->json->{checks}{disk} };
	my $ver = $films->ver('Large.mkv');
	is_deeply wrong('Large.mkv', $ver, 0 .. 3), [], 'a film plays';
	ok $films->published('Large.mkv', $ver, '240p/3.m4s') && $disk->() eq 'ok', 'and is kept';

	my $clear = Disk::fill($app->state_dir);
	is_deeply wrong('Large.mkv', $ver, 10 .. 29), [], 'when the disk is full every viewer goes on';
	ok !(grep { $films->published('Large.mkv', $ver, "240p/$_.m4s") } 10 .. 29), 'with what is not kept';
	like $disk->(), qr/\bwww is full: .*; serving without keeping/, 'and health says so';
	is $app->get('/health')->status, 200, 'of a service that goes on';
	is_deeply wrong('Large.mkv', $ver, 0 .. 3), [], 'what was kept before plays too' ;
	$clear->();
	ok $app->wait_for(sub { $disk->() eq 'ok' }, 10, 'room'), 'when there is room again, health says that';
	ok $app->wait_for(sub { $films->get('Large.mkv', $ver, '240p/30.m4s'); $films->published('Large.mkv', $ver, '240p/30.m4s') }, 5, 'it'), 'and parts are kept';

	# Seemingly enough: the disk says no in the middle of a part.
	$ver = $films->ver('Odd.mkv');
	$clear = Disk::fill($app->state_dir, leave => 4096 * 1024 + 2_500_000);
	is_deeply wrong('Odd.mkv', $ver, 0 .. 2), [], 'a disk that fills while a part is written costs nobody anything';
	ok !(grep { $films->published('Odd.mkv', $ver, "240p/$_.m4s") } 0 .. 2), 'and no half of it is kept';
	$clear->();
	is_deeply [ glob $app->www . '/.tmp*' ], [], 'nor left over';
	unlike $app->log, qr/ error /, 'nothing of it is a fault of ours';
	my $dir = $app->state_dir;
	$app->stop;
	Disk::unmount($dir);
	$app->end;
};
done_testing;
