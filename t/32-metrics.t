#!/usr/bin/perl
# t/32-metrics.t - what is counted: right, for all processes together, whatever happens to them.
# SPDX-License-Identifier: BSD-2-Clause
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use App;
use Gateway;
use Prometheus;

# --- the parser finds what it is there to find ------------------------------------------------------
my $good = "# HELP a_total A.\n# TYPE a_total counter\n";
my %bad = (
	"${good}a_total 1"                                     => 'the last line has no end',
	"${good}a_total 1\na_total 2\n"                        => 'a sample twice',
	"${good}a_total{x=\"1\"y=\"2\"} 1\n"                   => 'labels without a comma',
	"${good}a_total{x=\"a\\qb\"} 1\n"                      => 'an unknown escape',
	"${good}a_total -1\n"                                  => 'a counter below nothing',
	"${good}b_total 1\n"                                   => 'a sample under another metric',
	"${good}a_total 1 x\n"                                 => 'something after the value',
	"# TYPE a_total counter\na_total 1\n"                  => 'a type without help',
	"# HELP a A.\n# TYPE a counter\na 1\n"                 => 'a counter without _total',
	"# HELP a A.\n# TYPE a number\na 1\n"                  => 'an unknown type',
	"# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_count 1\nh_sum 1\n" =>
		'buckets that shrink',
	"# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_count 2\nh_sum 1\n" => 'a histogram without its end',
);
ok(scalar(Prometheus->read($_)->faults), "a strict reader refuses $bad{$_}") for sort keys %bad;
is_deeply([ Prometheus->read("${good}a_total{x=\"1\",y=\"a\\\"\\\\\\n\"} 1\n")->faults ], [], 'and takes what is right');

# --- the program ------------------------------------------------------------------------------------
my $gateway = Gateway->new;
my $app = App->new(gateway => $gateway, conf => { api_processes => 2 });

sub metrics {
	my $reply = $app->get('/metrics');
	my $metrics = Prometheus->read($reply->body);
	is_deeply([ $metrics->faults ], [], 'a strict reader finds no fault');
	return $metrics;
}

