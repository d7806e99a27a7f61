// t/browser/unit/trouble.test.mjs - faults, their words, when to try again, when to go a rung down.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelayS } from '../../../web/backoff.js';
import { Ceiling, FailureCounter } from '../../../web/failures.js';
import { Fault, faultFromAnswer, faultFromSilence, parseRetryAfter } from '../../../web/fault.js';
import { capped, countdown, describe, describeFilm, describeList, howMany, steppedDown } from '../../../web/messages.js';

const answers = [
	[400, 'input'], [401, 'unauthorised'], [403, 'forbidden'], [404, 'unknown'], [409, 'input'],
	[410, 'unknown'], [429, 'limited'], [500, 'server'], [502, 'source'], [503, 'busy'], [504, 'source'],
	[599, 'server'],
];
for (const [status, kind] of answers)
	test(`${status} is ${kind}`, () => assert.equal(faultFromAnswer(status, null).kind, kind));

test('the server\'s sentence, request and wait are kept', () => {
	const body = JSON.stringify({ error: { code: 'busy', message: 'Five viewers are the limit.', retryAfter: 7,
		requestId: 'abc' } });
	const fault = faultFromAnswer(503, null, body);
	assert.equal(fault.text, 'Five viewers are the limit.');
	assert.equal(fault.requestId, 'abc');
	assert.equal(fault.retryAfterS, 7);
	assert.equal(faultFromAnswer(503, '2', body).retryAfterS, 2, 'the header comes first');
});

test('a channel that starts is told apart from a busy server', () => {
	for (const body of ['{"error":{"code":"starting"}}', '{"error":{"code":"busy","message":"The channel is starting"}}'])
		assert.equal(faultFromAnswer(503, '1', body).kind, 'starting');
});

for (const body of ['', '<html>503</html>', 'null', '{"error":5}', '{"error":{"message":{}}}', '[]'])
	test(`a body of ${body || 'nothing'} is no sentence`, () => assert.equal(faultFromAnswer(503, null, body).text, ''));

test('an endless sentence is cut', () => {
	const body = JSON.stringify({ error: { message: 'x'.repeat(5000) } });
	assert.ok(faultFromAnswer(500, null, body).text.length <= 240);
});

const now = Date.parse('2026-01-01T00:00:00Z');
const waits = [['5', 5], ['0', 1], ['99999', 300], ['Thu, 01 Jan 2026 00:00:09 GMT', 9],
	['Wed, 31 Dec 2025 00:00:00 GMT', 1], ['soon', null], ['', null], [null, null], [undefined, null], [3, 3]];
for (const [value, want] of waits)
	test(`Retry-After ${value} is ${want}`, () => assert.equal(parseRetryAfter(value, now), want));

test('no answer is offline, a timeout or the network', () => {
	assert.equal(faultFromSilence(false, true).kind, 'offline');
	assert.equal(faultFromSilence(true, true).kind, 'timeout');
	assert.equal(faultFromSilence(true, false).kind, 'network');
});

const kinds = ['offline', 'network', 'timeout', 'input', 'unauthorised', 'forbidden', 'unknown', 'limited', 'busy',
	'starting', 'source', 'server', 'media', 'silent', 'unsupported'];
for (const kind of kinds)
	test(`${kind} is said in words, with something to do`, () => {
		for (const said of [describe(new Fault(kind)), describeList(new Fault(kind))]) {
			assert.match(said.title, /^[A-Z].{8,60}$/);
			assert.match(said.text, /\.$/);
			assert.match(said.retry, /^(auto|online|ask)$/);
			assert.ok(said.actLabel);
		}
	});

test('what trying again cannot cure is not tried again by itself', () => {
	for (const kind of ['unauthorised', 'forbidden', 'unknown', 'input', 'unsupported'])
		assert.equal(describe(new Fault(kind)).retry, 'ask');
});

test('who finds nothing at an address is led to where there is something', () => {
	assert.equal(describe(new Fault('unknown')).actHref, '/');
	assert.equal(describeFilm(new Fault('unknown')).actHref, '/?show=films');
	assert.equal(describe(new Fault('busy')).actHref, null);
});

test('a kind that nobody knows still has words', () => {
	assert.ok(describe(new Fault('surprise')).title);
});

test('a series that there is not is no search that failed', () => {
	for (const kind of ['unknown', 'input'])
		assert.equal(describeList(new Fault(kind), true).title, 'There is no such series');
	assert.equal(describeList(new Fault('input')).title, 'That search did not work');
	assert.equal(describeList(new Fault('offline'), true).title, 'You are offline');
});

test('the server\'s own sentence is shown beside ours', () => {
	assert.equal(describe(faultFromAnswer(503, null, '{"error":{"message":"Come back at nine."}}')).detail,
		'Come back at nine.');
});

test('countdowns and counts read well', () => {
	assert.equal(countdown(5), 'Trying again in 5 s');
	assert.equal(countdown(180), 'Trying again in 3 minutes');
	assert.equal(countdown(0), 'Trying again…');
	assert.equal(howMany(1, false), '1 channel');
	assert.equal(howMany(60, true), '60 channels and more');
	assert.match(steppedDown('720p', '480p'), /720p.*480p/);
	assert.match(capped('360p'), /360p/);
});

test('waits grow to half a minute and vary by a quarter', () => {
	const middle = () => 0.5;
	assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map((n) => retryDelayS(n, null, middle)), [1, 2, 4, 8, 16, 30, 30]);
	assert.equal(retryDelayS(4, null, () => 0), 12);
	assert.equal(retryDelayS(4, null, () => 1), 20);
});

test('the server\'s word for a wait is taken as it is', () => {
	assert.equal(retryDelayS(9, 2), 2);
});

test('two failures within ten seconds count, two further apart do not', () => {
	const counter = new FailureCounter();
	assert.equal(counter.add(0), false);
	assert.equal(counter.add(10000), false);
	assert.equal(counter.add(19999), true);
	assert.equal(counter.add(20000), false, 'and it starts from nothing again');
});

test('a new choice forgets old failures', () => {
	const counter = new FailureCounter();
	counter.add(0);
	counter.clear();
	assert.equal(counter.add(1), false);
});

test('a ceiling goes down a rung per failure and back up a rung per quiet minute', () => {
	const ceiling = new Ceiling();
	assert.equal(ceiling.lower(0, 4, 0), true);
	assert.equal(ceiling.index, 1);
	assert.equal(ceiling.lift(59999), false);
	assert.equal(ceiling.lift(60000), true);
	assert.equal(ceiling.index, 0);
	assert.equal(ceiling.lift(999999), false);
});

test('a ceiling that fails again holds twice as long, up to ten minutes', () => {
	const ceiling = new Ceiling();
	for (let i = 0, at = 0; i < 8; i++) {
		ceiling.lower(0, 9, at);
		at = ceiling.untilMs;
		ceiling.lift(at);
	}
	assert.equal(ceiling.holdMs, 600000);
	ceiling.clear();
	assert.deepEqual([ceiling.index, ceiling.holdMs], [0, 60000]);
});

test('below the lowest rung there is none', () => {
	const ceiling = new Ceiling();
	assert.equal(ceiling.lower(3, 4, 0), false);
	assert.equal(ceiling.index, 0);
});
