#!/usr/bin/env node
// t/browser/music.mjs - a list of songs in a page that plays one after the other: node music.mjs URL TURNS ID...
// SPDX-License-Identifier: BSD-2-Clause
// A plain <audio>, sixteen times as fast as songs are meant. In the middle of each the next one is asked
// for by /prefetch, and the song stands still until that is warm, as the second half of a real one lasts
// longer than that. Prints JSON: of each song in each turn how long its first sound took, and what the
// service said of each of its answers (X-Cache), and how many requests came to nothing.
import { launch, missing, open, until } from './lib/browser.mjs';

const [base, turns, ...ids] = process.argv.slice(2);
const reason = missing();
if (reason) {
	console.log(JSON.stringify({ skip: reason }));
	process.exit(0);
}

// In the page: plays one song to its end, and tells the milliseconds until it was heard.
async function play([id, next]) {
	const audio = globalThis.audio ??= document.body.appendChild(document.createElement('audio'));
	const once = (what) => new Promise((go, fail) => {
		audio.addEventListener(what, go, { once: true });
		audio.addEventListener('error', () => fail(new Error(`${id}: ${audio.error?.message}`)), { once: true });
	});
	const begun = performance.now();
	const playing = once('playing');
	audio.src = `/cdn/stream/${id}?quality=high`;
	audio.playbackRate = audio.defaultPlaybackRate = 16;
	await audio.play();
	await playing;
	const ms = performance.now() - begun;
	const ended = once('ended');
	while (audio.currentTime < audio.duration / 2)
		await new Promise((go) => setTimeout(go, 20));
	if (next) {
		audio.pause();
		for (let looks = 0; looks < 300; looks++) {
			const { status } = await (await fetch(`/prefetch?v=${next}&quality=high`)).json();
			if (status === 'warm')
				break;
			await new Promise((go) => setTimeout(go, 100));
		}
		await audio.play();
	}
	await ended;
	return ms;
}

const browser = await launch();
const { page, errors } = await open(browser, { bypassCSP: true });
const answers = [];
page.on('response', (answer) => {
	const [, id] = /\/cdn\/stream\/([^?]+)/.exec(answer.url()) ?? [];
	if (id)
		answers.push({ id, status: answer.status(), cache: answer.headers()['x-cache'] ?? '-', range: answer.request().headers().range ?? '' });
});
let failed = 0;	// given up by the player: the service may have answered all the same
page.on('requestfailed', (request) => { failed += request.url().includes('/cdn/stream/') ? 1 : 0; });
await page.goto(`${base}/`);
const songs = [];
for (let turn = 0; turn < Number(turns); turn++) {
	for (const [i, id] of ids.entries()) {
		const from = answers.length;
		const ms = await page.evaluate(play, [id, ids[i + 1]]);
		await until(() => answers.length > from, 5, 20);
		songs.push({ turn, id, ms: Math.round(ms), answers: answers.slice(from) });
	}
}
console.log(JSON.stringify({ songs, errors, failed }));
await browser.close();
