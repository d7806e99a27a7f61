# t/bench/lib/Bench/Streams.pm - streams that lie elsewhere: a crowd at a cold one, a seek in a large one, parts, slow
# readers.
# SPDX-License-Identifier: BSD-2-Clause
#
# The origin is t/lib/Gateway.pm, one process, the same for all. What is compared with: the same as a file of
# nginx or of our own front server, nginx that caches slices, and node that proxies (Bench::Proxy).
package Bench::Streams;
use strict;
use warnings;
use File::Temp ();
use Time::HiRes qw(time);
use App;
use App::Client;
use Gateway;
use Gateway::Source;
use Bench;
use Bench::Files;
use Bench::Plain;
use Bench::Proxy;
use Bench::Readers;

my $CLIENTS   = 500;
my $SIZE      = 2_000_000;
my $LARGE     = 1_000_000_000;
my $PART      = 65_536;
my $PROCESSES = 8;
my $TURNS     = 3;
my $READERS   = 2000;
my $RATE      = 20_000;    # bytes a second, each
my $READ      = 160_000;

sub run {
	my $dir     = File::Temp->newdir;
	my $gateway = Gateway->new(dir => "$dir");
	my ($app, @others) = servers($gateway);
	my @lines = (crowd($gateway, $app, @others), seek_far($gateway, $app, @others), parts($app, @others));
	undef $app;
	return (@lines, slow(servers($gateway)));
}

