// t/browser/unit/film.test.mjs - times, thumbnails, tracks, places, the seek bar's keys, a film's qualities.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageOf } from '../../../web/card.js';
import { renditionOf } from '../../../web/film-engine.js';
import { filmQualities, masterOf } from '../../../web/film-playback.js';
import { listEpisodes } from '../../../web/kinds.js';
import { actionFor, filmKeys, helpRows } from '../../../web/keyboard.js';
import { describeFilm, spokenEpisode } from '../../../web/messages.js';
import { Fault, faultFromAnswer } from '../../../web/fault.js';
import { firstChoice, sortRungs } from '../../../web/quality.js';
import { placeToKeep, Resume } from '../../../web/resume.js';
import { bufferedShares, keyTarget } from '../../../web/seekbar.js';
import { Store } from '../../../web/store.js';
import { sideOf } from '../../../web/taps.js';
import { parseThumbnails, pictureAt } from '../../../web/thumbnails.js';
import { clock, lengthText, spoken } from '../../../web/time.js';
import { languageName, nextSpeed, OFF, trackFor, trackItems, trackNames } from '../../../web/tracks.js';

const times = [
	[0, 0, '0:00', '0 seconds'], [9.99, 60, '0:09', '9 seconds'], [754, 5000, '0:12:34', '12 minutes 34 seconds'],
	[754, 800, '12:34', '12 minutes 34 seconds'], [3661, 7200, '1:01:01', '1 hour 1 minute 1 second'],
	[-3, 10, '0:00', '0 seconds'], [NaN, 10, '0:00', '0 seconds'], [Infinity, 10, '0:00', '0 seconds'],
];
for (const [second, length, written, said] of times)
	test(`${second} s is ${written}`, () => assert.deepEqual([clock(second, length), spoken(second)], [written, said]));

test('lengths are in words', () => assert.deepEqual([40, 2580, 5400, 0, undefined].map(lengthText),
	['40 s', '43 min', '1 h 30 min', '', '']));

const sheet = `WEBVTT

00:00:00.000 --> 00:00:02.000
thumbnails/0.jpg#xywh=0,0,160,90

00:00:02.000 --> 01:00:04.500
thumbnails/0.jpg#xywh=160,0,160,90

nonsense

00:00:10.000 --> 00:00:12.000
https://elsewhere.invalid/1.jpg#xywh=0,0,1,1
`;

test('thumbnails are read from WebVTT, those of another host are not', () => {
	const list = parseThumbnails(sheet, 'http://here.invalid/api/hls/vod-1/0a/thumbnails.vtt');
	assert.equal(list.length, 2);
	assert.deepEqual(list[1], { start: 2, end: 3604.5, x: 160, y: 0, width: 160, height: 90,
		url: 'http://here.invalid/api/hls/vod-1/0a/thumbnails/0.jpg' });
	assert.deepEqual([0, 1.9, 2, 9999].map((second) => list.indexOf(pictureAt(list, second))), [0, 0, 1, 1]);
	assert.equal(pictureAt([], 5), null);
	assert.deepEqual(parseThumbnails('<html>', 'http://here.invalid/'), []);
});

test('tracks are called by language and title, each differently', () => {
	assert.deepEqual(trackNames([{ language: 'eng', title: null }, { language: 'ger', title: 'Comments' },
		{ language: null, title: null }, { language: 'eng', title: null }, { language: 'eng', title: 'English, deaf' }], 'Sound'),
	['English', 'German – Comments', 'Sound 3', 'English (2)', 'English, deaf']);
	assert.deepEqual([languageName('und'), languageName('x!'), languageName(null)], ['', 'x!', '']);
});

test('the menu of subtitles begins with none', () => {
	const items = trackItems({ tracks: [{ language: 'eng' }], noun: 'Subtitles', chosen: OFF, off: 'Off' });
	assert.deepEqual(items.map(({ value, label, checked }) => [value, label, checked]), [['-1', 'Off', true], ['0', 'English', false]]);
	assert.deepEqual(trackItems({ tracks: [], noun: 'Subtitles', chosen: OFF, off: 'Off' }), []);
});

test('a remembered language finds its track', () => {
	const tracks = [{ language: 'eng' }, { language: 'deu' }];
	assert.deepEqual(['deu', 'fra', null].map((language) => trackFor(tracks, language, OFF)), [1, OFF, OFF]);
});

test('speeds end where they end', () => assert.deepEqual([nextSpeed(1, 1), nextSpeed(2, 1), nextSpeed(0.5, -1), nextSpeed(1, -1)],
	[1.25, 2, 0.5, 0.75]));

const places = [
	[754.7, 5400, 754], [5, 5400, null], [21, 5400, 21], [5200, 5400, null], [0.5, 40, null], [1, 40, 1], [39, 40, null], [10, 0, null],
];
for (const [second, length, kept] of places)
	test(`stopping at ${second} of ${length} s keeps ${kept}`, () => assert.equal(placeToKeep(second, length), kept));

test('places are kept, the oldest forgotten, and nonsense is no place', () => {
	const values = {};
	const store = new Store({ getItem: (key) => values[key] ?? null, setItem: (key, value) => { values[key] = value; } });
	const resume = new Resume(store);
	for (let i = 0; i < 250; i++)
		resume.keep(`vod-${i}`, 100 + i, 5400);
	assert.deepEqual(resume.find('vod-249'), { second: 349, length: 5400 });
	assert.equal(resume.find('vod-49'), null);
	assert.equal(resume.all().length, 200);
	assert.equal(resume.keep('vod-249', 5399, 5400), null);
	assert.equal(resume.find('vod-249'), null);
	for (const wrong of ['{', '{}', '[1,[2],["vod-1",-5,9],["vod-2","x",9]]'] ) {
		values['sluice.places'] = wrong;
		assert.deepEqual(resume.all(), []);
	}
});

