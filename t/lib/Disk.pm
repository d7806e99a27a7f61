# t/lib/Disk.pm - disks of a test's own, to be filled.
# SPDX-License-Identifier: BSD-2-Clause
#
#   Disk::own_mounts() or plan skip_all => Disk::missing();   # first of all: the test begins anew
#   Disk::mount($dir, 64);                    # megabytes; gone with the test
#   my $clear = Disk::fill($dir);             # all that is free is taken
#   my $clear = Disk::fill($dir, greedy => 1, leave => 1 << 20);
#   $clear->();                               # and given back
package Disk;
use strict;
use warnings;
use POSIX ();
use Time::HiRes qw(sleep);

sub missing { return 'no file system may be mounted here, not even in a namespace of our own: no disk to fill' }

# True in a namespace of mounts that nobody else sees; where there may be one, the test is run again
# in it.
sub own_mounts {
	return 1 if delete $ENV{SLUICE_OWN_MOUNTS};
	for my $how ([qw(unshare -m)], [qw(unshare -r -m)]) {
		next if system(join(' ', @$how) . ' mount -t tmpfs -o size=1m tmpfs /mnt >/dev/null 2>&1') != 0;
		local $ENV{SLUICE_OWN_MOUNTS} = 1;
		exec @$how, $^X, $0 or die "unshare: $!\n";
	}
	return 0;
}

sub mount {
	my ($dir, $mb) = @_;
	mkdir $dir;
	system('mount', '-t', 'tmpfs', '-o', "size=${mb}m,mode=0755", 'tmpfs', $dir) == 0 or die "mount $dir\n";
	return;
}

sub unmount { my (@dirs) = @_; system 'umount', '-l', $_ for @dirs; return }

# Takes all that is free in a directory, but for `leave` bytes. With `greedy` it goes on to take what
# becomes free.
sub fill {
	my ($dir, %how) = @_;
	my $most = $how{leave} ? free_bytes($dir) - $how{leave} : 1 << 40;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		my $parent = getppid;
		open my $file, '>', "$dir/ballast" or POSIX::_exit(1);
		do {
			for my $bytes (65536, 4096, 1) { $most -= $bytes while $most >= $bytes && syswrite $file, 'x' x $bytes }
			sleep 0.02 if $how{greedy};
		} while ($how{greedy} && getppid == $parent);
		POSIX::_exit(0);
	}
	if ($how{greedy}) { sleep 0.3 } else { waitpid $pid, 0; $pid = 0 }
	return sub { if ($pid) { kill KILL => $pid; waitpid $pid, 0 } unlink "$dir/ballast" or die "ballast: $!\n" };
}

sub free_bytes {
	my ($dir) = @_;
	my ($line) = grep { /\d/ } split /\n/, `df -k --output=avail '$dir'`;
	return $line * 1024;
}

1;
