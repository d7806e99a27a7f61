# t/lib/Resolver.pm - a program that finds addresses, as a source of type command has one, for tests.
# SPDX-License-Identifier: BSD-2-Clause
#
#   my $resolver = Resolver->new;
#   my $source = $resolver->source;        # for App's `sources`
#   $resolver->calls                       # how often it was run
#   $resolver->calls('slow')               # for what holds that word
#   ($resolver->words)[-1]                 # the words of its runs, one string each
#   $resolver->sleeper                     # the command line of what it starts and does not end, like no other
#
# How it behaves stands in what it is asked for, as a word between slashes:
#   good crash endless garbage one holds forks slow never private pictures apart list ended short
#   via (prints what it gets from the host and path that follow)
#   half (its best address leads to nothing)
#   picky (fails when it is told "high"; else an address of which nothing is said)
#   script (what it finds would be run by a browser)
#   pic-NAME (its thumbnail is there below the base)
package Resolver;
use strict;
use warnings;
use File::Temp ();

my $SCRIPT = <<'SH';
#!/bin/sh
echo "$*" >> '@DIR@/calls'
for last; do :; done
sound() {
	echo "title: A song"
	echo "duration: 212"
	echo "thumbnail: ${picture-https://i.example/t.jpg}"
	for format in 'hi 320' 'mid 120' 'lo 60'; do
		set -- $format
		printf 'id: %s\next: mp3\nkbps: %s\nurl: @BASE@%s/%s.mp3?SECRET=1%s\n' "$1" "$2" "$gone" "$1" "$ends"
		gone=
	done
}
case $last in
*/crash/*) kill -SEGV $$ ;;
*/endless/*) exec yes 'title: more' ;;
*/garbage/*) echo '{"title":"x","formats":[{"url":' ;;
*/one/*) echo 'half of it'; echo 'ERROR: no such song at https://u:SECRET@h/' >&2; exit 1 ;;
*/holds/*) @SLEEP@ & sound ;;
*/forks/*) setsid @SLEEP@ </dev/null >/dev/null 2>&1 & sound ;;
*/slow/*) sleep 0.7; sound ;;
*/never/*) exec @SLEEP@ ;;
*/private/*) echo 'http://169.254.169.254/latest/meta-data?SECRET=1' ;;
*/pictures/*) printf 'kind: video\nheight: 720\nhttps://e.example/v.mp4\n' ;;
*/apart/*) printf 'kind: video\nheight: 720\next: mp4\nurl: https://e.example/v.mp4\nkind: audio\next: m4a\nurl: https://e.example/a.m4a\n' ;;
*/list/*) echo '{"_type":"playlist","title":"x","entries":[]}' ;;
*/ended/*) echo 'https://e.example/a.mp3?expires=1000000000' ;;
*/short/*) ends="&expires=$(($(date +%s) + 3600))"; sound ;;
*/via/*) perl -MHTTP::Tiny -e '$r = HTTP::Tiny->new(timeout => 5)->get("http://$ARGV[0]"); $r->{success} or die "ERROR: status $r->{status}\n"; print $r->{content}' "${last##*/via/}" ;;
*/picky/*) case $* in *=high*) echo 'ERROR: not so good' >&2; exit 1 ;; esac; echo '@BASE@/x?SECRET=1' ;;
*/script/*) printf 'kind: both\nheight: 360\next: svg\nurl: @BASE@/pic-logo.svg\n' ;;
*/half/*) gone=-gone; sound ;;
*/pic-*/*) picture=${last##*/pic-}; picture=@BASE@/pic-${picture%%/*}; sound ;;
*) sound ;;
esac
SH

# `base` is where its addresses lead.
sub new {
	my ($class, %how) = @_;
	my $dir = File::Temp->newdir;
	(my $text = $SCRIPT) =~ s/\@DIR\@/$dir/g;
	my $self = bless { dir => $dir, sleeper => "sleep 300.$$" }, $class;
	$text =~ s/\@SLEEP\@/$self->{sleeper}/g;
	my $base = $how{base} // 'https://e.example';
	$text =~ s/\@BASE\@/$base/g;
	open my $file, '>', "$dir/resolver" or die "resolver: $!\n";
	print $file $text;
	close $file;
	chmod 0755, "$dir/resolver", $dir;
	return $self;
}

sub sleeper { return $_[0]{sleeper} }
sub program { return "$_[0]{dir}/resolver" }

sub source {
	my ($self, %more) = @_;
	return { name => 'tube', type => 'command', url => 'https://tube.example/{id}/watch', command => [ $self->program ], %more };
}

sub words {
	my ($self) = @_;
	open my $file, '<', "$self->{dir}/calls" or return ();
	chomp(my @lines = <$file>);
	return @lines;
}

sub calls { my ($self, $word) = @_; return scalar grep { !defined $word || /\Q$word\E/ } $self->words }

1;
