# t/lib/App.pm - the real program in a directory of its own, for a test to ask and to hurt.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $app = App->new(gateway => Gateway->new, conf => { live_idle => '10s' });
#   my $reply = $app->get('/api/live/1', Accept => 'application/json');
#   is $reply->status, 200;     # also: header('Vary'), body, json, code (of an error)
#   $app->move_clock(30);       # the program's clock, not ours; nothing sleeps
#   $app->kill('live');         # every process of that role
#   like $app->log, qr/.../;
#
# new() takes
#   gateway    a Gateway: becomes the source "demo"; faults => '...' go into its base URL,
#              connections => N (5) is what its account allows
#   sources    further sources: [{name, type, url, user, password, connections, allow => [...]}]
#   memcached  a Memcached, or the text of the setting memcached_servers ('' for none); by default
#              one of its own, where memcached is installed
#   channels   {live-8 => {ladder => ...}}; categories by name, likewise
#   conf       settings; environment  variables for the program
#   via        a front server as its shipped template says: 'lighttpd' (the default where it is
#              installed), 'nginx' or 'apache' (mod_proxy_fcgi); or one that starts the program
#              itself, without a master: 'bin-path' (lighttpd), 'fcgid' or 'apache-cgi'; or none:
#              'fastcgi' (over the pools' sockets) or 'cgi' (the program run for each request)
#              (App::via('fastcgi'): so, unless SLUICE_TEST_VIA names the one to be tested)
#   start      0: not yet;   import  0: no catalogue yet
# The program ends with the object or with the test, however that ends, with all its children.
package App;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp ();
use POSIX ();
use Time::HiRes qw(time sleep);
use App::Client;
use App::Front;
use Memcached;

