# t/lib/Gateway/Xtream.pm - the panel's API: player_api.php, and what panels get wrong in it.
# SPDX-License-Identifier: BSD-2-Clause
package Gateway::Xtream;
use strict;
use warnings;
use Compress::Zlib ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

my $BIG = 2_356_443_000;    # added to ids by json=big_ids: more than 31 bits
my $ADDED = '1700000000';
my $BOMB = 200_000_000;    # bytes of json=bomb. A constant's text would be made, and held, by every test

my %CATEGORIES = (
	live   => [ [ 1, 'Clocks' ], [ 2, 'Patterns' ] ],
	vod    => [ [ 11, 'Films' ] ],
	series => [ [ 21, 'Series' ] ],
);
my @CHANNELS = (
	{ id => 1, name => 'Channel One',   category => 1, guide => 'one.demo' },
	{ id => 2, name => 'Channel Two',   category => 1, guide => 'two.demo' },
	{ id => 3, name => 'Channel Three', category => 2, guide => undef },
);
my @FILMS = (
	{ id => 101, name => 'Film One',   suffix => 'mkv', seconds => 40, year => '2021' },
	{ id => 102, name => 'Film Two',   suffix => 'mp4', seconds => 40, year => '2022' },
	{ id => 103, name => 'Film Three', suffix => 'avi', seconds => 30, year => '2023' },
);
my @EPISODES = (
	{ id => 20101, number => 1, name => 'The First',  suffix => 'mkv' },
	{ id => 20102, number => 2, name => 'The Second', suffix => 'mp4' },
);

my %ACTIONS = (
	get_live_categories   => sub { _categories('live') },
	get_vod_categories    => sub { _categories('vod') },
	get_series_categories => sub { _categories('series') },
	get_live_streams      => \&_live_streams,
	get_vod_streams       => \&_vod_streams,
	get_vod_info          => \&_vod_info,
	get_series            => \&_series,
	get_series_info       => \&_series_info,
	get_short_epg         => \&_short_epg,
	get_simple_data_table => \&_short_epg,
);

sub new { my ($class, $server) = @_; return bless { server => $server }, $class }

