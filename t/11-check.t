#!/usr/bin/perl
# t/11-check.t - `sluice check` says in a sentence what keeps the service from working.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use File::Path qw(make_path);
use File::Temp ();
use Test::More;

my $program = ($ENV{SLUICE_BUILDDIR} // die "SLUICE_BUILDDIR names no build\n") . '/sluice';
my $dir = File::Temp::tempdir('sluice-XXXXXX', TMPDIR => 1, CLEANUP => 1);
delete $ENV{$_} for grep { /^SLUICE_/ } keys %ENV;
mkdir "$dir/web";

sub check {
	my ($how, %changed) = @_;
	my %conf = (
		state_dir => "$dir/state", run_dir => "$dir/run", memcached_servers => '', web_dir => "$dir/web", %changed
	);
	open my $file, '>', "$dir/sluice.conf" or die "sluice.conf: $!";
	print $file map { "$_ = \"$conf{$_}\"\n" } sort keys %conf;
	print $file qq{source "demo" { url = "http://gw" user = "u" }\n};
	close $file;
	my $text = `$program -c $dir/sluice.conf check $how 2>&1`;
	return ($? >> 8, $text);
}

my ($status, $text) = check('');
is $status, 0, 'a good host passes';
like $text, qr/^warning: memcached_servers is empty/m, 'warnings do not fail';
like $text, qr{^state_dir = "\Q$dir\E/state"  # \Q$dir\E/sluice\.conf:\d+$}m, 'settings are shown with where they came from';
like $text, qr/^live_idle = 30  # seconds, default$/m, 'and with units';
ok -d "$dir/state/live/work" && -l "$dir/state/www/tv", 'directories are made';
is_deeply [ glob "$dir/state/live/{work,pub}/{*,.check*}" ], [], 'and nothing is left in them';
($status, $text) = check('--quiet');
unlike $text, qr/ = /, 'quietly, settings are left out';

# What is wrong => the line that says so.
my @cases = (
	[ 'no ffmpeg', { ffmpeg => '/nonexistent/ffmpeg' }, qr{^error: ffmpeg: /nonexistent/ffmpeg cannot be run}m ],
	[ 'an ffmpeg that fails', { ffmpeg => '/bin/false' }, qr{^error: ffmpeg: /bin/false cannot be run}m ],
	[ 'a user that there is not', { user => 'no-such-user' }, qr/^error: user: there is no user no-such-user here/m ],
	[ 'a group that there is not', { group => 'no-such-group' }, qr/^error: group: there is no group no-such-group here/m ],
	[ 'a directory below a file', { live_dir => "$dir/sluice.conf/live" }, qr{^error: The directory \S*sluice\.conf\S* cannot be made: Not a directory}m ],
	[ 'a memcached that is no address', { memcached_servers => 'host:99999' }, qr/^error: .*host:99999/m ],
);
for my $case (@cases) {
	my ($name, $conf, $line) = @$case;
	($status, $text) = check('--quiet', %$conf);
	is $status, 1, "$name is an error";
	like $text, $line, 'said in a sentence';
}
($status, $text) = check('--quiet', memcached_servers => "$dir/none.sock");
is $status, 0, 'a memcached that does not answer is none';
like $text, qr/^warning: memcached at \S+none\.sock does not answer; everything works, slower$/m, 'but a warning';
($status, $text) = check('--quiet', web_dir => "$dir/none");
like $text, qr/^\w+: web_dir: /m, 'pages that are missing are said';
($status, $text) = check('--quiet', access => 'password', htpasswd => "$dir/none");
like $text, qr/^warning: access is password and \S+ cannot be read/m, 'a file of users that is missing too';
open my $slow, '>', "$dir/slow" or die "slow: $!";
print $slow "#!/bin/sh\nexec sleep 60\n";
close $slow;
chmod 0755, "$dir/slow";
($status, $text) = check('--quiet', ffmpeg => "$dir/slow");
is $status, 0, 'an ffmpeg that takes long keeps nothing from starting';
like $text, qr/^warning: ffmpeg: \S+slow says nothing for 5 s$/m, 'but is said';
my @missing = (
	[ 'a directory of films', qq{source "films" { type = "files" url = "$dir/no-films" }}, qr{^warning: source "films": the directory \S+/no-films cannot be read: No such}m ],
	[ 'a list', qq{source "list" { type = "m3u" url = "$dir/no.m3u" }}, qr{^warning: source "list": the list \S+/no\.m3u cannot be read: No such}m ],
	[ 'a program by name', 'source "tube" { type = "command" command = {"no-such-program", "-j"} }', qr{^warning: source "tube": there is no program no-such-program}m ],
	[ 'a program by path', qq{source "tube" { type = "command" command = {"$dir/none"} }}, qr{^warning: source "tube": there is no program \S+/none}m ],
	[ 'the directory of a log', qq{access_log = "$dir/nowhere/access.log"}, qr{^warning: access_log: \S+ cannot be read: No such}m ],
	[ 'slates', qq{slate_dir = "$dir/nowhere"}, qr{^warning: slate_dir: \S+ cannot be read}m ],
	[ 'nothing', qq{source "tube" { type = "command" command = {"sh"} }\nsource "films" { type = "files" url = "$dir" }\naccess_log = "$dir/access.log"}, qr{\A(?!.*(?:source|access_log))}s ],
);
for my $case (@missing) {
	my ($name, $lines, $said) = @$case;
	check('--quiet');
	open my $file, '>>', "$dir/sluice.conf" or die "sluice.conf: $!";
	print $file "$lines\n";
	close $file;
	$text = `$program -c $dir/sluice.conf check --quiet 2>&1`;
	is $? >> 8, 0, "$name that is missing keeps nothing from starting";
	like $text, $said, 'but is said';
}
check('--quiet');
open my $sources, '>>', "$dir/sluice.conf" or die "sluice.conf: $!";
print $sources <<'END';
source "words" { type = "command" command = {"sh -c"} }
source "account" { url = "http://gw" }
source "second" { url = "http://gw" user = "u" account "b" { } }
source "address" { url = "http://gw/get.php?username=u" user = "u" }
source "private" { url = "http://10.0.0.5:81/" user = "u" allow = {"10.0.0.0/8:80"} }
source "allowed" { url = "http://[fd00::5]:81" user = "u" allow = {"fd00::/8"} }
source "public" { url = "http://8.8.8.8" user = "u" }
END
close $sources;
$text = `$program -c $dir/sluice.conf check --quiet 2>&1`;
like $text, qr/^warning: source "words": there is no program "sh -c"; write each word of a command between quotes/m, 'a command in one word';
like $text, qr/^warning: source "account": a gateway wants user and password$/m, 'a gateway without an account';
like $text, qr/^warning: source "second": a gateway wants user and password of account "b"$/m, 'or with one that has no name';
like $text, qr/^warning: source "address": url is that of the gateway alone/m, 'an address with the account in it';
like $text, qr/^warning: source "private": 10\.0\.0\.5, port 81, is a private address; say allow = \{ "10\.0\.0\.5" \}/m, 'a private address without leave';
unlike $text, qr/source "(?:allowed|public|demo)"/, 'and nothing of those that are right';
check('--quiet', live_max => 'many', site_colour => 'red');
open my $more, '>>', "$dir/sluice.conf" or die "sluice.conf: $!";
print $more "live_idl = 30\nsource \"tape\" { type = \"tape\" }\napi_threads = 0\n";
close $more;
$text = `$program -c $dir/sluice.conf check --quiet 2>&1`;
is $? >> 8, 1, 'several mistakes are errors';
is_deeply [ map { s/\A\S+sluice\.conf:\d+: (\w+ \w+).*/$1/r } $text =~ /^sluice: (.*)$/mg ],
	[ 'live_max takes', 'There is', 'api_threads lies', 'Source tape', 'site_colour is' ], 'and all of them are said, a line each';
mkdir "$dir/pages";
for my $name ('base.css', 'base.css.br') {
	open my $file, '>', "$dir/pages/$name" or die;
	($status, $text) = check('--quiet', web_dir => "$dir/pages");
	is $text =~ /^warning: web_dir: \S+ has no forms for Brotli/m ? 'said' : 'well', $name eq 'base.css' ? 'said' : 'well', "pages with $name";
}
($status, $text) = check('--quiet --running /somewhere/else');
is $status, 1, 'another run_dir than that of the running service is an error';
like $text, qr/^error: run_dir cannot change from \S+ to \S+ while the service runs/m, 'said in a sentence';

SKIP: {
	my $other = (stat '/dev/shm')[0];
	skip '/dev/shm is no other file system', 4 if !-w '/dev/shm' || $other == (stat $dir)[0];
	my $away = File::Temp::tempdir('sluice-XXXXXX', DIR => '/dev/shm', CLEANUP => 1);
	make_path("$dir/split/work");
	symlink $away, "$dir/split/pub";
	for my $setting ('live_dir', 'stream_dir') {
		($status, $text) = check('--quiet', $setting => "$dir/split");
		is $status, 1, "halves of a store on two file systems are an error: $setting";
		like $text, qr{^error: \S+/split/work and \S+/split/pub lie on different file systems \(EXDEV\)}m, 'named';
	}
}

SKIP: {
	skip 'only root gives directories to a user', 19 if $>;
	my $nobody = getpwnam 'nobody';
	my %place = (user => 'nobody', state_dir => "$dir/given", run_dir => "$dir/given-run");
	chmod 0755, $dir;
	($status, $text) = check('--quiet', %place);
	is $status, 0, 'directories are made for the user';
	is +(stat "$dir/given/lives")[4], $nobody, 'and are theirs';
	make_path("$dir/victim", "$dir/disk");
	rmdir "$dir/given/lives";
	symlink "$dir/victim", "$dir/given/lives";
	system 'chown', '-h', 'nobody', "$dir/given/lives";
	($status, $text) = check('--quiet', %place);
	is $status, 1, 'a link that the user has made is followed by no root';
	like $text, qr{^error: \S+/given/lives is a symbolic link that root has not made}m, 'in a sentence';
	is +(stat "$dir/victim")[4], 0, 'nor is given away what it points to';
	unlink "$dir/given/lives";
	symlink "$dir/disk", "$dir/given/lives";
	($status, $text) = check('--quiet', %place);
	is $status, 0, 'one that root has made is an arrangement';
	is +(stat "$dir/disk")[4], $nobody, 'and where it points to is for the user';
	# Further up on the way, too, where what root makes would be given away elsewhere.
	make_path("$dir/own");
	symlink "$dir/victim", "$dir/own/link";
	system 'chown', '-h', 'nobody', "$dir/own", "$dir/own/link";
	for my $way ('link/state', 'link/a/b/state') {
		($status, $text) = check('--quiet', user => 'nobody', state_dir => "$dir/own/$way", run_dir => "$dir/given-run");
		like $text, qr{^error: \S+/own/link is a symbolic link that root has not made}m, "nor is one above: $way";
		is_deeply [ glob "$dir/victim/*" ], [], 'and nothing is made there';
	}
	symlink '../disk', "$dir/own/root-link";
	($status, $text) = check('--quiet', user => 'nobody', state_dir => "$dir/own/root-link/../disk/deep/state", run_dir => "$dir/given-run");
	is $status, 0, 'root goes through a relative one of its own';
	ok -l "$dir/disk/deep/state/www/cdn/o", 'to make all of it there';
	symlink "$dir/victim/file", "$dir/own/log";
	system 'chown', '-h', 'nobody', "$dir/own/log";
	check('--quiet', %place, log_file => "$dir/own/log");
	like `timeout 10 $program -c $dir/sluice.conf serve 2>&1`, qr/^sluice: The log \S+ cannot be opened: Too many levels/, 'a log is not written to where such a link leads';
	ok !-e "$dir/victim/file", 'nor made there';
	# As systemd does it: the directory is the user's, and no setting says so.
	delete $place{user};
	rmdir "$dir/given/made";
	($status, $text) = check('--quiet', %place);
	is +(stat "$dir/given/made")[4], $nobody, 'what root makes beside the service is for its user, too';
	unlike `$program -c $dir/sluice.conf import 2>&1`, qr/cannot be (?:opened|made)/, 'so is what it imports';
	is_deeply [ map { (stat)[4] } glob "$dir/given/db/*" ], [ ($nobody) x scalar(() = glob "$dir/given/db/*") ], 'all of it';
	ok -e "$dir/given/db/catalog.db", 'which is there';
}

SKIP: {
	skip 'root may write everywhere', 2 if $> == 0;
	chmod 0500, "$dir/state";
	($status, $text) = check('--quiet');
	is $status, 1, 'a directory that is not writable is an error';
	like $text, qr/^error: state_dir: \S+ is not writable/m, 'said in a sentence';
	chmod 0700, "$dir/state";
}

done_testing;
