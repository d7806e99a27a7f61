#!/usr/bin/env node
// t/browser/upstreams.mjs - hls.js with its own settings plays a channel, and tells how: node upstreams.mjs MASTER
// SPDX-License-Identifier: BSD-2-Clause
// Says "playing" once it does. Then answers each line of its input with a line of JSON:
//   {time, stalls: [{at, ms}], fatal: [details], errors: {details: times}}
// of what happened since the line before. Ends with its input.
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { hlsFile } from './lib/deps.mjs';
import { launch, missing, open, until } from './lib/browser.mjs';

const [master] = process.argv.slice(2);
const file = hlsFile();
const reason = missing() ?? (file ? null : 'hls.js is not installed');
if (reason) {
	console.log(`skip ${reason}`);
	process.exit(0);
}

// In the page: nothing is recovered from, so that a fatal error shows.
function play(url) {
	const video = document.querySelector('video');
	const hls = globalThis.hls = new globalThis.Hls();
	const seen = globalThis.seen = { fatal: [], errors: {} };
	hls.on('hlsError', (_, { fatal, details, response }) => {
		const what = response?.code ? `${details} ${response.code}` : details;
		seen.errors[what] = (seen.errors[what] ?? 0) + 1;
		if (fatal)
			seen.fatal.push(what);
	});
	hls.on('hlsManifestParsed', () => video.play());
	hls.loadSource(url);
	hls.attachMedia(video);
}

// In the page: what was seen, and begins anew.
function told() {
	const { probe, seen } = globalThis;
	const video = document.querySelector('video');
	const ahead = video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : 0;
	const answer = { time: video.currentTime, ahead, stalls: probe.stalls.splice(0), fatal: seen.fatal.splice(0),
		errors: seen.errors };
	seen.errors = {};
	// Whoever was late holds more than others do.
	if (ahead > 8 && globalThis.hls.liveSyncPosition)
		video.currentTime = globalThis.hls.liveSyncPosition;
	return answer;
}

const browser = await launch();
const { page } = await open(browser);
const { origin } = new URL(master);
await page.route(`${origin}/blank`, (route) => route.fulfill({ contentType: 'text/html',
	body: '<!doctype html><div id="stage" data-state="running"><video muted></video></div>' }));
await page.goto(`${origin}/blank`);
await page.addScriptTag({ content: readFileSync(file, 'utf8') });
await page.evaluate(play, master);
const moves = () => page.evaluate(() => document.querySelector('video').currentTime);
console.log(await until(async () => await moves() > 1, 40) ? 'playing' : `not playing ${JSON.stringify(await page.evaluate(told))}`);
for await (const _ of createInterface({ input: process.stdin }))
	console.log(JSON.stringify(await page.evaluate(told)));
await browser.close();
