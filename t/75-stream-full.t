#!/usr/bin/perl
# t/75-stream-full.t - the byte cache's disk fills up in the middle of an object: it is passed on, rightly, and
# kept again as soon as there is room.
# SPDX-License-Identifier: BSD-2-Clause
# Needs a mount of its own, which it makes in a namespace that nobody else sees.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use Test::More;
use Time::HiRes qw(sleep);
use App;
use Gateway;
use Gateway::Source;

if (!delete $ENV{SLUICE_OWN_MOUNTS}) {
	for my $how ([qw(unshare -m)], [qw(unshare -r -m)]) {
		next if system(join(' ', @$how) . ' mount -t tmpfs -o size=1m tmpfs /mnt >/dev/null 2>&1') != 0;
		local $ENV{SLUICE_OWN_MOUNTS} = 1;
		exec @$how, $^X, $0 or die "unshare: $!\n";
	}
	plan skip_all => 'no file system may be mounted here, not even in a namespace of our own: no disk to fill';
}

my $dir     = File::Temp->newdir;
my $small   = "$dir/small";
mkdir $small or die "$small: $!\n";
system('mount', '-t', 'tmpfs', '-o', 'size=24m,mode=0755', 'tmpfs', $small) == 0 or die "mount failed\n";
my $gateway = Gateway->new(dir => "$dir");
my $edge    = $gateway->edge_port;
my $app = App->new(import => 0, via => 'fastcgi', conf => { stream_quota => '100M', stream_dir => $small, free_floor => 0 },
	sources => [ { name => 'v', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"], url => "http://127.0.0.1:$edge/x/throttle=4M/virtual/{id}/x" } ]);

sub bytes {
	my ($size) = @_;
	return substr join('', map { Gateway::Source::block(undef, $_) } 0 .. int($size / 65_536)), 0, $size;
}
sub fill {
	open my $file, '>', "$small/ballast" or die "ballast: $!\n";
	1 while syswrite $file, "\0" x 65_536;
	return close $file;
}

my ($reply) = App::parallel(1, sub {
	my $filler = fork // die "fork: $!\n";
	if (!$filler) {
		$app->wait_for(sub { grep { (stat $_)[12] * 512 > 2_000_000 } glob "$small/work/*" }, 10);
		fill();
		POSIX::_exit(0);
	}
	my $reply = $app->get('/cdn/stream/9M');
	waitpid $filler, 0;
	return { status => $reply->status, right => $reply->body eq bytes(9_000_000), length => length $reply->body };
});
is $reply->{status}, 200, 'an object is sent though the disk fills up meanwhile';
ok $reply->{right}, 'every byte of it' or diag "$reply->{length} bytes";
ok !(grep { !/ballast/ && !-z $_ } glob "$small/pub/*"), 'nothing of it is kept';
my $second = $app->get('/cdn/stream/3M');
ok $second->status == 200 && $second->body eq bytes(3_000_000), 'so is another one while it is full' or diag $second->status;
is $app->get('/health')->status, 200, 'and the service is well';
unlink "$small/ballast";
ok $app->wait_for(sub { $app->move_clock(15); my $r = $app->get('/cdn/stream/3M'); $r->body eq bytes(3_000_000) && grep { -s $_ == 3_000_000 } glob "$small/pub/*" }, 15),
	'with room again it is kept';
unlike $app->log, qr/must failed| error /, 'and nothing else went wrong' or diag join "\n", grep { / error / } split /\n/, $app->log;
undef $app;
system 'umount', $small;
done_testing;
