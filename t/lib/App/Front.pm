# t/lib/App/Front.pm - a front server before the program, as its shipped template says.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $front = App::Front->new('nginx', dir => ..., run_dir => ..., www => ..., conf => {...});
#   $front->start(sub { my ($name, @command) = @_; ... });    # the caller starts and ends processes
#   $front->port;
#   $front->reload($pid);
#
# The ways: lighttpd, nginx and apache (mod_proxy_fcgi) ask `sluice serve` over its sockets;
# bin-path (lighttpd), fcgid, apache-cgi and htaccess-… (Apache) start the program themselves.
package App::Front;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use IO::Socket::INET;

my $SOURCES = $ENV{SLUICE_SRCDIR} // abs_path(dirname(__FILE__) . '/../../..');

my %APACHE = (
	program => 'apache2', reload => 'USR1',
	modules => '/usr/lib/apache2/modules',
	main    => 'apache2.conf',
	begun   => qr/ resuming normal operations$/m, errors => 'apache2-error.log',
	command => sub { my ($program, $conf) = @_; return (as_www_data(), $program, '-D', 'FOREGROUND', '-f', $conf) },
);
# templates: file in the sources => name beside the others; alone: it starts the program itself.
my %WAYS = (
	lighttpd => {
		program => 'lighttpd', reload => 'USR1', main => 'lighttpd.conf',
		templates => { 'lighttpd-conf/lighttpd.conf.in' => 'lighttpd.conf' },
		command   => sub { my ($program, $conf) = @_; return ($program, '-D', '-f', $conf) },
	},
	nginx => {
		program => 'nginx', reload => 'HUP', main => 'nginx.conf',
		templates => { map { ("nginx-conf/$_.in" => $_) } qw(nginx.conf sluice-nginx.conf) },
		command   => sub { my ($program, $conf) = @_; return ($program, '-e', 'stderr', '-g', 'daemon off;', '-c', $conf) },
	},
	apache => { %APACHE, templates => { map { ("apache-conf/$_.in" => $_) } qw(apache2.conf files.conf sluice-apache.conf) } },
	fcgid  => {
		%APACHE, alone => 1, needs => 'mod_fcgid.so',
		templates => { map { ("apache-conf/$_.in" => $_) } qw(apache2.conf files.conf sluice-fcgid.conf sluice.fcgi) },
	},
);
# Which keeps slices of streams itself.
$WAYS{'nginx-slices'} = { %{ $WAYS{nginx} }, templates => { map { ("nginx-conf/$_.in" => $_) } qw(nginx.conf sluice-nginx.conf sluice-slices.conf) } };
$WAYS{'bin-path'} = { %{ $WAYS{lighttpd} }, alone => 1 };
$WAYS{'apache-cgi'} = { %{ $WAYS{fcgid} }, needs => 'mod_cgid.so' };
# A host that allows nothing but an .htaccess, with either module.
$WAYS{'htaccess-fcgid'} = {
	%{ $WAYS{fcgid} },
	templates => {
		'apache-conf/apache2.conf.in' => 'apache2.conf', 't/front/host.conf.in' => 'host.conf',
		'apache-conf/htaccess.in' => '../state/www/.htaccess', 'apache-conf/sluice.fcgi.in' => '../state/www/sluice.fcgi',
	},
};
$WAYS{'htaccess-cgi'} = { %{ $WAYS{'htaccess-fcgid'} }, needs => 'mod_cgid.so' };

sub ways { return sort keys %WAYS }
sub is_way { my ($way) = @_; return exists $WAYS{$way} }
sub is_alone { my ($way) = @_; return $WAYS{$way} && $WAYS{$way}{alone} }

# Whether what it needs is installed.
sub is_here {
	my ($way) = @_;
	my $how = $WAYS{$way} or return 0;
	return 0 unless _which($how->{program});
	return !$how->{needs} || -e "$how->{modules}/$how->{needs}";
}