test('the bar obeys arrows, pages, start and end', () => {
	const targets = [['ArrowLeft', 0], ['ArrowRight', 15], ['PageUp', 65], ['Home', 0], ['End', 100], ['x', null], ['toString', null]];
	for (const [key, to] of targets)
		assert.equal(keyTarget(key, 5, 100), to, key);
});

test('what is buffered is a share of the bar', () => {
	const buffered = { length: 2, start: (i) => [0, 50][i], end: (i) => [10, 60][i] };
	assert.deepEqual(bufferedShares(buffered, 100), [{ from: 0, share: 0.1 }, { from: 0.5, share: 0.1 }]);
	assert.deepEqual(bufferedShares(buffered, 0), []);
});

test('sides of the picture', () => assert.deepEqual([10, 50, 90].map((x) => sideOf(x, 100)), [-1, 0, 1]));

const presses = [['ArrowLeft', 'skip', -10], ['l', 'skip', 10], ['Home', 'seek', 0], ['c', 'texts', null],
	['>', 'faster', 1], ['k', 'play', null], ['0', 'quality', 'auto']];
for (const [key, name, value] of presses)
	test(`${key} is ${name} on a film's page`, () => assert.deepEqual(actionFor({ key }, filmKeys), { name, value }));

test('its help names every action once', () => {
	const rows = helpRows(filmKeys);
	assert.equal(new Set(rows.map((row) => row.keys)).size, rows.length);
	assert.ok(rows.every((row) => row.keys && row.text));
});

const rung = (name, height, bandwidth) => ({ name, width: height * 2, height, bandwidth, url: `/api/hls/vod-1/${name}.m3u8` });
const film = { id: 'films.vod-1', mode: 'hls', url: '/x', audioTracks: [{ name: 'a0' }],
	qualities: [rung('source', 1080, 5e6), rung('480p', 480, 1e6)] };

test("a film's qualities hold its own picture and its sound alone", () => {
	assert.deepEqual(filmQualities(film).map((q) => q.name), ['source', '480p', 'audio']);
	assert.equal(filmQualities(film).at(-1).url, '/api/hls/films.vod-1/master.m3u8?quality=audio');
	assert.deepEqual(filmQualities({ ...film, audioTracks: [] }).map((q) => q.name), ['source', '480p']);
	assert.deepEqual(filmQualities({ ...film, mode: 'direct', qualities: [rung('480p', 480, 1e6)] }).map((q) => [q.name, q.height, q.url]),
		[['source', 480, '/x'], ['480p', 480, '/api/hls/vod-1/480p.m3u8'], ['audio', 0, masterOf('films.vod-1', 'audio')]]);
	assert.deepEqual(filmQualities({ id: 'vod-1' }), []);
});

const connections = [
	[null, 'source', null], [{ effectiveType: '4g', downlink: 10 }, 'source', null], [{ effectiveType: '4g', downlink: 2 }, '480p', null],
	[{ effectiveType: '2g', downlink: 0.1 }, '480p', null], [{ effectiveType: '4g', downlink: 10, saveData: true }, '480p', '480p'],
];
for (const [connection, start, most] of connections)
	test(`a connection of ${JSON.stringify(connection)} begins with ${start}`, () => {
		const first = firstChoice({ rungs: sortRungs(filmQualities(film)), preferred: 'source', connection });
		assert.deepEqual([first.choice, first.start, first.most], ['auto', start, most]);
	});

test('renditions are known by their playlists', () => assert.deepEqual(
	['http://h/api/hls/vod-1/0a/480p.m3u8', '/api/hls/x.vod-1/0a/a12.m3u8?x=1', '/master.txt', undefined].map(renditionOf),
	['480p', 'a12', null, null]));

test('a film that has changed is another fault than one that is not there', () => {
	const answer = (code) => faultFromAnswer(404, null, JSON.stringify({ error: { code, message: 'x' } }));
	assert.deepEqual([answer('changed').kind, answer('not_found').kind], ['changed', 'unknown']);
	assert.equal(describeFilm(answer('not_found')).title, 'There is no such film');
	assert.equal(describeFilm(new Fault('offline')).title, 'You are offline');
});

test('a card leads to a page of ours on this host, or to the front page', () => assert.deepEqual(
	['/watch/ep-1', '/?series=star.ser-201', 'https://tv.example/watch/vod-5', 'https://evil.invalid/', 'javascript:alert(1)',
		'/watch/../admin', '//evil.invalid/watch/vod-5', undefined].map((page) => pageOf({ page })),
	['/watch/ep-1', '/?series=star.ser-201', '/watch/vod-5', '/', '/', '/', '/', '/']));

test('episodes are one list, each with its season', () => {
	const answer = { seasons: [{ season: 0, episodes: [{ id: 'ep-1', episode: 1 }] }, { season: 2, episodes: [{ id: 'ep-2', episode: 5 }] }] };
	assert.deepEqual(listEpisodes(answer).map(({ id, season }) => `${id} ${season}`), ['ep-1 0', 'ep-2 2']);
	assert.deepEqual([listEpisodes({}), listEpisodes(null), listEpisodes({ seasons: [{ season: 1 }] })], [[], [], []]);
});

test('an episode is called by its place and its name', () => assert.deepEqual(
	[{ season: 2, episode: 5, title: 'Home' }, { season: 0, episode: 1, title: null }].map(spokenEpisode),
	['Season 2, episode 5: Home', 'Special 1']));
