// t/browser/unit/status.test.mjs - the words of the status page.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, connectionsUsed, listed, summary, why } from '../../../web/messages.js';

const now = Date.parse('2026-01-02T00:00:00Z');
const times = [
	['2026-01-01T23:59:59Z', '1 second ago'], ['2026-01-01T23:58:01Z', '1 minute ago'],
	['2026-01-01T21:00:00Z', '3 hours ago'], ['2025-12-01T00:00:00Z', '32 days ago'],
	['2026-01-02T00:00:05Z', '0 seconds ago'], [null, '–'], ['nonsense', '–'],
];
for (const [time, said] of times)
	test(`${time} is ${said}`, () => assert.equal(ago(time, now), said));

test('a summary counts what fails and what is on', () => {
	assert.equal(summary([], []), 'No source is configured.');
	assert.equal(summary([{ reason: null }], [{}]), 'All sources are ready, 1 channel on.');
	assert.equal(summary([{ reason: 'source_down' }, { reason: null }], []), '1 of 2 sources failing, no channel is on.');
});

test('reasons have words, and unknown ones stay readable', () => {
	assert.equal(why('limit_reached'), 'Limit reached');
	assert.equal(why('a_new_one'), 'a_new_one');
});

test('connections are those of accounts, and a directory has none', () => {
	const account = { name: null, connections: 2, inUse: 1 };
	assert.equal(connectionsUsed({ type: 'xtream', accounts: [account] }), '1 of 2');
	assert.equal(connectionsUsed({ type: 'xtream', accounts: [account, { ...account, name: 'second' }] }), '1 of 2; second: 1 of 2');
	assert.equal(connectionsUsed({ type: 'm3u', accounts: [{ ...account, connections: null }] }), '1, no limit');
	assert.equal(connectionsUsed({ type: 'files', accounts: [{ ...account, connections: null }] }), '–');
});

test('a source without a list has no counts', () => {
	assert.equal(listed(0, 'files'), '0');
	assert.equal(listed(0, 'command'), '–');
});