sub answer {
	my ($self, $request, $action, $wrong) = @_;
	my $params  = $request->{params};
	my $account = $self->{server}->account($params->{username}, $params->{password});
	$self->{asks} = $params;
	return Gateway::Server::json(200, { user_info => { auth => 0 } }) unless $account;
	my $data = $ACTIONS{$action} ? $ACTIONS{$action}->($self, $params) : $self->_login($account, $params);
	my %quirks = map { $_ => 1 } split /\+/, $wrong->{json} // '';
	$data = [ grep { $_->{category_id} eq $params->{category_id} } @$data ]
		if ref $data eq 'ARRAY' && length($params->{category_id} // '') && $action =~ /streams$|series$/;
	_spoil($data, \%quirks, '');
	my $reply = Gateway::Server::json(200,
		$wrong->{count} && ref $data eq 'ARRAY' && @$data ? _many($data, $wrong->{count}) : $data);
	_garble($reply, \%quirks, $self->{server});
	_compress($reply, $wrong->{gzip}) if $wrong->{gzip};
	return $reply;
}

# get.php: the channels and films as an M3U.
sub list {
	my ($self, $request, $wrong) = @_;
	my $params = $request->{params};
	my $server = $self->{server};
	return $server->page(404) unless $server->account($params->{username}, $params->{password});
	$self->{asks} = $params;
	my $to = sub { my ($folder, $file) = @_; join '/', $server->url, $folder, $params->{username}, $params->{password}, $file };
	my %name = map { @$_ } map { @$_ } values %CATEGORIES;
	my @rows = map { sprintf qq{#EXTINF:-1 tvg-id="%s" tvg-name="%s" tvg-logo="%s" group-title="%s",%s\n%s\n},
		$_->{guide} // '', $_->{name}, $self->_picture("ch$_->{id}"), $name{ $_->{category} }, $_->{name}, $to->('live', "$_->{id}.ts") } @CHANNELS;
	push @rows, map { sprintf qq{#EXTINF:-1 group-title="Films",%s\n%s\n}, $_->{name}, $to->('movie', "$_->{id}.$_->{suffix}") } @FILMS;
	push @rows, map { "#EXTINF:-1 tvg-id=\"more.$_\" group-title=\"More\",More $_\n" . $to->('live', 1000 + $_ . '.ts') . "\n" } 1 .. ($wrong->{count} // 0) - @rows;
	splice @rows, $wrong->{count} if defined $wrong->{count};
	my $reply = { status => 200, headers => [ 'Content-Type' => 'audio/x-mpegurl' ], body => join '', "#EXTM3U\n", @rows };
	_garble($reply, { map { $_ => 1 } split /\+/, $wrong->{json} // '' }, $server);
	_compress($reply, $wrong->{gzip}) if $wrong->{gzip};
	return $reply;
}

sub _login {
	my ($self, $account, $params) = @_;
	my $server = $self->{server};
	my @now = gmtime $server->time;
	my $active = () = $server->streams_of($params->{username});
	my $status = $account->{status} // 'Active';
	return {
		user_info => {
			username => $params->{username}, password => $params->{password}, message => '',
			auth => $status eq 'Active' ? 1 : 0, status => $status,
			exp_date => defined $account->{expires} ? "$account->{expires}" : undef, is_trial => '0',
			active_cons => "$active", created_at => $ADDED, max_connections => "$account->{max}",
			allowed_output_formats => [ 'm3u8', 'ts', 'rtmp' ],
		},
		server_info => {
			url => '127.0.0.1', port => "$server->{gateway_port}", https_port => '0', server_protocol => 'http',
			rtmp_port => '0', timezone => 'UTC', timestamp_now => int $server->time, process => JSON::PP::true,
			time_now => sprintf '%04d-%02d-%02d %02d:%02d:%02d', $now[5] + 1900, $now[4] + 1, @now[ 3, 2, 1, 0 ],
		},
	};
}

sub _categories {
	my ($kind) = @_;
	return [ map { { category_id => "$_->[0]", category_name => $_->[1], parent_id => 0 } } @{ $CATEGORIES{$kind} } ];
}

# As some panels do it, the account stands in the pictures' addresses.
sub _picture {
	my ($self, $name) = @_;
	my ($user, $password) = @{ $self->{asks} }{qw(username password)};
	return $self->{server}->url . "/picture/$user/$password/$name.png?username=$user&password=$password";
}

sub _live_streams {
	my ($self) = @_;
	return [ map { {
		num => $_->{id}, name => $_->{name}, stream_type => 'live', stream_id => $_->{id},
		stream_icon => $self->_picture("ch$_->{id}"), epg_channel_id => $_->{guide}, added => $ADDED, is_adult => 0,
		category_id => "$_->{category}", category_ids => [ $_->{category} ], custom_sid => '', tv_archive => 0,
		direct_source => '', tv_archive_duration => 0,
	} } @CHANNELS ];
}

sub _vod_streams {
	my ($self) = @_;
	return [ map { {
		num => $_->{id} - 100, name => "$_->{name} ($_->{year})", stream_type => 'movie', stream_id => $_->{id},
		stream_icon => $self->_picture($_->{id}), rating => '7.5', rating_5based => 3.8, added => $ADDED,
		is_adult => 0, category_id => '11', category_ids => [11], container_extension => $_->{suffix},
		custom_sid => '', direct_source => '', tmdb_id => '', trailer => '', plot => "The plot of $_->{name}.",
		genre => 'Demo', year => $_->{year}, director => '', cast => '', release_date => "$_->{year}-01-01",
	} } @FILMS ];
}

sub _clock { my ($s) = @_; return sprintf '%02d:%02d:%02d', int($s / 3600), int($s / 60) % 60, $s % 60 }

sub _vod_info {
	my ($self, $params) = @_;
	my ($film) = grep { $_->{id} eq ($params->{vod_id} // '') } @FILMS;
	return { info => [] } unless $film;
	my $picture = $self->_picture($film->{id});
	return {
		info => {
			name => $film->{name}, o_name => $film->{name}, cover_big => $picture, movie_image => $picture,
			release_date => "$film->{year}-01-01", releasedate => "$film->{year}-01-01", youtube_trailer => '',
			director => '', actors => '', cast => '', description => "The plot of $film->{name}.",
			plot => "The plot of $film->{name}.", country => '', genre => 'Demo', backdrop_path => [$picture],
			duration_secs => $film->{seconds}, duration => _clock($film->{seconds}), bitrate => 1000,
			rating => '7.5', tmdb_id => '', video => {}, audio => {},
		},
		movie_data => {
			stream_id => $film->{id}, name => $film->{name}, added => $ADDED, category_id => '11',
			category_ids => [11], container_extension => $film->{suffix}, custom_sid => '', direct_source => '',
		},
	};
}

sub _series {
	my ($self) = @_;
	return [ {
		num => 1, name => 'The Series', series_id => 201, cover => $self->_picture(201), plot => 'Two episodes.',
		cast => '', director => '', genre => 'Demo', releaseDate => '2020-05-01', release_date => '2020-05-01',
		last_modified => $ADDED, rating => '8', rating_5based => 4, backdrop_path => [ $self->_picture(201) ],
		youtube_trailer => '', episode_run_time => '1', category_id => '21', category_ids => [21],
	} ];
}

sub _series_info {
	my ($self, $params) = @_;
	return { seasons => [], info => [], episodes => [] } if ($params->{series_id} // '') ne '201';
	my @episodes = map { {
		id => "$_->{id}", episode_num => $_->{number}, title => "The Series - S01E0$_->{number} - $_->{name}",
		container_extension => $_->{suffix}, added => $ADDED, season => 1, custom_sid => '', direct_source => '',
		info => {
			movie_image => $self->_picture(201), plot => "What happens in $_->{name}.", releasedate => '2020-05-01',
			rating => '8', duration_secs => 30, duration => _clock(30), video => {}, audio => {}, bitrate => 1000,
		},
	} } @EPISODES;
	return {
		seasons => [ {
			air_date => '2020-05-01', episode_count => scalar @episodes, id => 1, name => 'Season 1', overview => '',
			season_number => 1, cover => $self->_picture(201), cover_big => $self->_picture(201),
		} ],
		info => $self->_series->[0], episodes => { 1 => \@episodes },
	};
}

# Half-hour programmes, the running one first.
sub _short_epg {
	my ($self, $params) = @_;
	my ($channel) = grep { $_->{id} eq ($params->{stream_id} // '') && $_->{guide} } @CHANNELS;
	return { epg_listings => [] } unless $channel;
	my $limit = ($params->{limit} // '') =~ /^(\d{1,3})$/ ? $1 : 4;
	my $first = int($self->{server}->time / 1800) * 1800;
	return { epg_listings => [ map { _programme($channel, $first + 1800 * $_) } 0 .. $limit - 1 ] };
}

sub _programme {
	my ($channel, $start) = @_;
	my $text = sub {
		my @t = gmtime $_[0];
		return sprintf '%04d-%02d-%02d %02d:%02d:%02d', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ];
	};
	my $number = $start / 1800;
	return {
		id => "$channel->{id}$number", epg_id => "$channel->{id}", title => encode_base64("Programme $number", ''),
		lang => 'en', start => $text->($start), end => $text->($start + 1800),
		description => encode_base64("What $channel->{name} shows.", ''), channel_id => $channel->{guide},
		start_timestamp => "$start", stop_timestamp => $start + 1800 . '', has_archive => 0,
	};
}

# Changes the data in place as careless panels do.
sub _spoil {
	my ($data, $quirks, $key) = @_;
	return unless %$quirks;
	for my $slot (ref $data eq 'HASH' ? \(@$data{ sort keys %$data }) : ref $data eq 'ARRAY' ? \(@$data) : ()) {
		my $name = ref $data eq 'HASH' ? (grep { \$data->{$_} == $slot } keys %$data)[0] : $key;
		_spoil($$slot, $quirks, $name) if ref $$slot;
		_spoil_value($slot, $quirks, $name);
	}
	return;
}

sub _spoil_value {
	my ($slot, $quirks, $name) = @_;
	if (!ref $$slot && defined $$slot) {
		$$slot += $BIG if $quirks->{big_ids} && $name =~ /^(?:stream_id|series_id|id)$/ && $$slot =~ /^\d+$/;
		$$slot = undef if $quirks->{nulls} && $name =~ /^(?:name|added|stream_icon|rating|plot|release_?date)$/i;
		return unless $quirks->{strings} && defined $$slot && $$slot =~ /^-?\d+$/;
		my $is_number = JSON::PP->new->allow_nonref->encode($$slot) !~ /^"/;
		$$slot = $is_number ? "$$slot" : 0 + $$slot;
	} elsif ($quirks->{empty} && ref $$slot eq 'HASH') {
		$$slot = $name eq 'episodes' ? [ map { $$slot->{$_} } sort keys %{$$slot} ] : [] if $name ne '';
	} elsif ($quirks->{empty} && ref $$slot eq 'ARRAY') {
		$$slot = {} unless @{$$slot} && ref $$slot->[0];
	}
	return;
}

# A list of $count entries: the true ones, then copies of the last with numbers of their own.
# Text is repeated, because encoding tens of thousands of entries would hold up every stream.
sub _many {
	my ($data, $count) = @_;
	my $json = JSON::PP->new->canonical->utf8;
	my @rows = map { $json->encode($_) } @$data;
	my $last = $rows[-1];
	my ($id) = $last =~ /"(?:stream_id|series_id)":"?(\d+)/;
	push @rows, map {
		my $row = $last;
		my $new = $id + 1_000 + $_;
		$row =~ s/("(?:stream_id|series_id)":"?)\d+/$1$new/;
		$row =~ s/("name":"[^"]*)/$1 $new/;
		$row;
	} 1 .. $count - @rows;
	return '[' . join(',', @rows[ 0 .. $count - 1 ]) . ']';
}

sub _garble {
	my ($reply, $quirks, $server) = @_;
	$reply->{body} = substr $reply->{body}, 0, length($reply->{body}) / 2 if $quirks->{truncated};
	$reply->{body} = "\x80\xff{" . join '', map { chr rand 256 } 1 .. 500 if $quirks->{garbage};
	%$reply = %{ $server->page(200) } if $quirks->{html};
	return;
}

sub _compress {
	my ($reply, $how) = @_;
	my $plain = $how eq 'bomb' ? ' ' x $BOMB : $reply->{body};
	$reply->{body} = Compress::Zlib::memGzip($plain);
	substr $reply->{body}, 20, 40, "\xaa" x 40 if $how eq 'broken';
	push @{ $reply->{headers} }, 'Content-Encoding', 'gzip';
	return;
}

1;
