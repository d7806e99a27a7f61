# t/lib/Parts.pm - parts, conditions and heads of an object of a known size, and what RFC 9110 makes of them.
# SPDX-License-Identifier: BSD-2-Clause
#
#   for my $case (Parts::cases()) {
#       my ($method, @headers) = $case->($size, $modified);   # "Range", "bytes=0-9", ...
#       my ($status, $first, $last) = Parts::expected($size, $modified, $method, @headers);
#   }
# $modified is in seconds since the epoch. Entity tags never match: the validator is the date.
package Parts;
use strict;
use warnings;
use POSIX ();
use Time::Local ();

sub date { return POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $_[0]) }

# What may stand in Range, of an object of $s bytes.
sub _ranges {
	my ($s) = @_;
	my $half = int($s / 2);
	return (
		'bytes=0-0', 'bytes=0-9', 'bytes=0-99', 'bytes=1-1', 'bytes=100-299', 'bytes=00-09', 'bytes=262143-262144',
		'bytes=262144-262144', 'bytes=262144-524287', 'bytes=262143-524288', "bytes=$half-" . ($half + 999), "bytes=$half-",
		'bytes=' . ($s - 1) . '-', 'bytes=' . ($s - 1) . '-' . ($s - 1), 'bytes=' . ($s - 2) . '-', 'bytes=0-', 'bytes=1-',
		"bytes=0-" . ($s - 1), "bytes=0-$s", 'bytes=0-' . ($s + 5), "bytes=5-99999999999999999999", 'bytes=' . ($s - 5) . '-' . ($s * 10),
		'bytes=-1', 'bytes=-500', 'bytes=-262144', 'bytes=-' . ($s - 1), "bytes=-$s", 'bytes=-' . ($s + 1), 'bytes=-99999999999999999999',
		"bytes=$s-", "bytes=$s-" . ($s + 1), 'bytes=' . ($s + 1) . '-', 'bytes=99999999999999999999-', 'bytes=-0',
		'BYTES=0-9', 'Bytes=10-19', 'bytes= 0-9',
		'bytes=', 'bytes=-', 'bytes=abc', 'bytes=9-2', 'bytes=--5', 'bytes=+0-9', 'bytes=0x0-9', 'bytes=1.5-3', 'bytes=0-9;x', 'bytes',
		'0-9', 'items=0-9', 'bytes=0-9-5', 'bytes=a-9', 'bytes=0-b',
		'bytes=0-9,20-29', 'bytes=0-0,-1', 'bytes=0-9, 10-19, 30-39',
	);
}

# All as subs ($size, $modified) -> (method, headers).
sub cases {
	my @cases;
	my $count = () = _ranges(1_000_000);
	for my $i (0 .. $count - 1) {
		push @cases, sub { ('GET', Range => (_ranges($_[0]))[$i]) };
		push @cases, sub { ('GET', Range => (_ranges($_[0]))[$i], 'If-Range' => date($_[1])) } if $i % 2 == 0;
		push @cases, sub { ('HEAD', Range => (_ranges($_[0]))[$i]) } if $i % 4 == 1;
	}
	my @later = map { my $by = $_; sub { date($_[0] + $by) } } -86_400, -1, 0, 1;
	my @odd = map { my $text = $_; sub { $text } } 'yesterday', '"x"', 'W/"x"', '', 'Tue, 99 Nov 2023 22:13:20 GMT', '0';
	for my $part ('bytes=0-9', 'bytes=-7', 'bytes=300000-300999') {
		push @cases, map { my $date = $_; sub { ('GET', Range => $part, 'If-Range' => $date->($_[1])) } } @later, @odd[0 .. 2, 4];
	}
	for my $method ('GET', 'HEAD') {
		for my $name ('If-Modified-Since', 'If-Unmodified-Since') {
			push @cases, map { my $date = $_; sub { ($method, $name => $date->($_[1])) } } @later, @odd[0, 4];
		}
		push @cases, map { my @pair = @$_; sub { ($method, @pair) } }
			[ 'If-None-Match' => '"x"' ], [ 'If-None-Match' => '*' ], [ 'If-Match' => '"x"' ], [ 'If-Match' => '*' ], [ 'If-None-Match' => '"a", "b"' ];
	}
	# Together, by the order of section 13.2.2.
	for my $i (0 .. 3) {
		push @cases, sub { ('GET', 'If-None-Match' => '"x"', 'If-Modified-Since' => $later[$i]->($_[1])) };
		push @cases, sub { ('GET', 'If-Match' => '*', 'If-Unmodified-Since' => $later[$i]->($_[1])) };
		push @cases, sub { ('GET', 'If-Modified-Since' => $later[$i]->($_[1]), Range => 'bytes=0-9') };
		push @cases, sub { ('GET', 'If-Unmodified-Since' => $later[$i]->($_[1]), Range => 'bytes=0-9') };
	}
	push @cases, sub { ('GET') }, sub { ('HEAD') };
	return @cases;
}

# Seconds of an HTTP date, or undef (IMF-fixdate alone: the table has no other).
sub _seconds {
	my ($text) = @_;
	my ($d, $m, $y, $H, $M, $S) = ($text // '') =~ /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/ or return undef;
	my %months = map { (qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec))[$_] => $_ } 0 .. 11;
	return eval { Time::Local::timegm($S, $M, $H, $d, $months{$m}, $y) };
}

# (first, last) of one part; () for no range at all; (undef) for one that cannot be.
sub _part {
	my ($text, $s) = @_;
	my ($first, $last) = ($text // '') =~ /^bytes=[ \t]*(\d*)-(\d*)$/i or return;
	return if !length "$first$last";
	$_ += 0 for grep { length } $first, $last;
	if (!length $first) {
		return (undef) if $last == 0;
		return ($last >= $s ? 0 : $s - $last, $s - 1);
	}
	return if length $last && $last < $first;
	return (undef) if $first >= $s;
	return ($first, !length $last || $last >= $s ? $s - 1 : $last);
}

# What is answered: (status) or (status, first, last).
sub expected {
	my ($s, $modified, $method, %headers) = @_;
	my ($match, $none) = @headers{'If-Match', 'If-None-Match'};
	my ($since, $unmodified, $if_range) = map { _seconds($headers{$_}) } 'If-Modified-Since', 'If-Unmodified-Since', 'If-Range';
	if (defined $match) { return 412 if $match ne '*' }
	elsif (defined $unmodified) { return 412 if $modified > $unmodified }
	if (defined $none) { return 304 if $none eq '*' }
	elsif (defined $since) { return 304 if $modified <= $since }
	return (200, 0, $s - 1) if $method ne 'GET' || defined $headers{'If-Range'} && ($if_range // -1) != $modified;
	my @part = _part($headers{Range}, $s);
	return (200, 0, $s - 1) unless @part;
	return defined $part[0] ? (206, @part) : 416;
}

1;
