// t/browser/unit/quality.test.mjs - the choice among rungs, and the menu's words.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buttonText, firstChoice, heightOf, lowerThan, menuItems, nameLevels, nearest, rateText, sortRungs,
	spokenName } from '../../../web/quality.js';
import { ownBegin } from '../../../web/slate.js';
import { easyRate, isTooSlow, isTooSoon } from '../../../web/slow.js';

const offered = [['360p', 360, 6e5], ['audio', 0, 1.4e5], ['720p', 720, 2.5e6], ['240p', 240, 3.5e5], ['480p', 480, 1e6]]
	.map(([name, height, bandwidth]) => ({ name, height, width: height * 16 / 9, bandwidth,
		url: `/api/hls/1/${name}.m3u8` }));
const rungs = sortRungs(offered);
const names = (list) => list.map((r) => r.name);

test('rungs are sorted best first and audio stands apart', () => {
	assert.deepEqual(names(rungs.video), ['720p', '480p', '360p', '240p']);
	assert.equal(rungs.audio.name, 'audio');
});

test('nonsense in place of rungs is no rung', () => {
	for (const nonsense of [null, undefined, {}, 'x', [null, {}, { name: '720p' }]])
		assert.deepEqual(sortRungs(nonsense), { video: [], audio: null });
});

test('a height is read from a name, and best when there is none', () => {
	assert.equal(heightOf('720p'), 720);
	assert.equal(heightOf('source'), Infinity);
	assert.equal(heightOf(null), Infinity);
});

const nearests = [
	['480p', '480p', 'the rung itself'],
	['1080p', '720p', 'the nearest below'],
	['400p', '360p', 'the nearest below, between two'],
	['144p', '240p', 'the lowest when all are above'],
	['source', '720p', 'the best for the source'],
];
for (const [wanted, got, name] of nearests)
	test(`${wanted} is ${name}`, () => assert.equal(nearest(rungs.video, wanted).name, got));

test('one rung down ends at the lowest', () => {
	assert.equal(lowerThan(rungs.video, '720p').name, '480p');
	assert.equal(lowerThan(rungs.video, '240p'), null);
	assert.equal(lowerThan(rungs.video, '999p'), null);
});

const choices = [
	['the server\'s default without a word from anybody', {}, { choice: 'auto', start: '720p', most: null }],
	['the server\'s default is followed', { preferred: '480p' }, { choice: 'auto', start: '480p', most: null }],
	['a remembered rung', { remembered: '360p' }, { choice: '360p', start: '360p', most: null }],
	['a remembered rung that is gone: the nearest below', { remembered: '1080p' },
		{ choice: '720p', start: '720p', most: null }],
	['remembered audio', { remembered: 'audio' }, { choice: 'audio', start: null, most: null }],
	['a remembered rung is stronger than the data saver', { remembered: '720p', connection: { saveData: true } },
		{ choice: '720p', start: '720p', most: null }],
	['the data saver begins low and stays there', { connection: { saveData: true } },
		{ choice: 'auto', start: '360p', most: '360p' }],
	['2g begins at the lowest', { connection: { effectiveType: '2g' } },
		{ choice: 'auto', start: '240p', most: null }],
	['3g begins in the middle', { connection: { effectiveType: '3g', downlink: 1.5 } },
		{ choice: 'auto', start: '360p', most: null }],
	['a measured rate that is too low begins lower', { connection: { effectiveType: '4g', downlink: 2 } },
		{ choice: 'auto', start: '480p', most: null }],
	['a rate below every rung begins at the lowest', { connection: { effectiveType: '4g', downlink: 0.05 } },
		{ choice: 'auto', start: '240p', most: null }],
];
for (const [name, given, want] of choices)
	test(`first choice: ${name}`, () => assert.deepEqual(firstChoice({ rungs, ...given }), want));

test('first choice: a channel without video is sound alone', () => {
	const radio = sortRungs(offered.filter((r) => r.name === 'audio'));
	assert.equal(firstChoice({ rungs: radio }).choice, 'audio');
	assert.equal(firstChoice({ rungs: sortRungs([]) }).choice, 'auto');
});

test('levels of the player get the names of rungs by address, then height, then rate', () => {
	const levels = [
		{ height: 1, bitrate: 1, url: 'http://host/api/hls/1/240p.m3u8?x=1' },
		{ height: 360, bitrate: 1, url: '/elsewhere.m3u8' },
		{ height: 0, bitrate: 1.1e6, url: '' },
	];
	assert.deepEqual(nameLevels(rungs.video, levels), ['240p', '360p', '480p']);
	assert.deepEqual(nameLevels([], [{ height: 576, url: '' }, { height: 0, url: '' }]), ['576p', 'audio']);
});

