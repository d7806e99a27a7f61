#!/usr/bin/env node
// t/browser/joined.mjs - a video whose picture and sound are apart before plain hls.js: node joined.mjs URL PATH SECONDS
// SPDX-License-Identifier: BSD-2-Clause
// PATH is the stream's own address, which leads to the list. Plays from the start, seeks about, and is
// switched between all qualities by force. No fatal error, and no hole in what is buffered, may come of it.
import { launch, missing, open, until } from './lib/browser.mjs';
import { begin, library, moves, time } from './lib/hls.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';

const [base, path, seconds] = process.argv.slice(2);
const reason = missing() ?? (library ? null : 'SLUICE_HLS_JS names no hls.js');
if (reason)
	skipAll(reason);

async function seeks(page, length) {
	for (const share of [0.7, 0.1, 0.85, 0.4, 0.55]) {
		const to = share * length;
		await page.evaluate((at) => { globalThis.film.currentTime = at; }, to);
		ok(await moves(page, to), `it plays on after a seek to ${to.toFixed(1)} s`);
	}
}

async function qualities(page) {
	const heights = await page.evaluate(() => globalThis.hls.levels.map(({ height }) => height));
	is(heights.join(' '), '180 360', 'there is each picture, and how high it is');
	await page.evaluate(() => { globalThis.film.currentTime = 0; globalThis.film.play(); });
	for (let level = 0; level < heights.length; level++) {
		const from = await time(page);
		await page.evaluate((to) => { globalThis.hls.currentLevel = to; }, level);
		ok(await moves(page, from), `quality ${level} plays`);
		ok(await until(() => page.evaluate((height) => globalThis.film.videoHeight === height, heights[level]), 20, 100),
			`and is ${heights[level]} lines high`);
	}
}

run(async () => {
	const browser = await launch();
	const { page, requests } = await open(browser, { bypassCSP: true });
	await page.goto(`${base}/`);
	await begin(page, path);
	ok(await moves(page, 0), 'the video plays');
	const length = await page.evaluate(() => globalThis.film.duration);
	ok(Math.abs(length - Number(seconds)) < 0.5, `and is ${length.toFixed(2)} s long`);
	const sound = () => page.evaluate(() => globalThis.film.webkitAudioDecodedByteCount);
	ok(await until(async () => (await sound()) > 0, 20, 100), 'its sound is heard');
	await seeks(page, length);
	await qualities(page);
	await page.evaluate((at) => { globalThis.film.currentTime = at; }, length - 1);
	ok(await until(() => page.evaluate(() => globalThis.film.ended), 20, 100), 'and to its end');
	const told = await page.evaluate(() => globalThis.told);
	is(told.fatal.join(' '), '', 'no error was fatal');
	is(told.odd.filter((what) => what === 'bufferSeekOverHole').join(' '), '', 'and there was no hole');
	note(`told: ${told.odd.join(' ')}`);
	const odd = requests.filter(({ path: at, status }) => at.startsWith('/cdn/hls/') && ![200, 206].includes(status));
	is(odd.map(({ path: at, status }) => `${status} ${at}`).join(' '), '', 'each list and each part was answered');
	await browser.close();
});
