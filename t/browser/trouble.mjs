#!/usr/bin/env node
// t/browser/trouble.mjs - the page plays through all that sources do: node trouble.mjs URL GATEWAY
// SPDX-License-Identifier: BSD-2-Clause
// GATEWAY is the base URL of t/lib/Gateway.pm's panel, whose controls make the trouble.
import { desktop, launch, missing, open, picture, plays } from './lib/browser.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';

const [base, gateway] = process.argv.slice(2);
const reason = missing();
if (reason)
	skipAll(reason);

const control = (what, params = {}) =>
	fetch(`${gateway}/_ctl/${what}`, { method: 'POST', body: new URLSearchParams(params) });
const wait = (seconds) => new Promise((go) => setTimeout(go, seconds * 1000));
const fault = (set) => control('fault', { kind: 'live', id: 1, set });
const cut = (how = 'cut') => control('cut', { kind: 'live', how });

// What is done, for how many seconds it is watched, and how long the picture may stand in all of them.
const troubles = [
	['a cut', 10, 0, () => cut()],
	['a reset', 10, 0, () => cut('rst')],
	['tokens that die every 10 s', 35, 0, async () => { await fault('token_dead=10s'); await cut(); }],
	['an outage of 4 s', 16, 0, async () => {
		await fault('status=503');
		await cut();
		await wait(4);
		await control('clear');
	}],
	['a web page instead of media', 10, 0, async () => { await fault('html=1,times=1'); await cut(); }],
	["a broadcaster's clock that is set back", 14, 0, async () => { await fault('clock_reset=2s'); await cut(); }],
	['a clock that jumps ahead', 10, 0, () => control('timeline', { id: 1, add: 5000 })],
	['lost packets', 10, 0, async () => { await fault('lose=400,times=1'); await cut(); }],
	['an outage of 20 s', 35, 12, async () => {
		await fault('status=503');
		await cut();
		await wait(20);
		await control('clear');
	}],
];

await run(async () => {
	const browser = await launch();
	const { page, errors, probe } = await open(browser, { viewport: desktop });
	let began = Date.now();
	await page.goto(`${base}/watch/live-1`);
	ok(await plays(page, 20), 'the channel plays');
	note(`first picture moving after ${Date.now() - began} ms`);
	await wait(8); // what it holds in advance

	for (const [name, seconds, standing, make] of troubles) {
		const before = (await probe()).stalls.length;
		const from = (await picture(page)).time;
		began = Date.now();
		await make();
		await wait(seconds - (Date.now() - began) / 1000);
		const seen = await probe();
		const stalls = seen.stalls.slice(before);
		const stood = stalls.reduce((sum, { ms }) => sum + ms / 1000, 0);
		ok(stood <= standing, `${name}: the picture stands for ${stood.toFixed(1)} s, ${standing} s are allowed`);
		ok((await picture(page)).time > from + (seconds - standing) / 2, 'and goes on');
		is(seen.faults.length, 0, 'without a fault on the page');
		await control('clear');
		ok(await plays(page, 15), 'it plays');
	}
	is(errors.length, 0, 'the console has nothing to complain of');
	note(errors.join('\n'));

	began = Date.now();
	await page.goto(`${base}/watch/live-2`);
	ok(await plays(page, 20), 'another channel plays');
	note(`a change of channel takes ${Date.now() - began} ms`);
	await browser.close();
});