test('the menu lists auto with what it plays, each rung with its rate, audio last', () => {
	const items = menuItems({ rungs, choice: 'auto', playing: '480p' });
	assert.deepEqual(items.map((i) => i.label), ['Auto', '720p', '480p', '360p', '240p', 'Audio only']);
	assert.deepEqual(items.map((i) => i.key), ['0', '1', '2', '3', '4', 'a']);
	assert.equal(items[0].detail, 'now 480p');
	assert.equal(items[1].detail, '2.5 Mb/s');
	assert.deepEqual(items.filter((i) => i.checked).map((i) => i.value), ['auto']);
});

test('nothing to choose from is an empty menu', () => {
	assert.deepEqual(menuItems({ rungs: sortRungs([]), choice: 'auto', playing: null }), []);
});

test('the button says what plays', () => {
	assert.equal(buttonText('auto', '360p'), 'Auto · 360p');
	assert.equal(buttonText('auto', null), 'Auto');
	assert.equal(buttonText('720p', '360p'), '720p');
	assert.equal(buttonText('audio', 'audio'), 'Audio');
	assert.equal(spokenName('audio'), 'audio only');
	assert.equal(spokenName('auto'), 'automatic quality');
});

test('rates are short', () => {
	assert.deepEqual([2e6, 350400, 0, undefined].map(rateText), ['2 Mb/s', '350 kb/s', '', '']);
	assert.equal(rateText(1.44e6), '1.4 Mb/s');
});

const slow = [
	['one that comes in time', { loaded: 100000, elapsedS: 1, bufferedS: 6 }, false],
	['one that comes after the picture stands', { loaded: 100000, elapsedS: 1, bufferedS: 4 }, true],
	['one of which nothing has come', { loaded: 0, elapsedS: 2, bufferedS: 6 }, true],
	['one that is nearly there', { loaded: 480000, elapsedS: 5, bufferedS: 0.6 }, false],
	['one that is there before a lower one would be', { loaded: 420000, elapsedS: 5, bufferedS: 0.5 }, false],
];
for (const [name, seen, want] of slow)
	test(`${name} is ${want ? 'left' : 'kept'}`, () =>
		assert.equal(isTooSlow({ size: 500000, durationS: 2, lowerRate: 490000, ...seen }), want));

const rates = [[1, 4, 6, 0.95], [1, 5.5, 6, 1], [0.95, 5.5, 6, 0.95], [0.95, 6, 6, 1], [1, 0, 6, 1], [0.1, 3, 6, 0.1], [2, 9, 6, 2]];
for (const [rate, latency, target, want] of rates)
	test(`at ${rate}, ${latency} s behind where ${target} s should be, it goes on at ${want}`, () =>
		assert.equal(easyRate(rate, latency, target), want));

const holds = [[0.5, 0, true], [1.4, 2900, true], [1.5, 0, false], [0.5, 3000, false]];
for (const [bufferedS, heldMs, want] of holds)
	test(`with ${bufferedS} s after ${heldMs} ms the picture ${want ? 'is held' : 'moves'}`, () =>
		assert.equal(isTooSoon({ bufferedS, heldMs }), want));

// Segments of a list: s a slate, c the channel's own, each a second long; the channel's first picture comes 0.1 s
// after its first sound.
const segments = (text) => [...text].map((kind, i) => ({ sn: i, start: i, title: kind === 's' ? 'slate' : null,
	elementaryStreams: { video: kind === 'c' ? { startPTS: i + 0.1 } : null } }));
const slates = [
	['a channel that is buffered', { text: 'ssc', time: 0.3, end: 3 }, 2.12],
	['one of which sound alone is there', { text: 'ssc', time: 0.3, end: 2.08 }, null],
	['one that is listed and not there yet', { text: 'ssc', time: 0.3, end: 2 }, null],
	['one that is shown already', { text: 'ssc', time: 2.3, end: 3 }, null],
	['one that was never away', { text: 'ccc', time: 0.3, end: 3 }, null],
	['slates and nothing else', { text: 'sss', time: 0.3, end: 3 }, null],
	['a slate behind the channel', { text: 'ccs', time: 0.3, end: 3 }, null],
	['a channel that is back, and too little of it', { text: 'cssc', time: 1.3, end: 4, aheadS: 4 }, null],
	['a channel that is back, and enough', { text: 'csscccc', time: 1.3, end: 7.2, aheadS: 4 }, 3.12],
	['a list that slid past what is shown', { text: 'ssc', time: -5, end: 3 }, null],
];
for (const [name, { text, aheadS = 0, ...now }, want] of slates)
	test(`behind a slate: ${name}`, () => assert.equal(ownBegin({ frags: segments(text), aheadS, ...now }), want));
