#!/usr/bin/perl
# t/76-parts.t - parts, conditions and heads are answered alike, whether an object is cold, half there, whole
# or a file, behind every front server. SLUICE_LONG=1 asks each case of each of these; else every fourth.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use Test::More;
use App;
use Front;
use Gateway;
use Gateway::Source;
use Parts;

my $dir     = File::Temp->newdir;
my $gateway = Gateway->new(dir => "$dir");
my $edge    = $gateway->edge_port;
my @source  = { name => 'v', type => 'http', media => 'audio', allow => ["127.0.0.1/32:$edge"], url => "http://127.0.0.1:$edge/virtual/{id}/x" };
my @cases   = Parts::cases();
my @states  = qw(cold half whole file);
my @keys    = ('part of a head', 'odd range', 'several parts', 'garbage range', 'young date', 'conditions', 'order of conditions', 'odd conditions');
cmp_ok scalar @cases, '>=', 150, scalar(@cases) . ' cases';

sub bytes {
	my ($first, $last) = @_;
	my $all = join '', map { Gateway::Source::block(undef, $_) } int($first / 65_536) .. int($last / 65_536);
	return substr $all, $first % 65_536, $last - $first + 1;
}

# Brings an object that nobody has asked for into a state; returns its address and its date.
sub prepare {
	my ($front, $state, $size) = @_;
	my $app = $front->app;
	my $target = "/cdn/stream/$size";
	return ($target, undef) if $state eq 'cold';
	my $reply = $state eq 'half' ? $app->get($target, Range => 'bytes=262144-262200') : $app->get($target);
	my $modified = Parts::_seconds($reply->header('Last-Modified'));
	return ($target, $modified) if $state ne 'file';
	my $name;
	$app->wait_for(sub { ($name) = grep { (-s $_ // 0) == $size } glob $app->run_dir . '/bytes/pub/*' }, 20) or die "$target is never published\n";
	$name =~ s{.*/}{};
	return ("/cdn/o/$name", $modified);
}

# Where a front server is known to answer a file in its own way: keys of t/lib/Front.pm.
sub deviations {
	my ($state, $method, $headers) = @_;
	return if $state ne 'file';
	my ($range, $since) = map { $headers->{$_} // '' } 'Range', 'If-Unmodified-Since';
	my @keys;
	push @keys, 'part of a head' if $method eq 'HEAD' && length $range;
	push @keys, 'odd range' if $range =~ /\d{19}|\+|= |=-0$/;
	push @keys, 'several parts' if $range =~ /^bytes=.*,/;
	push @keys, 'garbage range' if length $range && $range !~ /,/ && !Parts::_part($range, 1_000_000);
	push @keys, 'young date' if grep { defined $headers->{$_} } 'If-Range', 'If-Modified-Since', 'If-Unmodified-Since';
	push @keys, 'conditions' if length $since || defined $headers->{'If-Match'} || ($headers->{'If-None-Match'} // '') eq '*';
	push @keys, 'order of conditions' if defined $headers->{'If-None-Match'} && defined $headers->{'If-Modified-Since'};
	push @keys, 'odd conditions' if length $since;
	return @keys;
}

sub look {
	my ($front, $state, $case, $number) = @_;
	my $size = 600_000 + $number * 4 + (grep { $states[$_] eq $state } 0 .. 3)[0];
	my ($target, $modified) = prepare($front, $state, $size);
	# Of what is cold nobody knows the date yet: it is that of a moment while it is asked for.
	my $before = time;
	my ($method, @headers) = $case->($size, $modified // $before);
	my %headers = @headers;
	my $reply = $front->app->request($method, $target, @headers);
	$modified //= Parts::_seconds($reply->header('Last-Modified'));
	my @dates = $modified // ($before .. time);
	my ($date) = grep { (Parts::expected($size, $_, $method, %headers))[0] == $reply->status } @dates;
	$modified = $date // $dates[0];
	my ($status, $first, $last) = Parts::expected($size, $modified, $method, %headers);
	my $name = "$state: $method " . join ', ', map { "$_: $headers{$_}" } sort keys %headers;
	my @wrong;
	push @wrong, 'status ' . $reply->status . ", not $status" if $reply->status != $status;
	if ($status == 206 || $status == 200) {
		my $length = $last - $first + 1;
		push @wrong, 'body of ' . length($reply->body) . " bytes, not $length" if $method eq 'GET' && length $reply->body != $length;
		push @wrong, 'other bytes' if !@wrong && $method eq 'GET' && $reply->body ne bytes($first, $last);
		push @wrong, 'Content-Length ' . ($reply->header('Content-Length') // '-') if ($reply->header('Content-Length') // -1) != $length;
		push @wrong, 'Content-Type ' . ($reply->header('Content-Type') // '-') if ($reply->header('Content-Type') // '') ne 'audio/webm';
		push @wrong, 'Last-Modified ' . ($reply->header('Last-Modified') // '-') if ($reply->header('Last-Modified') // '') ne Parts::date($modified);
	}
	push @wrong, 'Content-Range ' . ($reply->header('Content-Range') // '-')
		if $status == 206 && ($reply->header('Content-Range') // '') ne "bytes $first-$last/$size";
	push @wrong, 'a body' if $method eq 'HEAD' && length $reply->body || $status == 304 && length $reply->body;
	push @wrong, '416 without the size' if $status == 416 && ($reply->header('Content-Range') // '') ne "bytes */$size" && !($state eq 'file' && !$front->can_do('416 size'));
	return $name, \@wrong, $reply, \%headers, $method;
}

for my $way (qw(lighttpd nginx apache)) {
	SKIP: {
		skip "$way is not installed", 1 unless App::Front::is_here($way);
		my $front = Front->new($way, sources => \@source, import => 0, conf => { stream_quota => '1G', relay_threads => 32 });
		my (@failed, %known);
		my $asked = 0;
		for my $i (0 .. $#cases) {
			for my $k (0 .. 3) {
				next if !$ENV{SLUICE_LONG} && ($i + $k) % 4;
				my ($name, $wrong, $reply, $headers, $method) = look($front, $states[$k], $cases[$i], $i);
				$asked++;
				next if !@$wrong;
				my ($key) = grep { !$front->can_do($_) } deviations($states[$k], $method, $headers);
				if ($key) { $known{$key}++; next }
				push @failed, "$name: " . join '; ', @$wrong;
			}
		}
		is scalar @failed, 0, "$way: all $asked are answered as they should be" or diag join "\n", @failed;
		# A deviation that the list has is one: else the list has grown old.
		if ($ENV{SLUICE_LONG}) {
			ok $known{$_} || $front->can_do($_), "$way: known, or done: $_ (" . ($known{$_} // 0) . ')' for @keys;
		}
		prepare($front, 'file', 500_000);
		my $whole = $front->app->get('/cdn/stream/500000');
		like $whole->header('X-Request-Id'), qr/^[0-9a-f]{16}$/, "$way: of a file that the program names";
		is_deeply [ map { $whole->header($_) } qw(Content-Length Accept-Ranges X-Quality X-Cache) ], [ 500_000, 'bytes', 'high', 'HIT' ], 'the same is told as before';
		for my $at (map { int rand 8_999_999_000_000 } 1 .. 5) {
			my $last = $at + int rand 200_000;
			my $part = $front->app->get('/cdn/stream/9T', Range => "bytes=$at-$last");
			ok $part->status == 206 && $part->body eq bytes($at, $last), "$way: 9 TB, bytes $at-$last" or diag $part->status;
		}
	}
}
note Front::list(qw(lighttpd nginx apache));
done_testing;
