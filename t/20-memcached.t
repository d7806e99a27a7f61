#!/usr/bin/perl
# t/20-memcached.t - the memcached that tests use, and the configuration that is shipped for it.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Find;
use lib abs_path(dirname(__FILE__)) . '/lib';
use Memcached;
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/..');
plan skip_all => Memcached::missing() if Memcached::missing();

# --- the helper -------------------------------------------------------------------------------------
for my $tcp (0, 1) {
	my $where = $tcp ? 'on a port' : 'on a socket';
	my $memcached = Memcached->new(tcp => $tcp);
	like($memcached->server, $tcp ? qr/^127\.0\.0\.1:\d+$/ : qr{^/.*/socket$}, "it runs $where");
	ok($memcached->set('t:tok:' . 'a' x 32, "one\r\nEND\r\n", 60), 'a value is set');
	is($memcached->get('t:tok:' . 'a' x 32), "one\r\nEND\r\n", 'and got, whatever its bytes');
	cmp_ok($memcached->life('t:tok:' . 'a' x 32), '>', 50, 'it lives as long as was said');
	$memcached->set('t:live:' . 'b' x 32, 'two');
	is_deeply([ $memcached->keys ], [ 't:live:' . 'b' x 32, 't:tok:' . 'a' x 32 ], 'its keys are listed');
	is_deeply([ $memcached->keys('tok') ], [ 't:tok:' . 'a' x 32 ], 'and those of a family');
	$memcached->poison;
	is($memcached->get('t:live:' . 'b' x 32), "somebody else's", 'values are made foreign');
	ok($memcached->delete('t:live:' . 'b' x 32) && !defined $memcached->get('t:live:' . 'b' x 32), 'deleted');
	$memcached->flush;
	is_deeply([ grep { defined $memcached->get($_) } $memcached->keys ], [], 'or flushed');

	$memcached->stop;
	my $hangs = !eval { $memcached->ask('version', qr/VERSION/, 0.3) };
	ok($hangs, 'stopped it does not answer');
	$memcached->continue;
	like($memcached->ask('version', qr/VERSION .*\r\n/), qr/VERSION 1/, 'continued it does');
	my $pid = $memcached->pid;
	$memcached->kill;
	ok(!kill(0, $pid), 'killed it is gone');
	$memcached->start;
	is_deeply([ $memcached->keys ], [], 'started again it is empty');
}

# However a test ends, no memcached of it is left.
{
	pipe my $in, my $out or die;
	my $test = fork // die;
	if (!$test) {
		my $memcached = Memcached->new;
		syswrite $out, $memcached->pid . "\n";
		sleep 60;
	}
	chomp(my $pid = <$in>);
	kill KILL => $test;
	waitpid $test, 0;
	my $deadline = time + 5;
	select undef, undef, undef, 0.01 while kill(0, $pid) && time < $deadline;
	ok(!kill(0, $pid), 'a memcached ends with its test, even one that is killed');
}

# --- the shipped configuration ----------------------------------------------------------------------
my $path = "$top/memcached-conf/memcached.conf";
my $shipped = Memcached->new(conf => $path);
my $settings = $shipped->stats('settings');
my %want = (
	maxbytes => 64 * 1_048_576, maxconns => 2048, num_threads => 2, udpport => 0, item_size_max => 1_048_576,
	evictions => 'on', cas_enabled => 'yes', flush_enabled => 'no', auth_enabled_sasl => 'no', idle_timeout => 0,
	inter => '127.0.0.1', lru_crawler => 'yes',
);
is($settings->{$_}, $want{$_}, "with the shipped file $_ is $want{$_}") for sort keys %want;
ok($shipped->set('t:tok:' . 'c' x 32, 'x' x 1_000_000), 'the largest value that Sluice keeps fits');
$shipped->fill(80);
my $stats = $shipped->stats;
cmp_ok($stats->{evictions}, '>', 0, 'when it is full it forgets');
cmp_ok($stats->{bytes}, '<=', 64 * 1_048_576, 'and stays within its memory');
ok($shipped->set('t:tok:' . 'd' x 32, 'new'), 'and takes what is new');

open my $conf, '<', $path or die "$path: $!";
my (@bare, $before);
while (my $line = <$conf>) {
	push @bare, $line if $line =~ /^[^#\s]/ && ($before // '') !~ /^# \S/;
	$before = $line;
}
is_deeply(\@bare, [], 'each of its settings has a sentence');

# --- its description --------------------------------------------------------------------------------
my %used = (brk => 1, lease => 1, state => 1);    # named by constants, and by mc_state() itself
find(
	{   no_chdir => 1,
		wanted   => sub {
			return unless /\.c$/;
			open my $in, '<', $_ or die "$_: $!";
			my $code = do { local $/; <$in> };
			$used{$1} = 1 while $code =~ /\bchar family\[\] = "([^"]+)"/g;
			$used{$1} = 1 while $code =~ /\bmc_(?:get|set|add|cas|delete|incr|count_up)\(\s*[^,()]+,\s*"([^"]+)"/g;
		}
	},
	"$top/lib", "$top/fcgi-app"
);
open my $readme, '<', "$top/memcached-conf/README.md" or die "README.md: $!";
my %described = map { $_ => 1 } map { /`([^`]+)`/g } map { /^\| (`[^|]+)\|/ } grep { /^\| family/ .. /^\s*$/ } <$readme>;
is_deeply([ sort keys %described ], [ sort keys %used ], 'the families that are used are those that are described');
done_testing;
