#!/usr/bin/perl
# t/54-soak.t - twelve channels for minutes, their tokens dying, the clock moving: nothing grows. Only
# with SLUICE_LONG=1; SLUICE_SOAK_MINUTES says for how long (6).
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(max min sum0);
use Test::More;
use Time::HiRes qw(time);
use App;
use Gateway;
use Watch;

plan skip_all => 'only with SLUICE_LONG=1' unless $ENV{SLUICE_LONG};
plan skip_all => 'ffmpeg is not installed' unless App::which('ffmpeg');

my $seconds = 60 * ($ENV{SLUICE_SOAK_MINUTES} // 6);
my @gateways = map { Gateway->new } 1 .. 4;
my @sources = map { {
	name => "g$_", type => 'xtream', url => $gateways[$_]->url, user => 'demo', password => 'demo', connections => 4,
	allow => [ map { '127.0.0.1/32:' . $_ } $gateways[$_]->port, $gateways[$_]->edge_port ],
} } 0 .. $#gateways;
my $app = App->new(sources => \@sources, via => 'fastcgi', conf => { ladder => 'audio', live_token_ttl => '60s', log_level => 'info' });
for my $n (0 .. $#gateways) {    # not all at once
	$gateways[$n]->control('fault', kind => 'live', id => '', set => 'token_dead=' . (15 + 3 * $n) . 's');
}
# The last one's are HLS: a list and segments, each over a connection of its own.
$gateways[-1]->control('fault', kind => 'redirect', id => '', set => 'hls');
$gateways[-1]->control('fault', kind => '', id => '', set => 'token_dead=24s');
my @watches = map { my $g = $_; map { Watch->new($app, "g$g.live-$_", 'audio') } 1 .. 3 } 0 .. $#gateways;
my $on = sub { scalar grep { $_->{status} eq 'on' } @{ $app->get('/api/live')->json->{channels} } };
ok $watches[0]->until(sub { $_->look for @watches; $on->() == @watches }, 120), 'twelve channels play';
my $soak = length $app->log;

sub count_files { my @found = split /\n/, qx{find "$_[0]" -type f 2>/dev/null}; return scalar @found }
sub kib { open my $file, '<', "/proc/$_[0]/smaps_rollup" or return 0; return join('', <$file>) =~ /^Pss_Anon: *(\d+)/m ? $1 : 0 }

# What is held: by our own processes, on the disk, in memcached.
sub held {
	my @ours = grep { $_->{name} eq 'sluice' && $_->{role} !~ /^(?:sluice|token|refresh)$/ } $app->processes;
	return (
		processes => scalar @ours, ffmpegs => scalar(my @f = $app->pids('ffmpeg')),
		descriptors => sum0(map { scalar(my @fds = glob "/proc/$_->{pid}/fd/*") } @ours),
		KiB => sum0(map { kib($_->{pid}) } @ours),
		files => count_files($app->state_dir), leases => count_files($app->run_dir . '/lease'),
		streams => sum0(map { $_->counts->{streams} } @gateways),
	);
}

my ($began, $moved, @seen) = (time, 0);
while (time < $began + $seconds) {
	$_->look for @watches;
	if (time > $moved + 5) {    # less than what would look like silence
		$app->move_clock(2);
		$moved = time;
	}
	next if time < $began + 20 * (@seen + 1);
	push @seen, { held() };
	note sprintf '%4d s: %s', time - $began, join '  ', map { "$seen[-1]{$_} $_" } sort keys %{ $seen[-1] };
	for my $watch (@watches) {    # only what is listed may still be asked for
		my @numbers = $watch->numbers('audio');
		delete @{ $watch->{seen}{audio} }{ @numbers[ 0 .. $#numbers - 20 ] } if @numbers > 20;
	}
}

# The first minute is for caches and pools; the lives of segments are some minutes.
my @steady = @seen[ min(3, $#seen) .. $#seen ];
my @late = @steady[ int(@steady / 2) .. $#steady ];
for my $what (qw(processes descriptors leases KiB files)) {
	my ($then, $now) = map { my $of = $_; max(map { $_->{$what} } @$of) } [ @steady[ 0 .. int(@steady / 2) ] ], \@late;
	my $slack = { processes => 2, descriptors => 8, leases => 2, KiB => $then / 10, files => $then / 10 }->{$what};
	cmp_ok $now, '<=', $then + $slack, "$what: $then at first, $now in the end";
}
is $late[-1]{ffmpegs}, 12, 'one encoder a channel';
my $streams = max(map { $_->{streams} } @late);
ok $streams >= 9 && $streams <= 12, "and one stream, of HLS for moments: $streams";
like $app->log, qr/ flowing channel=g3\.live-$_ .*as=hls/, "g3.live-$_ is read as HLS" for 1 .. 3;
is max(map { map { $_->{peak} } values %{ $_->counts->{channels} } } @gateways), 1, 'never two';
is join('', substr($app->log, $soak) =~ /^.* encoder_ended .*\n/mg), '', 'none was started again';
my @tokens = map { sum0(map { $_->{redirects} } values %{ $_->counts->{channels} }) } @gateways;
cmp_ok min(@tokens), '>', 3 * $seconds / 60, "tokens died and were replaced: @tokens";
is_deeply [ map { $_->faults } @watches ], [], 'with nothing wrong in any playlist or segment';
my @periods = map { $_->periods } @watches;
cmp_ok max(@periods), '<=', 2, "and without a discontinuity, but after a slow start: @periods";
is join('', $app->log =~ /^\S+ error .*\n/mg), '', 'no error was logged';
done_testing;
