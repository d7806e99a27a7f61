#!/usr/bin/env node
// t/browser/play.mjs - the shipped page plays a channel: node play.mjs URL [SECONDS [FOLDER]]
// SPDX-License-Identifier: BSD-2-Clause
// Plays for that long without a stall or a fatal fault, then switches by the menu to 720p, 360p, auto
// and sound alone. Screenshots of a phone and a desktop go to FOLDER.
import { desktop, launch, missing, open, phone, pick, picture, plays, until } from './lib/browser.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';

const [base, seconds = '60', folder] = process.argv.slice(2);
const reason = missing();
if (reason)
	skipAll(reason);

// Whether segments of `rendition`, and of no other one, are what is fetched now.
async function fetches(requests, rendition, within) {
	return until(async () => {
		const since = Date.now() - 3500;
		const seen = requests.filter(({ path, ms }) => path.startsWith('/tv/') && ms > since)
			.map(({ path }) => path.split('/')[4]);
		return seen.length > 0 && seen.every((name) => name === rendition);
	}, within);
}

const shot = async (page, name) => folder && page.screenshot({ path: `${folder}/${name}.png` });

async function steadily({ page, probe }) {
	const began = Date.now();
	await page.goto(`${base}/watch/live-1`);
	ok(await plays(page, 15), 'the channel plays');
	note(`first picture moving after ${Date.now() - began} ms`);
	await shot(page, 'watch-desktop');

	const from = (await picture(page)).time;
	await until(async () => (await picture(page)).time - from >= Number(seconds), Number(seconds) + 20, 500);
	const seen = await probe();
	ok((await picture(page)).time - from >= Number(seconds), `it plays ${seconds} s`);
	is(seen.stalls.length, 0, 'without a stall');
	ok(seen.held.length <= 2, 'held where it begins, and where a slate ends, and nowhere else');
	is(seen.faults.length, 0, 'without a fault on the page');
	is(seen.holes, 0, 'without a hole in what is buffered');
	note(JSON.stringify(seen));
}

async function byTheMenu({ page, requests, probe, errors }) {
	for (const [choice, rendition, height] of [['720p', '720p', 720], ['360p', '360p', 360]]) {
		await pick(page, choice);
		ok(await fetches(requests, rendition, 20), `${choice} fetches the segments of ${rendition}`);
		ok(await until(async () => (await picture(page)).height === height, 20),
			`and the picture has ${height} lines`);
	}
	await pick(page, 'auto');
	ok(await until(async () => (await picture(page)).height > 360, 30), 'auto climbs from there');
	await pick(page, 'audio');
	ok(await fetches(requests, 'audio', 25), 'sound alone fetches the segments of sound alone');
	ok(await plays(page, 15), 'and goes on');
	is((await probe()).faults.length, 0, 'no fault was shown');
	is(errors.length, 0, 'the console has nothing to complain of');
	note(errors.join('\n'));
	await shot(page, 'audio-desktop');
}

async function onEachScreen(browser) {
	for (const [name, viewport] of [['phone', phone], ['desktop', desktop]]) {
		const view = await open(browser, { viewport });
		await view.page.goto(`${base}/`);
		ok(await until(() => view.page.locator('a[href*="/watch/"]').count(), 10),
			`on a ${name} the channels are listed`);
		ok(await view.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
			`and nothing is wider than the ${name}`);
		await shot(view.page, `index-${name}`);
		if (name === 'phone') {
			await view.page.goto(`${base}/watch/live-2`);
			ok(await plays(view.page, 20), 'a phone plays another channel');
			await shot(view.page, 'watch-phone');
		}
		await view.close();
	}
}

async function unknown(browser) {
	const { page } = await open(browser, { viewport: desktop });
	await page.goto(`${base}/watch/live-999`);
	ok(await until(async () => (await page.locator('#fault-title').textContent()).trim() !== '', 10),
		'an unknown channel is said in words');
	note(await page.locator('#fault-title').textContent());
	await shot(page, 'fault-desktop');
}

await run(async () => {
	const browser = await launch();
	const view = await open(browser, { viewport: desktop });
	await steadily(view);
	await byTheMenu(view);
	await onEachScreen(browser);
	await unknown(browser);
	await browser.close();
});
