# t/lib/Front.pm - one way to run the program under test, and what that way is known not to do.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $front = Front->new('nginx', gateway => $gateway);
#   $front->app->get(...);
#   $front->holds('immutable', $reply->header('Cache-Control') =~ /immutable/, 'assets never change');
#   print Front::list(@ways);
#
# holds() asserts that what all ways should do is done, or, where @CANNOT says that this way does not
# do it, that it still does not: so the list can neither hide a fault nor grow old.
package Front;
use strict;
use warnings;
use Test::More;
use App;

my @LIGHTTPD = qw(lighttpd bin-path);
my @APACHE = qw(apache fcgid apache-cgi);
my @CANNOT = (
	# key, what it cannot do, the ways
	[ 'micro-cache', 'keep an answer of the program for a second: each one is asked for', @LIGHTTPD, qw(fcgid apache-cgi) ],
	[ 'cold storm', 'hold back the others while the first of many same requests is answered', @LIGHTTPD, @APACHE ],
	[ 'immutable', 'say that a file never changes: it is kept for a year, and looked at again when a page is loaded anew', @LIGHTTPD ],
	[ 'removed file', 'notice at once that a file it has sent was removed: it goes on for a second', @LIGHTTPD ],
	[ '416 size', 'say how long a file is when a range lies outside it', @LIGHTTPD, @APACHE ],
	[ 'garbage range', 'ignore a range that is none: it is answered by 416', @LIGHTTPD, 'nginx' ],
	[ 'several parts', 'answer several ranges of a file with the whole, as the program does: it sends a part for each', @LIGHTTPD, 'nginx', @APACHE ],
	[ 'conditions', 'look at If-Match, If-Unmodified-Since and "If-None-Match: *" of a file', @LIGHTTPD ],
	[ 'order of conditions', 'leave out If-Modified-Since of a file where there is If-None-Match', @LIGHTTPD ],
	[ 'odd conditions', 'leave out If-Unmodified-Since of a file where it is no date, or there is If-Match', 'nginx' ],
	[ 'part of a head', 'leave Range out of a HEAD of a file, as the program does', 'nginx', @APACHE ],
	[ 'young date', 'go by the date of a file in its first minute, for any condition: the whole is sent', @APACHE ],
	[ 'odd range', 'read a range with a sign, a blank, no bytes or twenty digits as RFC 9110 does: it is another part, none, or the whole', @LIGHTTPD, 'nginx', @APACHE ],
	[ 'own CORS', 'let pages of other hosts read its own 416 and 503', @LIGHTTPD ],
	[ 'own Retry-After', 'say in a header when to ask again while the program is away (the JSON says it)', @LIGHTTPD ],
	[ 'missing part', 'leave Content-Encoding off a 404 for a part of the pages', @LIGHTTPD ],
	[ 'long address', 'tell a long address from long headers: both are 431', @LIGHTTPD ],
	[ 'long header', 'tell a long header from a bad request: both are 400', @APACHE ],
	[ 'NUL', 'tell an address with a NUL byte from an unknown one: both are 404', @APACHE ],
	[ 'reload', 'take a new program without ending the old one first (no master)', qw(bin-path fcgid apache-cgi) ],
	[ 'reload of the server', 'read its configuration anew without failing what it starts the program for just then (500, 503 or no answer)', qw(fcgid apache-cgi) ],
	[ 'reload at once', 'read its configuration anew without letting all wait for a second or two', 'fcgid' ],
);

sub new {
	my ($class, $way, %how) = @_;
	my $app = App->new(via => $way, conf => { ladder => '240p audio', api_processes => 2, %{ delete $how{conf} // {} } }, %how);
	return bless { way => $way, app => $app }, $class;
}

sub way { return $_[0]{way} }
sub app { return $_[0]{app} }

sub can_do {
	my ($self, $key) = @_;
	my ($entry) = grep { $_->[0] eq $key } @CANNOT or die "the list has no '$key'\n";
	my (undef, undef, @ways) = @$entry;
	return !grep { $_ eq $self->{way} } @ways;
}

sub holds {
	my ($self, $key, $is_so, $what) = @_;
	return ok $is_so, $what if $self->can_do($key);
	return ok !$is_so, "known: it cannot $key ($what)";
}

# What each of these ways cannot do, as lines.
sub list {
	my @text;
	for my $way (@_) {
		push @text, "$way cannot";
		for my $entry (@CANNOT) {
			my (undef, $what, @ways) = @$entry;
			push @text, "    $what" if grep { $_ eq $way } @ways;
		}
		push @text, '    (nothing that another can)' if $text[-1] eq "$way cannot";
	}
	return map { "$_\n" } @text;
}

# Writes a file where the program would publish it, with time and mode as it would.
sub publish {
	my ($self, $name, $body) = @_;
	my $path = $self->app->www . $name;
	(my $folder = $path) =~ s{/[^/]+$}{};
	File::Path::make_path($folder);
	open my $file, '>:raw', "$path.new" or die "$path: $!\n";
	print $file $body;
	close $file;
	utime 1_700_000_000, 1_700_000_000, "$path.new";
	rename "$path.new", $path or die "$path: $!\n";
	return $path;
}

# How many requests for this route have reached the program.
sub reached {
	my ($self, $route) = @_;
	return scalar(() = $self->app->log =~ /request id=\S+ method=\S+ route=\Q$route\E /g);
}

1;
