#!/usr/bin/env node
// t/browser/first.mjs - how long a browser waits for the first byte of streams: node first.mjs URL PATH...
// SPDX-License-Identifier: BSD-2-Clause
// One page, one stream after the other. Prints JSON: of each the milliseconds from the call to the first
// byte of the answer, as a script sees it that fetches its beginning, and until an <audio> that is given the
// address knows what it is.
import { launch, missing, open } from './lib/browser.mjs';

const [base, ...paths] = process.argv.slice(2);
const reason = missing();
if (reason) {
	console.log(JSON.stringify({ skip: reason }));
	process.exit(0);
}

// In the page. Each address is made one of its own, so that its entry is found, and no cache answers.
async function measure(path) {
	const own = (how) => new URL(`${path}${path.includes('?') ? '&' : '?'}as=${how}`, location.href).href;
	const entry = async (url) => {
		for (;;) {
			const [seen] = performance.getEntriesByName(url);
			if (seen?.responseStart)
				return seen.responseStart - seen.startTime;
			await new Promise((go) => setTimeout(go, 5));
		}
	};
	const answer = await fetch(own('fetch'), { cache: 'no-store', headers: { Range: 'bytes=0-65535' } });
	if (!answer.ok)
		throw new Error(`${path}: ${answer.status}`);
	await answer.arrayBuffer();
	const script = await entry(own('fetch'));
	const audio = document.createElement('audio');
	const known = new Promise((go, fail) => {
		audio.addEventListener('loadedmetadata', () => go(performance.now()), { once: true });
		audio.addEventListener('error', () => fail(new Error(`${path}: ${audio.error?.message}`)), { once: true });
	});
	const begun = performance.now();
	audio.preload = 'metadata';
	audio.src = own('audio');
	const sound = (await known) - begun;
	audio.removeAttribute('src');
	audio.load();
	return { script, sound };
}

const browser = await launch();
const { page } = await open(browser, { bypassCSP: true });
await page.goto(`${base}/`);
await page.evaluate(() => performance.setResourceTimingBufferSize(1000));
await page.evaluate(measure, paths[0]);	// the browser's own beginnings are nobody's wait
const seen = [];
for (const path of paths.slice(1))
	seen.push(await page.evaluate(measure, path));
console.log(JSON.stringify(seen));
await browser.close();
