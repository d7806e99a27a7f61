// t/browser/unit/page.test.mjs - memory, keys, colours and faces.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contrast, css, parseRgb, readable, textUpon } from '../../../web/colour.js';
import { hue, initials, ownPicture, pictureSize } from '../../../web/face.js';
import { actionFor, helpRows } from '../../../web/keyboard.js';
import { openStore, Store } from '../../../web/store.js';
import { web } from '../lib/deps.mjs';

class Box {
	constructor(values = {}) {
		this.values = values;
	}

	getItem(key) {
		return this.values[key] ?? null;
	}

	setItem(key, value) {
		this.values[key] = value;
	}
}

test('choices are remembered', () => {
	const store = new Store(new Box());
	assert.deepEqual([store.quality, store.volume, store.muted], [null, 1, false]);
	store.quality = '480p';
	store.volume = 0.35;
	store.muted = true;
	assert.deepEqual([store.quality, store.volume, store.muted], ['480p', 0.35, true]);
});

test('nonsense in the memory is no choice', () => {
	const store = new Store(new Box({ 'sluice.quality': '<b>', 'sluice.volume': '17', 'sluice.muted': 'maybe' }));
	assert.deepEqual([store.quality, store.volume, store.muted], [null, 1, false]);
});

test('a browser that refuses storage is no trouble', () => {
	const refusing = { getItem() { throw new Error('no'); }, setItem() { throw new Error('full'); } };
	const store = new Store(refusing);
	store.quality = 'auto';
	assert.equal(store.quality, null);
	const scope = { get localStorage() { throw new Error('no'); } };
	assert.equal(openStore(scope).volume, 1);
});

const presses = [
	[{ key: ' ' }, 'play', null], [{ key: 'k' }, 'play', null], [{ key: 'K' }, 'play', null],
	[{ key: 'm' }, 'mute', null], [{ key: 'f' }, 'full', null], [{ key: 'i' }, 'pip', null],
	[{ key: 'ArrowUp' }, 'volume', 0.05], [{ key: 'ArrowDown' }, 'volume', -0.05],
	[{ key: 'l' }, 'live', null], [{ key: 'q' }, 'menu', null], [{ key: '?' }, 'help', null],
	[{ key: '0' }, 'quality', 'auto'], [{ key: 'a' }, 'quality', 'audio'],
	[{ key: '1' }, 'rung', 0], [{ key: '5' }, 'rung', 4],
	[{ key: 'm', tag: 'BUTTON' }, 'mute', null],
	[{ key: 'm', tag: 'INPUT', inputType: 'range' }, 'mute', null],
];
for (const [press, name, value] of presses)
	test(`${press.key} on ${press.tag ?? 'the page'} is ${name}`, () =>
		assert.deepEqual(actionFor(press), { name, value }));

const others = [
	[{ key: 'z' }, 'a key without meaning'], [{ key: 'Enter' }, 'a key without meaning'],
	[{ key: 'f', modified: true }, 'the browser\'s own find'],
	[{ key: 'm', tag: 'INPUT', inputType: 'search' }, 'a letter being typed'],
	[{ key: ' ', tag: 'BUTTON' }, 'a press of the focused button'],
	[{ key: 'ArrowUp', tag: 'INPUT', inputType: 'range' }, 'the slider\'s own'],
	[{ key: 'constructor' }, 'a name of nothing'],
];
for (const [press, name] of others)
	test(`${press.key} is left alone: ${name}`, () => assert.equal(actionFor(press), null));

test('the help names every action once', () => {
	const rows = helpRows();
	assert.ok(rows.length >= 10);
	assert.ok(rows.every((row) => row.keys && row.text));
	assert.equal(new Set(rows.map((row) => row.keys)).size, rows.length);
});

const faces = [['BBC One HD', 'BO'], ['Arte', 'AR'], ['The News', 'TN'], ['Test picture 2', 'T2'], ['ČT 24', 'Č24'],
	['|DE| Das Erste', 'DD'], ['  ', '?'], ['', '?'], [null, '?'], ['🎬 Kino', 'KI'], ['Ärzte TV', 'ÄR']];