# We, and those that we are compared with, all of them just started.
sub servers {
	my ($gateway) = @_;
	my $edge = $gateway->edge_port;
	my $app = App->new(import => 0, conf => { stream_quota => '8G', relay_processes => $PROCESSES, relay_threads => 250, log_level => 'info' },
		sources => [ { name => 'v', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"], url => "http://127.0.0.1:$edge/virtual/{id}/x" } ]);
	return ($app, Bench::Proxy->start($app, $edge));
}

sub bytes {
	my ($first, $last) = @_;
	my $all = join '', map { Gateway::Source::block(undef, $_) } int($first / 65_536) .. int($last / 65_536);
	return substr $all, $first % 65_536, $last - $first + 1;
}

sub fetched { my ($gateway, $size) = @_; return $gateway->counts->{virtual}{$size}{bytes} // 0 }

# --- a crowd --------------------------------------------------------------------------------------

# Objects of slightly different sizes, so that each is cold once.
sub crowd {
	my ($gateway, $app, @others) = @_;
	my $target = Bench::Files::put($app, '/tv/live-bench/' . 'cd' x 16 . '/720p/1.ts', bytes(0, $SIZE - 1));
	my (@ours, @plain, @origin, %theirs);
	for my $turn (1 .. $TURNS) {
		my $size = $SIZE + 10 * $turn;
		push @ours, storm($gateway, $app->port, "/cdn/stream/$size", $size);
		die "/cdn/stream/$size: only $ours[-1]{right} of $CLIENTS are right\n" if $ours[-1]{right} != $CLIENTS;
		push @plain, storm($gateway, $app->port, $target, $SIZE);
		push @origin, { ms => 1000 * took($gateway->edge_port, '/virtual/' . ($size + 9) . '/x') };
		for my $i (0 .. $#others) {
			my $other = $size + 1 + $i;
			push @{ $theirs{$i} }, storm($gateway, $others[$i]{port}, "/virtual/$other/x", $other);
		}
	}
	my ($we, $file, $origin, @they) = map { Bench::medians(@$_) } \@ours, \@plain, \@origin, @theirs{ 0 .. $#others };
	return Bench::row("$CLIENTS clients, $PROCESSES processes, one cold object of 2 MB",
		sprintf('each byte fetched %.2f times, last after %.0f ms', @$we{qw(fetched ms)}),
		sprintf('%.0f ms (the same from a file), origin %.0f ms; ', $file->{ms}, $origin->{ms})
			. join('; ', map { sprintf '%.2f times, %.0f ms, %d served (%s)', @{ $they[$_] }{qw(fetched ms right)}, $others[$_]{name} } 0 .. $#others),
		'each byte once, ≤ 1.3 × (file + origin)', $we->{fetched} == 1 && $we->{ms} <= 1.3 * ($file->{ms} + $origin->{ms}) ? 1 : 0);
}

sub storm {
	my ($gateway, $port, $target, $size) = @_;
	my $file = File::Temp->new;
	print $file bytes(0, $size - 1);
	close $file;
	my $seen = Bench::load('-c', $CLIENTS, '-n', $CLIENTS, '-b', $file->filename, $port, $target);
	return { ms => $seen->{max_us} / 1000, fetched => fetched($gateway, $size) / $size, right => $seen->{requests} - $seen->{wrong} };
}

# --- a seek ---------------------------------------------------------------------------------------

sub took {
	my ($port, $target, @headers) = @_;
	my $begun = time;
	my $reply = App::Client::http($port, GET => $target, \@headers);
	die "$target: " . $reply->status . "\n" unless $reply->status =~ /^20[06]$/;
	return time - $begun;
}

sub seek_far {
	my ($gateway, $app, @others) = @_;
	my (@turns, $over);
	for my $turn (1 .. $TURNS) {
		my $size  = $LARGE + 10 * $turn;
		my $first = int($size * 0.9);
		my @part  = (Range => "bytes=$first-" . ($first + $PART - 1));
		my %seen  = (ours => took($app->port, "/cdn/stream/$size", @part));
		$over = fetched($gateway, $size) if fetched($gateway, $size) > ($over // 0);
		$seen{origin} = took($gateway->edge_port, '/virtual/' . ($size + 9) . '/x', @part);
		for my $i (0 .. $#others) {
			my $other = $size + 1 + $i;
			$seen{$i} = took($others[$i]{port}, "/virtual/$other/x", @part);
			$seen{"over $i"} = fetched($gateway, $other);
		}
		push @turns, \%seen;
	}
	my $seen = Bench::medians(@turns);
	my ($we, $they) = map { 1000 * $_ } @$seen{qw(ours origin)};
	return Bench::row('64 KiB at nine tenths of a cold 1 GB', sprintf('%.1f ms, at most %.0f KiB fetched', $we, $over / 1024),
		sprintf('%.1f ms (the origin); ', $they)
			. join('; ', map { sprintf '%.1f ms, %.0f KiB fetched (%s)', 1000 * $seen->{$_}, $seen->{"over $_"} / 1024, $others[$_]{name} } 0 .. $#others),
		'≤ 10 ms + origin, ≤ the part and a block on each side',
		$we <= 10 + $they && $over <= $PART + 2 * 262_144 ? 1 : 0);
}

# The name under which an object is published once it is whole, and its size is nobody else's.
sub published {
	my ($app, $size) = @_;
	App::Client::http($app->port, GET => "/cdn/stream/$size", []);
	my ($path) = grep { -s == $size } glob $app->www . '/cdn/o/*';
	return $path ? substr($path, length $app->www) : die "the object of $size bytes was not published\n";
}

# --- parts ----------------------------------------------------------------------------------------

# Of an object that is whole everywhere: by its stable address, by its published name, and of the others.
sub parts {
	my ($app, @others) = @_;
	my ($size, $first) = ($SIZE + 500, 1_000_000);
	my $published = published($app, $size);
	App::Client::http($_->{port}, GET => "/virtual/$size/x", []) for @others;
	my %asked = (status => 206, headers => [ "Range: bytes=$first-" . ($first + $PART - 1) ],
		body => Bench::write_file($app->dir . '/part', bytes($first, $first + $PART - 1)));
	my $plain = Bench::Plain->start($app, 'nginx', $app->www);
	my @sessions = $app->sessions;
	my ($we, $file, $nginx, @they) = Bench::compare(
		{ name => 'published', port => $app->port, sessions => \@sessions, target => $published, %asked },
		{ name => 'by X-Sendfile', port => $app->port, sessions => \@sessions, target => "/cdn/stream/$size", %asked },
		{ name => 'nginx, a file', port => $plain->{port}, sessions => [ $plain->{session} ], target => $published, %asked },
		map { +{ %$_, target => "/virtual/$size/x", %asked } } @others);
	return Bench::row('64 KiB of a whole 2 MB, by its published name', cost($we),
		join('; ', cost($nginx) . ' (nginx, the same file)', map { cost($they[$_]) . " ($others[$_]{name})" } 0 .. $#others),
		'', undef),
		Bench::row('the same by its stable address', cost($file), cost($we) . ' (by its published name)', '', undef);
}

sub cost { my ($seen) = @_; return sprintf '%.0f µs, %.2f s/GB, %.0f/s', @$seen{qw(us s_per_gb rate)} }

# --- slow readers -----------------------------------------------------------------------------------

# Each has answered nobody before: a server that has grown stays so.
sub slow {
	my ($app, @others) = @_;
	my $body = Bench::write_file($app->dir . '/slow', bytes(0, $READ - 1));
	my $published = published($app, $READ);
	my $plain = Bench::Plain->start($app, 'nginx', $app->www);
	my @asked = ({ name => 'nginx, the same file', port => $plain->{port}, sessions => [ $plain->{session} ], target => $published },
		map { +{ %$_, target => "/virtual/$READ/x" } } @others);
	my $we = readers($body, $app->port, $published, $app->sessions);
	my @told = map { lazily(readers($body, @$_{qw(port target)}, @{ $_->{sessions} })) . " ($_->{name})" } @asked;
	return Bench::row("$READERS readers of a whole 160 kB at 20 kB/s each", lazily($we), join('; ', @told), 'all finish, ≤ 6 KiB each',
		$we->{finished} == $READERS && $we->{memory} <= 6144 ? 1 : 0);
}

sub lazily { my ($seen) = @_; return sprintf '%d finished, %.1f KiB and %.0f µs each', $seen->{finished}, $seen->{memory} / 1024, $seen->{us} }

sub readers {
	my ($body, $port, $target, @sessions) = @_;
	Bench::load('-c', 16, '-s', 0.3, '-b', $body, $port, $target);
	my ($before, $used) = (private(@sessions), Bench::used(Bench::session(@sessions)));
	my $load = fork // die "fork: $!\n";
	if (!$load) {
		my $seen = Bench::load('-c', $READERS, '-n', $READERS, '-r', $RATE, '-b', $body, $port, $target);
		Bench::write_file("$body.seen", $seen->{wrong} + $seen->{broken} ? 0 : $seen->{requests});
		POSIX::_exit(0);
	}
	my $most = $before;
	until (waitpid $load, POSIX::WNOHANG()) {
		my $now = private(@sessions);
		$most = $now if $now > $most;
		select undef, undef, undef, 0.25;
	}
	return { finished => Bench::read_file("$body.seen"), memory => ($most - $before) / $READERS,
		us => Bench::spent($used, Bench::used(Bench::session(@sessions))) / $READERS * 1e6 };
}

sub private {
	my $bytes = 0;
	$bytes += Bench::Readers::private($_) for @_;
	return $bytes;
}

1;
