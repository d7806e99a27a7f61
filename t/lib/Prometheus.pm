# t/lib/Prometheus.pm - reads metrics as strictly as their specification allows.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $metrics = Prometheus->read($text);                  # text 0.0.4
#   my $metrics = Prometheus->read($text, open => 1);       # OpenMetrics 1.0.0
#   $metrics->faults                                        # sentences; none for a good page
#   $metrics->value('sluice_http_requests_total', route => 'live_list', code => '2xx')
#   $metrics->sum('sluice_http_requests_total', code => '2xx')    # over those that have these labels
#   $metrics->metrics                                       # name => type
package Prometheus;
use strict;
use warnings;

my $NAME = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $LABEL = qr/[a-zA-Z_][a-zA-Z0-9_]*/;
my $NUMBER = qr/[-+]?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Inf|NaN)/;
my %SUFFIXES = (counter => ['_total'], gauge => [''], histogram => [qw(_bucket _count _sum)]);

sub read {
	my ($class, $text, %how) = @_;
	my $self = bless { open => $how{open}, faults => [], samples => [], seen => {}, types => {} }, $class;
	$self->_fault('the last line has no end') if $text !~ /\n\z/;
	my @lines = split /\n/, $text, -1;
	pop @lines;
	if ($self->{open}) {
		$self->_fault('the last line is not # EOF') if @lines && $lines[-1] ne '# EOF';
		pop @lines;
	}
	$self->_line($_) for @lines;
	$self->_check_histograms;
	return $self;
}

sub _fault { my ($self, $text) = @_; push @{ $self->{faults} }, $text; return }
sub faults  { return @{ $_[0]{faults} } }
sub metrics { return %{ $_[0]{types} } }

sub _line {
	my ($self, $line) = @_;
	if ($line =~ /^# HELP ($NAME) (.+)$/) {
		my ($name, $help) = ($1, $2);
		$self->_fault("$name is explained twice") if $self->{help}{$name}++;
		$self->_fault("the help of $name has a bad escape") if $help =~ /\\(?![\\n"])/;
		$self->{current} = $name;
	}
	elsif ($line =~ /^# TYPE ($NAME) (\w+)$/) {
		my ($name, $type) = ($1, $2);
		$self->_fault("$name has its type apart from its help") if ($self->{current} // '') ne $name;
		$self->_fault("$name has the type $type") if !$SUFFIXES{$type};
		$self->_fault("$name has its type twice") if exists $self->{types}{$name};
		$self->_fault("a counter is called $name")
			if $type eq 'counter' && ($self->{open} ? $name =~ /_total$/ : $name !~ /_total$/);
		$self->{types}{$name} = $type;
	}
	elsif ($line =~ /^($NAME)(\{.*\})? ($NUMBER)$/) { $self->_sample($1, $2, $3) }
	else { $self->_fault("a line that is none: $line") }
	return;
}

sub _sample {
	my ($self, $name, $labels, $value) = @_;
	my $metric = $self->{current} // '';
	my $type = $self->{types}{$metric} // return $self->_fault("$name has no type before it");
	my @suffixes = $type eq 'counter' && !$self->{open} ? ('') : @{ $SUFFIXES{$type} // [] };
	return $self->_fault("$name stands below $metric") if !grep { $name eq $metric . $_ } @suffixes;
	my %labels;
	my $rest = $labels // '';
	$self->_fault("$name has an empty list of labels") if $rest eq '{}';
	$rest =~ s/^\{|\}$//g;
	while ($rest ne '') {
		if ($rest !~ s/^($LABEL)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|\z)//) {
			return $self->_fault("the labels of $name: $rest");
		}
		my ($label, $text) = ($1, $2);
		$text =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/ge;
		$self->_fault("$name has the label $label twice") if exists $labels{$label};
		$labels{$label} = $text;
	}
	my $id = join "\0", $name, map { "$_=$labels{$_}" } sort keys %labels;
	$self->_fault("twice: $name " . ($labels // "")) if $self->{seen}{$id}++;
	$self->_fault("$name is $value") if $type ne 'gauge' && ($value < 0 || $value =~ /Inf|NaN/);
	push @{ $self->{samples} }, { name => $name, metric => $metric, labels => \%labels, value => $value };
	return;
}

# Each histogram: buckets that grow with their bound, the last one is all of them.
sub _check_histograms {
	my ($self) = @_;
	my %one;
	for my $sample (@{ $self->{samples} }) {
		next if $self->{types}{ $sample->{metric} } ne 'histogram';
		my %labels = %{ $sample->{labels} };
		my $le = delete $labels{le};
		my $h = $one{ join "\0", $sample->{metric}, map { "$_=$labels{$_}" } sort keys %labels } //= { buckets => [] };
		if ($sample->{name} =~ /_bucket$/) { push @{ $h->{buckets} }, [ $le // 'none', $sample->{value} ] }
		else { $h->{ $sample->{name} =~ /_(count|sum)$/ ? $1 : '' } = $sample->{value} }
	}
	for my $id (sort keys %one) {
		my $h = $one{$id};
		(my $name = $id) =~ tr/\0/ /;
		my ($bound, $count) = (-1, 0);
		for my $bucket (@{ $h->{buckets} }) {
			my $le = $bucket->[0] eq '+Inf' ? 9**9**9 : $bucket->[0];
			$self->_fault("$name: a bucket for $bucket->[0]") if $le !~ /^(?:[\d.]+|inf)$/i || $le <= $bound;
			$self->_fault("$name: a bucket with fewer than the one before") if $bucket->[1] < $count;
			($bound, $count) = ($le, $bucket->[1]);
		}
		$self->_fault("$name: no bucket for all") if !@{ $h->{buckets} } || $h->{buckets}[-1][0] ne '+Inf';
		$self->_fault("$name: the count is not that of the last bucket") if ($h->{count} // -1) != $count;
		$self->_fault("$name: no sum") if !defined $h->{sum};
	}
	return;
}

sub _matching {
	my ($self, $name, %labels) = @_;
	return grep {
		my $sample = $_;
		$sample->{name} eq $name && !grep { ($sample->{labels}{$_} // "\0") ne $labels{$_} } keys %labels;
	} @{ $self->{samples} };
}

sub value {
	my ($self, $name, %labels) = @_;
	my @found = grep { keys %{ $_->{labels} } == keys %labels } $self->_matching($name, %labels);
	return @found ? $found[0]{value} : undef;
}

sub sum {
	my ($self, $name, %labels) = @_;
	my $sum = 0;
	$sum += $_->{value} for $self->_matching($name, %labels);
	return $sum;
}

sub values_of {
	my ($self, $name, $label) = @_;
	my %seen = map { $_->{labels}{$label} => 1 } grep { defined $_->{labels}{$label} } $self->_matching($name);
	my @all = sort keys %seen;
	return @all;
}

1;
