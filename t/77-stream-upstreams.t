#!/usr/bin/perl
# t/77-stream-upstreams.t - what upstreams do, and the byte cache makes of it: the right bytes or an error, and
# nothing wrong is ever kept. SLUICE_LONG=1 adds what takes its time.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use App;
use Gateway;
use Gateway::Source;

my $MOST_S = 35;
$App::Client::TIMEOUT = 60;
binmode Test::More->builder->$_, ':utf8' for qw(output failure_output todo_output);
my @RIGHT = qw(right);
my @ERROR = qw(502 503 504);

# Fault of a virtual file => what may come of it. "cut": the answer ends too early, and one can see that.
my @faults = (
	(map { [ "status=$_", '502' ] } 404, 403, 410, 451), [ 'status=401', '502' ],
	(map { [ "status=$_", '503' ] } 406, 429, 458, 459, 461, 462, 463, 509, 512, 513, 884),
	(map { [ "status=$_", '502' ] } 500, 502), [ 'status=503,times=1', @RIGHT ], [ 'status=500,times=2', @RIGHT ],
	[ 'html', '502' ], [ 'nonsense', '502' ], [ 'nonsense,times=1', @RIGHT ],
	[ 'hangup=cut', '502' ], [ 'hangup=rst', '502' ], [ 'hangup=rst,times=1', @RIGHT ], [ 'no_head', @RIGHT ],
	[ 'slow_start=2s', @RIGHT ], [ 'body_delay=1s', @RIGHT ],
	[ 'type=none', @RIGHT ], [ 'type=text/html', @RIGHT ], [ 'type=application/octet-stream', @RIGHT ],
	[ 'fields=500', '502' ], [ 'big_field=200000', '502' ], [ 'folded', @RIGHT ],
	[ 'cut_after=300k', @RIGHT ], [ 'rst_after=300k', @RIGHT ], [ 'cut_after=1', '502', 'cut', @RIGHT ], [ 'throttle=900k', @RIGHT ],
	[ 'chunked', @RIGHT ], [ 'chunked,range=ignore', '502' ], [ 'length=none', @RIGHT ], [ 'length=none,range=ignore', '502' ],
	[ 'length=+5000', @RIGHT ], [ 'length=-5000', 'cut', '502' ],
	[ 'encoding=broken', '502' ], [ 'encoding=bomb', '502' ],
	[ 'range=ignore', @RIGHT ], [ 'range=star', '502' ], [ 'range=none', '502' ], [ 'range=wrong', '502' ], [ 'range=prefix', @RIGHT ], [ 'range=on200', @RIGHT ],
	[ 'no_validator', @RIGHT ], [ 'range=ignore,cut_after=300k,times=2', @RIGHT ], [ 'range=ignore,cut_after=300k', @RIGHT, 'cut', '502' ],
);
push @faults, [ 'never', '504' ], [ 'length=+5000,range=ignore', '502', 'cut' ], [ 'head_rate=20', '504' ], [ 'slow_start=60s', '504' ], [ 'stall_after=300k,times=1', @RIGHT ],
	[ 'stall_after=300k', @RIGHT, 'cut' ], [ 'stall_after=1', 'cut', '504', '502', @RIGHT ], [ 'throttle=50k', @RIGHT ], [ 'body_delay=60s', '504' ]
	if $ENV{SLUICE_LONG};