my $SOURCES = $ENV{SLUICE_SRCDIR} // abs_path(dirname(__FILE__) . '/../..');
sub builddir { return $ENV{SLUICE_BUILDDIR} // die "SLUICE_BUILDDIR names no build\n" }
sub program { return builddir() . '/sluice' }
# Built with a sanitizer: memory and time are other matters then.
sub sanitized { return _slurp(builddir() . '/config.h') =~ /^#define SANITIZED 1/m }

# The path of a command, or undef.
sub which {
	my ($command) = @_;
	return (grep { -x } map { "$_/$command" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin')[0];
}

sub via { return $ENV{SLUICE_TEST_VIA} // $_[0] }

sub new {
	my ($class, %how) = @_;
	my $via = $how{via} // via(which('lighttpd') ? 'lighttpd' : 'fastcgi');
	my $dir = File::Temp::tempdir('sluice-XXXXXX', TMPDIR => 1);
	chmod 0755, $dir;
	make_path("$dir/state", "$dir/run", "$dir/tmp");
	my $self = bless { %how, dir => $dir, via => $via, owner => $$, pids => {}, clock => 0 }, $class;
	$self->_start_guard;
	$self->move_clock(0);
	$self->{memcached} //= Memcached::missing() ? '' : Memcached->new;
	$self->write_conf;
	if ($how{start} // 1) {
		$self->start;
		$self->import_sources if ($how{import} // 1) && ($how{gateway} || $how{sources});
	}
	return $self;
}

# Whether there is no master.
sub is_alone { return $_[0]{via} eq 'cgi' || App::Front::is_alone($_[0]{via}) }
sub dir { return $_[0]{dir} }
sub www { return "$_[0]{dir}/state/www" }
sub state_dir { return "$_[0]{dir}/state" }
sub run_dir { return "$_[0]{dir}/run" }

# --- configuration --------------------------------------------------------------------------------

sub write_conf {
	my ($self, %changed) = @_;
	%{ $self->{conf} } = (%{ $self->{conf} // {} }, %changed);
	my $memcached = $self->{memcached};
	my %conf = (
		state_dir => $self->state_dir, run_dir => $self->run_dir, log_file => "$self->{dir}/sluice.log",
		log_level => 'debug', live_max => 50, memcached_servers => ref $memcached ? $memcached->server : $memcached,
		web_dir => $self->_web_dir, slate_dir => builddir() . '/slates', media_program => builddir() . '/sluice-media',
		memcached_prefix => 'test' . POSIX::getpid() . ':', api_processes => 2, relay_processes => 1,
		relay_threads => 8, %{ $self->{conf} },
	);
	my @sources = @{ $self->{sources} // [] };
	unshift @sources, {
		name => 'demo', type => 'xtream', url => $self->{gateway}->url($self->{faults}),
		user => $self->{gateway}{user}, password => $self->{gateway}{password}, connections => $self->{connections} // 5,
		allow => [ map { '127.0.0.1/32:' . $_ } $self->{gateway}->port, $self->{gateway}->edge_port ],
	} if $self->{gateway};
	open my $file, '>', "$self->{dir}/sluice.conf" or die "sluice.conf: $!\n";
	print $file map { "$_ = " . _value($conf{$_}) . "\n" } sort keys %conf;
	for my $source (@sources) {
		my %members = %$source;
		my $name = delete $members{name};
		print $file "source \"$name\" {\n", (map { "  $_ = " . _value($members{$_}) . "\n" } sort keys %members), "}\n";
	}
	my %own = (channel => $self->{channels} // {}, category => $self->{categories} // {});
	for my $what (sort keys %own) {
		for my $name (sort keys %{ $own{$what} }) {
			my %members = %{ $own{$what}{$name} };
			print $file "$what \"$name\" {\n", (map { "  $_ = " . _value($members{$_}) . "\n" } sort keys %members), "}\n";
		}
	}
	close $file;
	return;
}

# The pages as the build put them together; a test that has none still needs some.
sub _web_dir {
	my ($self) = @_;
	return builddir() . '/web/site' if -e builddir() . '/web/site/index.html';
	my $dir = "$self->{dir}/web";
	make_path($dir);
	for my $name ('index.html', 'watch.html', 'film.html', 'status.html', 'offline.html') {
		open my $file, '>', "$dir/$name" or die "$dir/$name: $!\n";
		print $file "<!doctype html><title>$name</title>\n";
		close $file;
	}
	return $dir;
}

sub _value {
	my ($value) = @_;
	return '{ ' . join(', ', map { _value($_) } @$value) . ' }' if ref $value;
	return $value if $value =~ /^-?\d+$/;
	(my $text = $value) =~ s/(["\\])/\\$1/g;
	return "\"$text\"";
}

# --- processes ------------------------------------------------------------------------------------

# Starts the program and does not wait for it.
sub launch {
	my ($self) = @_;
	$self->_spawn(sluice => program(), '-c', "$self->{dir}/sluice.conf", 'serve') unless $self->is_alone;
	return;
}

sub start {
	my ($self) = @_;
	$self->launch;
	$self->_start_front if App::Front::is_way($self->{via}) && !$self->front_pid;
	$self->wait_for(sub { $self->get('/health/live')->status == 200 }, 15, 'the program to answer')
		or die "the program did not start:\n" . $self->output('sluice') . ($self->{front} ? $self->output($self->{front}->name) : '') . $self->log;
	return;
}

# Starts a command as the leader of a session, so that whatever it starts can be found by it.
sub _spawn {
	my ($self, $name, @command) = @_;
	defined(my $pid = fork) or die "fork: $!\n";
	if (!$pid) {
		POSIX::setsid();
		open STDIN,  '<', '/dev/null';
		open STDOUT, '>>', "$self->{dir}/$name.out";
		open STDERR, '>&', \*STDOUT;
		%ENV = (%ENV, SLUICE_CLOCK => "$self->{dir}/clock", %{ $self->{environment} // {} });
		exec { $command[0] } @command or print STDERR "$command[0]: $!\n";
		POSIX::_exit(127);
	}
	$self->{pids}{$name} = $pid;
	push @{ $self->{sessions} }, $pid;
	syswrite $self->{guard}, "$pid\n";
	return;
}

# Starts another program that is to end with this one; returns its session.
sub start_beside {
	my ($self, $name, @command) = @_;
	$self->_spawn($name, @command);
	return $self->{pids}{$name};
}

# The sessions of the service: program, front server, memcached.
sub sessions {
	my ($self) = @_;
	return grep { $_ } $self->{pids}{sluice}, $self->front_pid, ref $self->{memcached} ? $self->{memcached}->pid : undef;
}

# The first process of the front server, while it runs.
sub front_pid { my ($self) = @_; return $self->{front} && $self->{pids}{ $self->{front}->name } }
sub front { return $_[0]{front} }

# The front server, where there is one; it keeps its port.
sub _start_front {
	my ($self) = @_;
	$self->{front} //= App::Front->new($self->{via}, dir => $self->{dir}, run_dir => $self->run_dir, www => $self->www,
		live => $self->{conf}{live_dir} // $self->state_dir . '/live', program_path => program(), builddir => builddir(),
		conf_file => "$self->{dir}/sluice.conf", conf => $self->{conf});
	$self->{front}->start(sub { $self->_spawn(@_) });
	return;
}

# Runs a command of the program to its end: (status, what it printed).
sub command {
	my ($self, @arguments) = @_;
	local %ENV = (%ENV, SLUICE_CLOCK => "$self->{dir}/clock", %{ $self->{environment} // {} });
	open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', program(), '-c', "$self->{dir}/sluice.conf", @arguments
		or die "sluice: $!\n";
	my $text = do { local $/; <$pipe> } // '';
	close $pipe;
	return ($? >> 8 || ($? & 127 && 128 + ($? & 127)), $text);
}

sub import_sources {
	my ($self) = @_;
	my ($status, $text) = $self->command('import');
	die "sluice import: $status $text" if $status;
	return;
}

# Every process that descends from what we started: {pid, parent, role, command}. The role of our
# own is its place in the house; that of another program is its name.
sub processes {
	my ($self) = @_;
	my %ours = map { $_ => 1 } @{ $self->{sessions} // [] }, _summoned($self->{dir});
	my @found;
	for my $path (glob '/proc/[0-9]*/stat') {
		open my $file, '<', $path or next;
		my ($pid, $name, $state, $parent, $session) = (<$file> // '') =~ /^(\d+) \((.*)\) (\S) (\d+) \d+ (\d+)/ or next;
		next if !$ours{$session} || $state eq 'Z';
		push @found, { pid => $pid, parent => $parent, name => $name, command => _command_line($pid) };
	}
	my $roles = $self->_roles;
	$_->{role} = $roles->{ $_->{pid} } // $_->{name} for @found;
	return @found;
}

# The sessions of supervisors that were started on demand: they left ours, and keep our configuration.
sub _summoned {
	my ($dir) = @_;
	my @sessions;
	for my $path (glob '/proc/[0-9]*/cmdline') {
		my ($pid) = $path =~ /(\d+)/;
		push @sessions, $pid if _slurp($path) =~ /\0\Q$dir\E\/sluice\.conf\0/ && (_session($pid) // 0) == $pid;
	}
	return @sessions;
}

sub _command_line {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/cmdline" or return '';
	(my $line = <$file> // '') =~ tr/\0/ /;
	return $line;
}

# From the board, of which `sluice status` tells. What was learnt before is kept: a process may
# outlive those that would tell of it.
sub _roles {
	my ($self) = @_;
	my ($status, $text) = $self->command('status');
	while ($text =~ /^([a-z]\S*) +(\d+) +(?:starting|ready|stopping)\b/mg) {
		$self->{roles}{$2} = $1;
	}
	return $self->{roles} // {};
}

sub pids {
	my ($self, $role) = @_;
	return map { $_->{pid} } grep { !defined $role || $_->{role} eq $role } $self->processes;
}

# Kills (-9, or as $signal says) every process of a role; returns how many.
sub kill {
	my ($self, $role, $signal) = @_;
	return CORE::kill($signal // 'KILL', $self->pids($role));
}

# Where a front server starts the program, it goes first.
sub stop {
	my ($self) = @_;
	if ($self->is_alone && (my $pid = $self->front_pid)) {
		delete $self->{pids}{ $self->{front}->name };
		CORE::kill('TERM', $pid);
		waitpid $pid, 0;
	}
	my ($status, $text) = $self->command('stop');
	# Workers that the front server has left finish what they began.
	$self->wait_for(sub { !grep { $_->{name} eq 'sluice' } $self->processes }, 15, 'the workers to end') if $self->is_alone;
	my $pid = delete $self->{pids}{sluice} or return ($status, $text);
	$self->wait_for(sub { waitpid($pid, POSIX::WNOHANG()) != 0 }, 20, 'the program to end');
	return ($status, $text);
}

# Ends everything at once, without a word.
sub end {
	my ($self) = @_;
	my $guard = delete $self->{guard};
	return if !$guard || $self->{owner} != $$;
	syswrite $guard, "end\n";
	close $guard;
	waitpid $_, 0 for $self->{guard_pid}, values %{ $self->{pids} };
	return;
}

sub DESTROY { my ($self) = @_; local ($?, $!, $@); $self->end; return }

# The guard outlives the test, even a killed one: it is told every session that we start, and when
# it is told to, or the pipe closes, it ends them and removes the directory.
sub _start_guard {
	my ($self) = @_;
	pipe my $told, $self->{guard} or die "pipe: $!\n";
	defined($self->{guard_pid} = fork) or die "fork: $!\n";
	return if $self->{guard_pid};
	close $self->{guard};
	$SIG{$_} = 'IGNORE' for qw(INT TERM HUP QUIT);
	my %sessions;
	while (my $line = <$told>) {
		last if $line eq "end\n";
		$sessions{ $line + 0 } = 1;
	}
	for (1 .. 200) {
		$sessions{$_} = 1 for _summoned($self->{dir});
		my @left = grep { $sessions{ _session($_) // '' } } map { m{(\d+)} } glob '/proc/[0-9]*';
		last unless @left;
		CORE::kill('KILL', @left);
		sleep 0.02;
	}
	remove_tree($self->{dir}) unless $ENV{SLUICE_TEST_KEEP};
	POSIX::_exit(0);
}

# The session of a process that is alive.
sub _session {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/stat" or return undef;
	return (<$file> // '') =~ /^\d+ \(.*\) [^Z] \d+ \d+ (\d+)/ ? $1 : undef;
}

# --- asking ---------------------------------------------------------------------------------------

sub port { return $_[0]{front}->port }
sub get  { my ($self, $target, @headers) = @_; return $self->request('GET', $target, @headers) }
sub head { my ($self, $target, @headers) = @_; return $self->request('HEAD', $target, @headers) }

sub post {
	my ($self, $target, $body, @headers) = @_;
	return $self->request('POST', $target, @headers, _body => $body);
}

# request($method, $target, name => value, ...); the name _body is the request's body.
sub request {
	my ($self, $method, $target, @headers) = @_;
	my ($body, @sent);
	while (my ($name, $value) = splice @headers, 0, 2) {
		if ($name eq '_body') { $body = $value } else { push @sent, $name, $value }
	}
	return App::Client::http($self->port, $method, $target, \@sent, $body) if $self->{front};
	my $file = $self->_file($method, $target);
	return $file if $file;
	return $self->fcgi(_pool($target), $method, $target, \@sent, $body) if $self->{via} eq 'fastcgi';
	return $self->cgi($method, $target, \@sent, $body);
}

# Straight to a pool's socket.
sub fcgi {
	my ($self, $pool, $method, $target, $headers, $body) = @_;
	return App::Client::fcgi($self->run_dir . "/$pool.sock", $method, $target, $headers // [], $body);
}

# By a run of the program for this request alone.
sub cgi {
	my ($self, $method, $target, $headers, $body, %more) = @_;
	my %environment = (%ENV, SLUICE_CLOCK => "$self->{dir}/clock", %{ $self->{environment} // {} }, %more);
	return App::Client::cgi([ program(), '-c', "$self->{dir}/sluice.conf", 'fcgi' ], "$self->{dir}/sluice.out",
		\%environment, $method, $target, $headers // [], $body);
}

# The shipped front servers' rule for what is no file.
sub _pool {
	my ($target) = @_;
	return $target =~ m{^/(api/hls/[^/]+/[0-9a-f]{32}/|g/|cdn/|proxy|api/stream/|api/video-info(\?|$)
		|api/live/[^/]+/direct(\?|$)|api/download/[^/]+/file(\?|$))}x ? 'relay' : 'api';
}

# What a front server does with a file.
sub _file {
	my ($self, $method, $target) = @_;
	my ($path) = split /\?/, $target;
	return App::Reply->none('404') if $path =~ m{(?:^|/)\.\.(?:/|$)};
	if ($method !~ /^(?:GET|HEAD)$/ || !-f $self->www . $path) {
		return $path =~ m{^/tv/} ? App::Reply->new(404, [], '') : undef;
	}
	open my $file, '<:raw', $self->www . $path or return App::Reply->new(403, [], '');
	my $body = do { local $/; <$file> } // '';
	my $date = POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime((stat $file)[9]));
	return App::Reply->new(200, [ 'Content-Length: ' . length $body, "Last-Modified: $date" ],
		$method eq 'HEAD' ? '' : $body);
}

# What each of $count children's $code->($number) returns, in their order. It must be plain data.
sub parallel {
	my ($count, $code) = @_;
	my @pipes;
	for my $number (1 .. $count) {
		my $pid = open my $pipe, '-|';
		defined $pid or die "fork: $!\n";
		if (!$pid) {
			my $result = eval { $code->($number) };
			print JSON::PP->new->utf8->allow_nonref->encode($result // { failed => "$@" });
			close STDOUT;
			POSIX::_exit(0);
		}
		push @pipes, $pipe;
	}
	return map { my $pipe = $_; local $/; JSON::PP->new->utf8->allow_nonref->decode(<$pipe> // 'null') } @pipes;
}

# --- time, logs -----------------------------------------------------------------------------------

# Adds to the program's clock.
sub move_clock {
	my ($self, $seconds) = @_;
	$self->{clock} += int($seconds * 1000);
	# In place: the program has the file mapped.
	open my $file, -e "$self->{dir}/clock" ? '+<:raw' : '>:raw', "$self->{dir}/clock" or die "clock: $!\n";
	syswrite $file, pack 'q', $self->{clock};
	close $file;
	return;
}

# Polls until $code is true, or for so many seconds. Returns its value.
sub wait_for {
	my ($self, $code, $seconds, $name) = @_;
	my $end = time + ($seconds // 10);
	while (1) {
		my $value = $code->();
		return $value if $value;
		last if time >= $end;
		sleep 0.05;
	}
	print STDERR "# waited $seconds s in vain for $name\n" if defined $name;
	return;
}

sub _slurp {
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return scalar(<$file>) // '';
}

sub log { my ($self) = @_; return _slurp("$self->{dir}/sluice.log") }

# What a program we started printed: 'sluice' or 'lighttpd'.
sub output { my ($self, $name) = @_; return _slurp("$self->{dir}/$name.out") }

1;
