#!/usr/bin/perl
# t/00-conf.t - the front servers take the shipped files, whose routing is that of the program.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use File::Temp ();
use Test::More;
use App;

my ($top, $build) = ($ENV{SLUICE_SRCDIR} // '.', App::builddir());
my $dir = File::Temp->newdir;
chmod 0755, "$dir";

sub slurp { my ($path) = @_; open my $file, '<', $path or die "$path: $!\n"; local $/; return scalar <$file> }

# --- accepted ---------------------------------------------------------------------------------------
# As `make install` would put them, below a directory of ours.
my $variables = '$(localstatedir) $(runstatedir) $(sysconfdir) $(pkgdatadir) $(bindir)';
my @places = split ' ', `make -s -C '$build' --eval='where: ; \@echo $variables' where`;
is scalar @places, 5, 'the build says where things go' or diag "@places";
my %wanted = (
	lighttpd => [qw(lighttpd-conf/lighttpd.conf)],
	nginx    => [qw(nginx-conf/nginx.conf nginx-conf/sluice-nginx.conf nginx-conf/sluice-slices.conf)],
	apache2  => [ map { "apache-conf/$_" } qw(apache2.conf files.conf sluice-apache.conf sluice-fcgid.conf sluice.fcgi htaccess) ],
);
my @check = (
	# what, program, how, change to the main file
	[ 'lighttpd', 'lighttpd', 'lighttpd/lighttpd.conf', '%s -tt -f %s' ],
	[ 'nginx', 'nginx', 'nginx/nginx.conf', '%s -t -q -e stderr -c %s' ],
	[ 'Apache with mod_proxy_fcgi', 'apache2', 'apache/apache2.conf', '%s -t -f %s' ],
	[ 'Apache with mod_fcgid', 'apache2', 'apache/apache2.conf', '%s -t -f %s',
		sub { s/sluice-apache\.conf/sluice-fcgid.conf/; s/^# (LoadModule fcgid|Fcgid)/$1/mg } ],
);
my $data = $dir . $places[3];
for my $program (sort keys %wanted) {
	for my $file (@{ $wanted{$program} }) {
		my $text = slurp("$build/$file");
		is join(' ', $text =~ /(\@[A-Z_]+\@)/g), '', "$file has no word left to fill in";
		$text =~ s{(?<![\w.])(\Q$_\E)(?=[/"\s;)])}{$dir$1}g for grep { $text !~ /\Q$dir$_\E/ } @places;
		(my $to = "$data/$file") =~ s{-conf/}{/};
		make_path($to =~ m{^(.*)/});
		open my $out, '>', $to or die "$to: $!\n";
		print $out $text;
		close $out;
	}
}
make_path(map { "$dir$_" } map({ ("$places[0]/$_", "$places[1]/$_") } qw(sluice lib/sluice/www log/lighttpd log/nginx log/apache2 lib/nginx cache/nginx tmp)),
	"$places[3]/errors", "$places[2]/sluice");
for my $check (@check) {
	my ($what, $program, $file, $command, $change) = @$check;
	my $path = App::which($program);
	SKIP: {
		skip "$program is not installed", 1 unless $path;
		my $main = "$data/$file";
		if ($change) {
			local $_ = slurp($main);
			$change->();
			open my $out, '>', $main or die "$main: $!\n";
			print $out $_;
			close $out;
		}
		my $said = sprintf "$command 2>&1", $path, $main;
		$said = `$said`;
		is $?, 0, "$what takes the shipped files" or diag $said;
		unlike $said, qr/\[(?:emerg|alert|crit|error)\]/, 'without an error';
	}
}
# An .htaccess is only read when it is met.
like slurp("$build/apache-conf/htaccess"), qr/^RewriteRule \^ sluice\.fcgi \[L\]$/m, 'the .htaccess leads to the program';

# --- routing ------------------------------------------------------------------------------------------
my @routes = slurp("$top/fcgi-app/door/route.c") =~ /\{METHOD_\w+, "([^"]+)", \w+, (POOL_\w+), "/g;
cmp_ok scalar @routes, '>', 20, 'the table of routes was found';
# What is to come, too.
push @routes, map({ ($_ => 'POOL_RELAY') } qw(/cdn/stream/{id} /proxy /proxy/{id} /api/stream/{id} /api/video-info /g/{ver}/1.m4s
	/api/live/{id}/direct /api/download/{id}/file /api/hls/{id}/{version}/720p/1.m4s)),
	map({ ($_ => 'POOL_API') } qw(/api/video-information /api/live/{id}/directory /api/download/{id}/files /api/download-status/{id} /gg/x));
my %relay = (
	'lighttpd-conf/lighttpd.conf.in'    => qr/"(\^[^"\n]*)" => "\/-relay\$0"/,
	'nginx-conf/sluice-nginx.conf.in'   => qr/"~([^"]+)" \@relay;/,
	'apache-conf/sluice-apache.conf.in' => qr/RewriteRule (\S+) "unix:\S+relay\.sock/,
);
for my $file (sort keys %relay) {
	my @found = slurp("$top/$file") =~ /$relay{$file}/g;
	ok scalar @found, "$file sends something to the relay";
	# lighttpd's rules see the query as well.
	my @queries = $file =~ /lighttpd/ ? ('', '?a=b') : ('');
	for my $pattern (@found) {
		my @wrong;
		my @pairs = @routes;
		while (my ($route, $pool) = splice @pairs, 0, 2) {
			(my $path = $route) =~ s/\{(\w+)\}/$1 =~ m{^ver} ? 'a' x 32 : 'x1'/ge;
			for my $query (@queries) {
				my $to = "$path$query" =~ /$pattern/ ? 'POOL_RELAY' : 'POOL_API';
				push @wrong, "$path$query goes to $to, not to $pool" if $to ne $pool;
			}
		}
		is join("\n", @wrong), '', 'each route by the pool that the program has for it';
	}
}
done_testing;