sub _which {
	my ($command) = @_;
	return (grep { -x } map { "$_/$command" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin')[0];
}

# Apache refuses to run as root. It becomes somebody else, who may read what root's tests wrote.
sub as_www_data {
	return if $>;
	my $caps = '+dac_override,+dac_read_search,+fowner,+chown';
	return (_which('setpriv'), '--reuid=www-data', '--regid=www-data', '--init-groups', "--inh-caps=$caps", "--ambient-caps=$caps");
}

# new($way, dir, run_dir, www, live, program, conf_file, builddir, conf => the program's settings)
sub new {
	my ($class, $way, %how) = @_;
	my $self = bless { %how, way => $way, %{ $WAYS{$way} // die "no front server is called $way\n" } }, $class;
	$self->{port} = free_port();
	return $self;
}

sub port { return $_[0]{port} }

# The name of the server among the caller's processes.
sub name { return $_[0]{program} }

sub free_port {
	my $free = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "no free port: $!\n";
	return $free->sockport;
}

# What the words between @ signs stand for.
sub _fill {
	my ($self) = @_;
	my $way = $self->{way};
	my $root = !$>;
	return (
		PORT => $self->{port}, BIND => '127.0.0.1', WWW_DIR => $self->{www}, LIVE_DIR => $self->{live},
		RUN_DIR => $self->{run_dir}, LOG_DIR => $self->{dir}, TMP_DIR => "$self->{dir}/tmp", CACHE_DIR => "$self->{dir}/tmp",
		CONF_DIR => "$self->{dir}/etc", SCRIPT_DIR => "$self->{dir}/etc", ERROR_DIR => "$self->{builddir}/errors",
		# As root, nginx would send its workers away to where they can read nothing of ours.
		USER => $root && $way =~ /^nginx/ ? '' : '#', USER_NAME => 'root', GROUP_NAME => 'root',
		PASSWORD => ($self->{conf}{access} // '') eq 'password' ? '' : '#', HTPASSWD => $self->{conf}{htpasswd} // '',
		BIN => $way eq 'bin-path' ? '' : '#', PROGRAM => $self->{program_path}, CONF => $self->{conf_file},
		BROTLI => $self->has_brotli ? '' : '#', SLICES => $way eq 'nginx-slices' ? '' : '#',
		MODULE_DIR => $self->{modules} // '', HANDLER => $way eq 'fcgid' ? 'fcgid-script' : 'cgi-script',
		PROXY => $way eq 'apache' ? '' : '#', SITE => $way eq 'apache' ? 'sluice-apache.conf' : $way =~ /^htaccess/ ? 'host.conf' : 'sluice-fcgid.conf',
		FCGID => $way =~ /fcgid/ ? '' : '#', CGI => $way =~ /cgi$/ && $way !~ /fcgi/ ? '' : '#',
	);
}

# Whether the pages' parts lie there as .br too, and the server can send them.
sub has_brotli {
	my ($self) = @_;
	return 0 unless -e "$self->{builddir}/web/site/base.css.br";
	return $self->{way} !~ /^nginx/ || -e '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so';
}

# Writes the configuration, and starts the server by $spawn->(name, command...).
sub start {
	my ($self, $spawn) = @_;
	make_path("$self->{dir}/etc", $self->{www}, $self->{live}, "$self->{dir}/tmp/apache2-lock");
	my %fill = $self->_fill;
	for my $template (sort keys %{ $self->{templates} }) {
		open my $in, '<', "$SOURCES/$template" or die "$template: $!\n";
		my $text = do { local $/; <$in> };
		$text =~ s/\@([A-Z_]+)\@/$fill{$1} \/\/ die "$template wants \@$1\@\n"/ge;
		my $path = "$self->{dir}/etc/$self->{templates}{$template}";
		open my $out, '>', $path or die "$path: $!\n";
		print $out $text;
		close $out;
		chmod 0755, $path if $path =~ /\.fcgi$/;
	}
	# Whoever starts the program must be able to write where it writes.
	if (!$> && $self->{program} eq 'apache2') {
		my ($user, $group) = (getpwnam 'www-data')[2, 3];
		chown $user, $group, map { $self->{$_} } grep { $self->{alone} || /tmp/ } qw(dir run_dir www live);
		chown $user, $group, "$self->{dir}/tmp", "$self->{dir}/tmp/apache2-lock";
	}
	$spawn->($self->name, $self->{command}->(_which($self->{program}), "$self->{dir}/etc/$self->{main}"));
	return;
}

# How often the server has begun, the reloads among it; undef where it does not say so.
sub beginnings {
	my ($self) = @_;
	return undef unless $self->{begun};
	open my $log, '<', "$self->{dir}/$self->{errors}" or return 0;
	return scalar grep { $_ =~ $self->{begun} } <$log>;
}

# Tells the server, whose first process is $pid, to read its configuration anew. With mod_fcgid nobody
# may do so again before it has begun and has started the program: its manager of processes (2.3.9)
# misses a SIGTERM in the first moment of its life, and then the server waits for its end for ever.
sub reload { my ($self, $pid) = @_; return kill $self->{reload}, $pid }

1;