for (const [name, want] of faces)
	test(`the face of ${JSON.stringify(name)} is ${want}`, () => assert.equal(initials(name), want));

test('a name has one colour', () => {
	assert.equal(hue('Arte'), hue('Arte'));
	for (const name of ['', 'x', 'ÄÖÜ', '🎬'.repeat(500)])
		assert.ok(hue(name) >= 0 && hue(name) < 360);
});

const pictures = [
	['/cdn/art/live-1', '/cdn/art/live-1'], ['/cdn/art/star.vod-101', '/cdn/art/star.vod-101'],
	['https://tv.example/cdn/art/ep-7', '/cdn/art/ep-7'], ['https://logos.example/a.png', ''],
	['https://viewer:hush@tv.example/cdn/art/../x', ''], ['//evil.example/cdn/art/x', ''], ['/cdn/art/x?y', ''],
	['data:image/png;base64,AAAA', ''], ['javascript:alert(1)', ''], ['file:///etc/passwd', ''], ['', ''], [null, ''],
];
for (const [address, own] of pictures)
	test(`${address} is ${own === '' ? 'no' : 'a'} picture of ours`, () => assert.equal(ownPicture(address), own));

test('pictures are asked for as large as they are shown', () => {
	for (const [pixels, density, size] of [[60, 1, 64], [65, 1, 128], [150, 2, 512], [5000, 3, 2048], [0, 1, 512]])
		assert.equal(pictureSize(pixels, density), size);
});

test('colours are read as browsers print them', () => {
	assert.deepEqual(parseRgb('rgb(29, 111, 242)'), [29, 111, 242]);
	assert.deepEqual(parseRgb('rgba(1, 2, 3, 0.5)'), [1, 2, 3]);
	assert.equal(parseRgb('red'), null);
	assert.equal(parseRgb(null), null);
});

test('every colour gets text that can be read upon it, and becomes text that can be read', () => {
	for (const rgb of [[0, 0, 0], [255, 255, 255], [255, 220, 0], [0, 0, 255], [128, 128, 128], [29, 111, 242]]) {
		assert.ok(contrast(rgb, textUpon(rgb)) >= 4.5, css(rgb));
		for (const ground of [[11, 13, 18], [245, 246, 248]])
			assert.ok(contrast(readable(rgb, ground), ground) >= 4.5, `${css(rgb)} upon ${css(ground)}`);
	}
});

const part = (name) => readFileSync(join(web, name), 'utf8');

function modulesOf(script, found = new Set()) {
	for (const [, name] of part(script).matchAll(/from '\.\/([\w.-]+)'/g)) {
		if (!found.has(name))
			modulesOf(name, found.add(name));
	}
	return [...found].sort();
}

for (const [page, script, other] of [['watch.html', 'player.js', 'film.js'], ['film.html', 'film.js', 'player.js']]) {
	test(`${page} is whole, and asks at once for every module that it needs`, () => {
		const html = part(page);
		const asked = [...html.matchAll(/modulepreload" href="\{\{assets\}\}\/([\w.-]+)"/g)].map(([, name]) => name);
		assert.ok(asked.length > 10);
		assert.deepEqual(asked.sort(), modulesOf(script));
		assert.ok(html.includes(`/${script}"`) && !html.includes(`/${other}"`), 'its script, not that of the other');
		assert.doesNotMatch(html, /<!-- \/?(film|channel) -->/, 'no mark of the build is left');
		for (const name of ['section', 'div', 'button', 'span', 'a', 'p'])
			assert.equal(html.match(new RegExp(`<${name}\\b`, 'g')).length, html.match(new RegExp(`</${name}>`, 'g')).length, name);
		const ids = [...html.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id);
		assert.deepEqual(ids, [...new Set(ids)], 'every id once');
		for (const [, named] of html.matchAll(/aria-(?:controls|labelledby)="([\w-]+)"/g))
			assert.ok(ids.includes(named), `${named} is there`);
	});
}
