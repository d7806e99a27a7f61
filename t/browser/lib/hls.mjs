// t/browser/lib/hls.mjs - hls.js as it comes, with nothing of ours, in a page of the service.
// SPDX-License-Identifier: BSD-2-Clause
import { readFileSync } from 'node:fs';
import { until } from './browser.mjs';

export const library = process.env.SLUICE_HLS_JS;

// In the page: a picture and an hls.js, and what they tell (globalThis.told: fatal, odd).
async function start(master) {
	document.body.innerHTML = '<video id="film" muted playsinline></video>';
	const video = document.getElementById('film');
	const hls = new globalThis.Hls({ enableWorker: false });
	const told = { fatal: [], odd: [] };
	hls.on(globalThis.Hls.Events.ERROR, (_, data) => told[data.fatal ? 'fatal' : 'odd'].push(data.details));
	Object.assign(globalThis, { film: video, hls, told });
	hls.attachMedia(video);
	hls.loadSource(master);
	await new Promise((go) => hls.on(globalThis.Hls.Events.MANIFEST_PARSED, go));
	await video.play();
}

// Plays `master` in a page that is open.
export async function begin(page, master) {
	await page.addScriptTag({ content: readFileSync(library, 'utf8') });
	await page.evaluate(start, master);
}

export const time = (page) => page.evaluate(() => globalThis.film.currentTime);

// Whether the picture moves on from `from`.
export function moves(page, from, within = 20) {
	return until(async () => (await time(page)) > from + 0.5, within, 100);
}
