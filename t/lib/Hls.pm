# t/lib/Hls.pm - reads playlists as a strict player would, for tests.       RFC 8216
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $master = Hls->read($text);   $master->faults          sentences; none for a good one
#   $master->variants                [{uri, BANDWIDTH, RESOLUTION, CODECS, ...}, ...]
#   my $list = Hls->read($text);     $list->segments          [{n, uri, duration, title, period, date in s}, ...]
#   $list->{target}, $list->{sequence}, $list->{period}
#   Hls::step_faults($older, $newer) what is wrong where one follows the other (section 6.2.2)
package Hls;
use strict;
use warnings;
use Time::Local ();

# A segment's date, said or reckoned from the one before, may move by so many seconds.
my $DRIFT = 0.1;

sub read {
	my ($class, $text) = @_;
	my $self = bless { faults => [], variants => [], segments => [], tags => {} }, $class;
	my @lines = split /\r?\n/, $text // '';
	$self->_fault('does not begin with #EXTM3U') if ($lines[0] // '') ne '#EXTM3U';
	$self->_fault('does not end with a line end') if ($text // '') !~ /\n\z/;
	my %next;
	for my $line (@lines) {
		if ($line =~ /^#(EXT[^:]*)(?::(.*))?$/) {
			$self->_tag($1, $2 // '', \%next);
		} elsif (length $line && $line !~ /^#/) {
			$self->_uri($line, \%next);
			%next = ();
		}
	}
	$self->_check;
	return $self;
}

sub _fault { my ($self, $text) = @_; push @{ $self->{faults} }, $text; return }

my %ONCE = (
	'EXT-X-VERSION' => 'version', 'EXT-X-TARGETDURATION' => 'target', 'EXT-X-MEDIA-SEQUENCE' => 'sequence',
	'EXT-X-DISCONTINUITY-SEQUENCE' => 'period',
);

sub _tag {
	my ($self, $name, $value, $next) = @_;
	$self->{tags}{$name}++;
	if (my $member = $ONCE{$name}) {
		$self->_fault("$name twice") if defined $self->{$member};
		$self->_fault("$name:$value is no number") if $value !~ /^\d+$/;
		$self->_fault("$name after a segment") if @{ $self->{segments} };
		$self->{$member} = $value;
	} elsif ($name eq 'EXTINF') {
		my ($duration, $title) = $value =~ /^(\d+(?:\.\d+)?),(.*)$/;
		$self->_fault("EXTINF:$value") unless defined $duration;
		@$next{qw(duration title)} = ($duration // 0, $title // '');
	} elsif ($name eq 'EXT-X-DISCONTINUITY') {
		$next->{break} = 1;
	} elsif ($name eq 'EXT-X-PROGRAM-DATE-TIME') {
		$self->_fault("$name:$value") if $value !~ /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/;
		$next->{date} = $value;
	} elsif ($name eq 'EXT-X-STREAM-INF') {
		$next->{variant} = $self->_attributes($value);
	}
	return;
}

sub _attributes {
	my ($self, $text) = @_;
	my (%attributes, $rest);
	$rest = $text;
	while ($rest =~ s/^([A-Z0-9-]+)=("[^"]*"|[^",]+)(?:,|$)//) {
		my ($name, $value) = ($1, $2);
		$self->_fault("$name twice in one tag") if exists $attributes{$name};
		$value =~ s/^"(.*)"$/$1/;
		$attributes{$name} = $value;
	}
	$self->_fault("attributes cannot be read: $text") if length $rest;
	return \%attributes;
}

sub _uri {
	my ($self, $uri, $next) = @_;
	if ($next->{variant}) {
		push @{ $self->{variants} }, { %{ $next->{variant} }, uri => $uri };
		return;
	}
	my $segments = $self->{segments};
	my $before = $segments->[-1];
	$self->_fault("$uri has no EXTINF") unless defined $next->{duration};
	push @$segments, {
		n => $before ? $before->{n} + 1 : $self->{sequence} // 0, uri => $uri, duration => $next->{duration}, title => $next->{title} // '',
		period => ($before ? $before->{period} : $self->{period} // 0) + ($next->{break} ? 1 : 0),
		date => defined $next->{date} ? _time($next->{date})
			: $before && defined $before->{date} && !$next->{break} ? $before->{date} + $before->{duration}
			: undef,
	};
	return;
}

# Seconds since the epoch.
sub _time {
	my ($text) = @_;
	my ($y, $m, $d, $hour, $minute, $second, $sign, $zone_h, $zone_m)
		= $text =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)(?:Z|([+-])(\d\d):?(\d\d))$/ or return undef;
	my $zone = defined $sign ? "${sign}1" * ($zone_h * 3600 + $zone_m * 60) : 0;
	return Time::Local::timegm(0, $minute, $hour, $d, $m - 1, $y) + $second - $zone;
}

sub _check {
	my ($self) = @_;
	my ($variants, $segments) = @$self{qw(variants segments)};
	$self->_fault('lists variants and segments') if @$variants && @$segments;
	$self->_fault('has neither variants nor segments') if !@$variants && !@$segments;
	$_->{BANDWIDTH} // $self->_fault("$_->{uri} has no BANDWIDTH") for @$variants;
	return unless @$segments;
	$self->_fault('has no EXT-X-TARGETDURATION') unless $self->{target};
	for my $segment (@$segments) {
		# Section 4.3.3.1: rounded to the nearest whole number.
		$self->_fault("$segment->{uri} lasts $segment->{duration} s, the target is $self->{target} s")
			if int($segment->{duration} + 0.5) > ($self->{target} // 0);
	}
	$self->_fault('durations with a fraction need version 3')
		if ($self->{version} // 1) < 3 && grep { $_->{duration} =~ /\./ } @$segments;
	return;
}

sub faults   { return @{ $_[0]{faults} } }
sub variants { return @{ $_[0]{variants} } }
sub segments { return @{ $_[0]{segments} } }
sub ended    { return !!$_[0]{tags}{'EXT-X-ENDLIST'} }

sub step_faults {
	my ($older, $newer) = @_;
	my @faults;
	push @faults, "the target changed from $older->{target} to $newer->{target}" if $older->{target} != $newer->{target};
	push @faults, "the sequence went back from $older->{sequence} to $newer->{sequence}"
		if $newer->{sequence} < $older->{sequence};
	my %old = map { $_->{n} => $_ } $older->segments;
	for my $segment ($newer->segments) {
		my $was = $old{ $segment->{n} } or next;
		for my $what (qw(uri duration period)) {
			my ($then, $now) = ($was->{$what}, $segment->{$what});
			push @faults, "segment $segment->{n}: its $what was $then and is $now" if $then ne $now;
		}
		my ($then, $now) = ($was->{date}, $segment->{date});
		push @faults, sprintf 'segment %d: its date moved by %.3f s', $segment->{n}, $now - $then
			if defined $then && defined $now && abs($now - $then) > $DRIFT;
	}
	return @faults;
}

1;