my $gateway = Gateway->new(accounts => { demo => { password => 'demo', max => 3 } });
my $edge    = $gateway->edge_port;
my $app = App->new(gateway => $gateway, connections => 3, conf => { stream_quota => '400M', relay_threads => 100, direct_play => 'proxy' },
	sources => [ { name => 'v', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"], url => "http://127.0.0.1:$edge/virtual/{id}/x" },
		{ name => 'private', type => 'http', url => "http://127.0.0.1:$edge/virtual/{id}/x" } ]);

sub bytes {
	my ($first, $last) = @_;
	my $all = join '', map { Gateway::Source::block(undef, $_) } int($first / 65_536) .. int($last / 65_536);
	return substr $all, $first % 65_536, $last - $first + 1;
}

# A size of its own for each, so that each is an object of its own.
my $number = 0;
my @asked = map { { size => 800_000 + 4096 * $number++, fault => $_->[0], may => [ @$_[ 1 .. $#$_ ] ] } } @faults;
$gateway->control('fault', kind => 'virtual', id => $_->{size}, set => $_->{fault}) for @asked;

# What came: "right", "wrong", "cut", or the status.
sub ask {
	my ($size, @headers) = @_;
	my $begun = time;
	my $reply = $app->fcgi('relay', GET => "/cdn/stream/v.$size", \@headers);
	my $length = $reply->header('Content-Length');
	my ($first, $last) = ($reply->header('Content-Range') // '') =~ /^bytes (\d+)-(\d+)/ ? ($1, $2) : (0, $size - 1);
	my $came = $reply->status !~ /^20[06]$/ ? $reply->status : length $reply->body == ($length // -1) && $reply->body eq bytes($first, $last) ? 'right'
		: length $reply->body < ($length // $size) && $reply->body eq substr(bytes($first, $last), 0, length $reply->body) ? 'cut' : 'wrong';
	return { came => $came, s => time - $begun, why => $reply->status >= 400 && eval { $reply->json->{error}{message} } };
}

my @came = App::parallel(scalar @asked, sub { ask($asked[ $_[0] - 1 ]{size}) });
note join ', ', map { sprintf '%s %.1f s', $asked[$_]{fault}, $came[$_]{s} } grep { $came[$_]{s} > 2 } 0 .. $#asked;
for my $i (0 .. $#asked) {
	my ($asked, $came) = ($asked[$i], $came[$i]);
	my ($got, $s) = @$came{qw(came s)};
	ok +(grep { $_ eq ($got // '') } @{ $asked->{may} }), "$asked->{fault}: $got" . ($came->{why} ? " ($came->{why})" : '') or diag "may be @{ $asked->{may} }";
	cmp_ok $s // 99, '<=', $MOST_S, 'in time';
	ok length($came->{why} // ''), 'in a sentence' if ($got // '') =~ /^\d/;
}

# Once all is well again, what was kept is right, and the rest is had.
$gateway->control('clear');
$app->move_clock(700);    # what has failed is left alone for a while
my @again = App::parallel(scalar @asked, sub { ask($asked[ $_[0] - 1 ]{size}) });
my @wrong = grep { ($again[$_]{came} // '') ne 'right' } 0 .. $#again;
is scalar @wrong, 0, 'all are right in the end' or diag join "\n", map { "$asked[$_]{fault}: " . ($again[$_]{came} // '-') . ' ' . ($again[$_]{why} // '') } @wrong;
my %size = map { $_->{size} => 1 } @asked;
my @files = glob $app->run_dir . '/bytes/pub/*';
cmp_ok scalar @files, '>=', @asked - 2, 'and kept';
for my $path (@files) {
	open my $file, '<:raw', $path or die "$path: $!\n";
	my $bytes = do { local $/; <$file> };
	fail "$path is not what it should be" unless $size{ length $bytes } && $bytes eq bytes(0, length($bytes) - 1);
}

my $private = $app->fcgi('relay', GET => '/cdn/stream/private.900000', []);
is $private->status, 403, 'a private address that nobody allowed is not fetched';
like $private->json->{error}{message}, qr/127\.0\.0\.1 is a private address/, 'and the sentence says why';

subtest 'redirects' => sub {
	my $size = -s Gateway::media() . '/102.mp4';
	for my $case ((map { [ "redirect=$_", 'right' ] } 301, 302, 303, 307, 308), [ 'location=relative', 'right' ], [ 'location=host', 'right' ],
		[ 'location=loop', '502' ], [ 'location=none', '502' ], [ 'location=scheme', '502' ], [ 'location=dead', '403' ]) {
		my ($fault, $may) = @$case;
		$gateway->control('fault', kind => 'redirect', id => 102, set => $fault);
		# Nothing of it is at hand: each begins with the address.
		unlink glob $app->run_dir . '/bytes/work/*.map';
		$app->kill('filler');
		$app->move_clock(700);
		my $reply = $app->fcgi('relay', GET => '/cdn/stream/demo.vod-102', []);
		my $came = $reply->status != 200 ? $reply->status : length $reply->body == $size ? 'right' : 'cut';
		is $came, $may, "$fault: $came" or diag $reply->body;
		$gateway->control('clear');
	}
};
done_testing;