# --- form -------------------------------------------------------------------------------------------
my $reply = $app->get('/metrics');
is $reply->status, 200, 'there are metrics';
is $reply->header('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8', 'as text';
is $reply->header('Cache-Control'), 'no-store', 'of now';
my %types = Prometheus->read($reply->body)->metrics;
cmp_ok scalar keys %types, '>', 50, 'of many things';
is_deeply [ grep { !/^sluice_[a-z0-9_]+$/ } keys %types ], [], 'each name begins with the program\'s';
is_deeply [ grep { /_(ms|milliseconds|kb|mb|kib|minutes|percent)(_|$)/ } keys %types ], [], 'and is in base units';
$reply = $app->get('/metrics', Accept => 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
is $reply->header('Content-Type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'or as OpenMetrics';
like $reply->header('Vary') // '', qr/Accept/, 'which is said to depend on Accept';
is_deeply [ Prometheus->read($reply->body, open => 1)->faults ], [], 'of which no strict reader complains';
$reply = $app->head('/metrics');
is $reply->status . $reply->body, '200', 'HEAD works';
is $app->post('/metrics', '')->status, 405, 'nothing can be written there';

# --- requests ---------------------------------------------------------------------------------------
my $before = metrics();
$app->get('/api/live') for 1 .. 5;
$app->get('/api/live/nothing-1') for 1 .. 3;
$app->get('/there/is/nothing') for 1 .. 2;
$app->request('OPTIONS', '/api/live');
my $after = metrics();

sub grew {
	my ($name, %labels) = @_;
	return $after->sum($name, %labels) - $before->sum($name, %labels);
}
is grew('sluice_http_requests_total', route => 'live_list', code => '2xx'), 5, 'requests are counted by route';
is grew('sluice_http_requests_total', route => 'live_show', code => '4xx'), 3, 'and by the class of their status';
is grew('sluice_http_requests_total', route => 'none', code => '4xx'), 2, 'also those that led nowhere';
is grew('sluice_http_request_duration_seconds_count', route => 'live_list'), 5, 'their times are';
cmp_ok grew('sluice_http_request_duration_seconds_sum', route => 'live_list'), '>', 0, 'in seconds';
cmp_ok grew('sluice_http_request_duration_seconds_sum', route => 'live_list'), '<', 5, 'that are seconds';
my $length = length $app->get('/api/live')->body;
is grew('sluice_http_response_bytes_total', route => 'live_list'), 5 * $length, 'and their bytes';

# --- tokens, upstreams, memcached ------------------------------------------------------------------
$before = metrics();
# Answers to those who say who they are come from no table.
my @token = ('X-Sluice-Token' => 'any');
$app->get('/api/live/1', @token) for 1 .. 4;
$app->fcgi('api', 'GET', '/api/live/1', \@token) for 1 .. 4;
$after = metrics();
is grew('sluice_tokens_asked_total'), 1, 'the gateway is asked for a token once';
is grew('sluice_tokens_joined_total'), 1, 'for the one that waited';
is grew('sluice_tokens_cached_total'), 7, 'and the others found it';
is grew('sluice_upstream_requests_total', source => 'demo'), 1, 'which is one request to that source';
is grew('sluice_upstream_refusals_total', source => 'demo'), 0, 'that was not refused';
is grew('sluice_leases_taken_total'), 2, 'under a lease of the token and one of the account';
SKIP: {
	skip Memcached::missing(), 3 if Memcached::missing();
	is grew('sluice_memcached_sets_total', family => 'tok', result => 'stored'), 1, 'the token is stored in memcached';
	cmp_ok grew('sluice_memcached_gets_total', family => 'tok', result => 'miss'), '>=', 1, 'where it was not before';
	is grew('sluice_memcached_unanswered_total'), 0, 'and every question was answered';
}
$gateway->control('fault', kind => '', id => '', set => 'status=458');
$app->get('/api/live/2');
$after = metrics();
is grew('sluice_upstream_refusals_total', source => 'demo'), 1, 'a refusal is counted';
my @secrets = grep { $app->get('/metrics')->body =~ /\Q$_\E/ } $gateway->{user} . ':', $gateway->{password} . '@';
is_deeply \@secrets, [], 'no account is shown';

# --- processes --------------------------------------------------------------------------------------
is_deeply [ grep { $_ ne 'token' } $after->values_of('sluice_processes', 'role') ], [qw(api janitor master relay supervisor)],
	'each role is there';
is $after->value('sluice_processes', role => 'api'), 2, 'with its processes';
is $after->value('sluice_requests_limit', pool => 'api'), 16, 'their limit is told';
is $after->value('sluice_requests_at_work', pool => 'api'), 1, 'and that one of them works, for us';
is $after->value('sluice_up'), 1, 'the service is up';
is $after->value('sluice_ready'), 1, 'and ready';
cmp_ok $after->value('sluice_process_resident_memory_bytes', role => 'master'), '>', 500_000, 'memory is told in bytes';
cmp_ok $after->sum('sluice_process_proportional_memory_bytes'), '<', $after->sum('sluice_process_resident_memory_bytes'),
	'shared memory is not counted twice';
my ($master) = $app->pids('master');
is $after->value('sluice_process_open_fds', role => 'master'), scalar(my @fds = glob "/proc/$master/fd/*"), 'descriptors are counted';
cmp_ok $after->value('sluice_store_free_bytes', store => 'www'), '>', 0, 'free space is told';

# --- what is counted stays --------------------------------------------------------------------------
$before = metrics();
my $asked = sub { my ($m) = @_; $m->value('sluice_http_requests_total', route => 'live_list', code => '2xx') };
$app->kill('api');
ok $app->wait_for(sub { $app->get('/health/live')->status == 200 && $app->pids('api') == 2 }, 10, 'new workers'),
	'workers that were killed are replaced';
$after = metrics();
is $asked->($after), $asked->($before), 'what they had counted stays';
is grew('sluice_respawns_total'), 2, 'that they were replaced is counted';
is(($app->command('reload'))[0], 0, 'after a reload');
is $asked->(metrics()), $asked->($before), 'it is the same';
is metrics()->value('sluice_reloads_total'), 1, 'which is counted too';
$app->kill('master');
$app->wait_for(sub { !grep { $_->{role} =~ /^(?:master|api|relay|supervisor|janitor)$/ } $app->processes }, 10, 'silence');
$app->start;
is $asked->(metrics()), $asked->($before), 'and after all was killed and started again';

# --- in words ---------------------------------------------------------------------------------------
my ($status, $text) = $app->command('status');
like $text, qr/^Answered [\d]+ requests: \d+ failed, \d+ were told that the service is busy\.$/m, 'status says it in words';
like $text, qr/^Gateways were asked for 2 tokens; 1 requests? waited for them, 7 had one at once\.$/m, 'the tokens too';
$app->stop;
done_testing;
