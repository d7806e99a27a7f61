#!/usr/bin/env node
// t/browser/vod.mjs - a film before plain hls.js: node vod.mjs URL ID
// SPDX-License-Identifier: BSD-2-Clause
// Plays from the start, seeks about, to the end too, is switched between all qualities by force, and
// hears and reads every track. No fatal error, and no hole in what is buffered, may come of it.
import { launch, missing, open, until } from './lib/browser.mjs';
import { begin, library, moves, time } from './lib/hls.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';

const [base, id] = process.argv.slice(2);
const reason = missing() ?? (library ? null : 'SLUICE_HLS_JS names no hls.js');
if (reason)
	skipAll(reason);

async function seeks(page, length) {
	const times = [];
	for (const share of [0.7, 0.1, 0.93, 0.4, 0.55, 0.02, 0.8, 0.3, 0.65, 0.2]) {
		const to = share * length;
		const began = Date.now();
		await page.evaluate((at) => { globalThis.film.currentTime = at; }, to);
		ok(await moves(page, to), `it plays on after a seek to ${to.toFixed(1)} s`);
		times.push(Date.now() - began);
	}
	note(`seeks took ${times.join(' ')} ms until half a second was played`);
	await page.evaluate((at) => { globalThis.film.currentTime = at; }, length - 1);
	ok(await until(() => page.evaluate(() => globalThis.film.ended), 20, 100), 'and to its end');
}

async function qualities(page) {
	const count = await page.evaluate(() => globalThis.hls.levels.length);
	ok(count >= 3, `there are ${count} qualities`);
	await page.evaluate(() => { globalThis.film.currentTime = 0; globalThis.film.play(); });
	for (let level = 0; level < count; level++) {
		const from = await time(page);
		await page.evaluate((to) => { globalThis.hls.currentLevel = to; }, level);
		ok(await moves(page, from, 30), `quality ${level} plays`);
	}
}

async function tracks(page) {
	const counts = await page.evaluate(() => [globalThis.hls.audioTracks.length, globalThis.hls.subtitleTracks.length]);
	note(`${counts[0]} sounds, ${counts[1]} subtitles`);
	for (let track = 0; track < counts[0]; track++) {
		await page.evaluate((to) => { globalThis.hls.audioTrack = to; }, track);
		ok(await moves(page, await time(page)), `sound ${track} plays`);
	}
	for (let track = 0; track < counts[1]; track++) {
		await page.evaluate((to) => { globalThis.hls.subtitleTrack = to; globalThis.hls.subtitleDisplay = true; }, track);
		ok(await until(() => page.evaluate((at) => (globalThis.film.textTracks[at]?.cues?.length ?? 0) > 0, track), 15, 100),
			`subtitles ${track} have something to say`);
	}
}

run(async () => {
	const browser = await launch();
	const { page } = await open(browser, { bypassCSP: true });
	await page.goto(`${base}/`);
	await begin(page, `/api/hls/${id}/master.m3u8`);
	ok(await moves(page, 0), 'the film plays');
	const length = await page.evaluate(() => globalThis.film.duration);
	ok(length > 10, `and is ${length.toFixed(2)} s long`);
	await seeks(page, length);
	await qualities(page);
	await tracks(page);
	const told = await page.evaluate(() => globalThis.told);
	is(told.fatal.join(' '), '', 'no error was fatal');
	is(told.odd.filter((what) => what === 'bufferSeekOverHole').join(' '), '', 'and there was no hole');
	note(`told: ${told.odd.join(' ')}`);
	await browser.close();
});
