#!/usr/bin/env node
// t/browser/start.mjs - how long a viewer waits for the picture: node start.mjs URL
// SPDX-License-Identifier: BSD-2-Clause
// Opens channel 1, which nobody watches, then goes on to channel 2 by its card below the picture. Prints
// JSON: milliseconds from the address (or the click) to the first frame of anything, a slate too, and to
// the first of the channel itself; how long the page held it, and how long the picture stood in the five
// seconds after that.
import { desktop, launch, missing, open, until } from './lib/browser.mjs';

const [base] = process.argv.slice(2);
const reason = missing();
if (reason) {
	console.log(JSON.stringify({ skip: reason }));
	process.exit(0);
}

// Runs in the page: when frames are shown, and whether a frame is a slate, which has a plain dark border.
function watchFrames() {
	const seen = globalThis.seen = { any: null, channel: null };
	const canvas = document.createElement('canvas');
	const isSlate = (video) => {
		const pen = canvas.getContext('2d', { willReadFrequently: true });
		pen.drawImage(video, 0, 0, canvas.width = 32, canvas.height = 18);
		const { data } = pen.getImageData(0, 0, 32, 2);
		return data.every((value, i) => i % 4 === 3 || Math.abs(value - [0x16, 0x20, 0x2c][i % 4]) < 12);
	};
	const look = (now, video) => {
		seen.any ??= Math.round(now);
		if (!isSlate(video))
			seen.channel ??= Math.round(now);
		else
			video.requestVideoFrameCallback((ms) => look(ms, video));
	};
	addEventListener('DOMContentLoaded', () => {
		const video = document.querySelector('video');
		video?.requestVideoFrameCallback((ms) => look(ms, video));
	});
}

async function firstFrames(view) {
	await until(() => view.page.evaluate(() => globalThis.seen?.channel ?? null), 30);
	const seen = await view.page.evaluate(() => globalThis.seen);
	await new Promise((go) => setTimeout(go, 5000));
	const { held, stalls } = await view.probe();
	const sum = (waits) => waits.reduce((ms, wait) => ms + wait.ms, 0);
	return { ...seen, held: sum(held), stalled: sum(stalls) };
}

const browser = await launch();
const warm = await open(browser, { viewport: desktop });	// the browser's own start is nobody's wait
await warm.page.goto(`${base}/`);
await warm.close();
const view = await open(browser, { viewport: desktop });
await view.page.addInitScript(watchFrames);
await view.page.goto(`${base}/watch/live-1`);
const start = await firstFrames(view);
await view.page.locator('#rail-list a[href$="/watch/live-2"]').click();
await view.page.waitForURL('**/watch/live-2');
const change = await firstFrames(view);
console.log(JSON.stringify({ start, change }));
await browser.close();
