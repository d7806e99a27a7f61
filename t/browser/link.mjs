#!/usr/bin/env node
// t/browser/link.mjs - automatic quality over a link that becomes thin, wide and thin again: node link.mjs URL [PLAYER]
// SPDX-License-Identifier: BSD-2-Clause
// PLAYER is page, the shipped one, or plain: hls.js with nothing but its defaults. The ladder is 720p 360p audio.
import { desktop, launch, missing, open, picture, plain, plays, until } from './lib/browser.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';

const [base, player = 'page'] = process.argv.slice(2);
const reason = missing();
if (reason)
	skipAll(reason);

const thin_kbps = 700;
const wait = (seconds) => new Promise((go) => setTimeout(go, seconds * 1000));
const height = (view) => picture(view.page).then((seen) => seen.height);

// One session for all: what another one has asked for stays in force beside it.
async function throttle(view, kbps) {
	if (!view.link) {
		view.link = await view.context.newCDPSession(view.page);
		await view.link.send('Network.enable');
	}
	await view.link.send('Network.emulateNetworkConditions',
		{ offline: false, latency: 20, downloadThroughput: kbps === null ? -1 : kbps * 125, uploadThroughput: -1 });
}

async function reaches(view, lines, seconds, name) {
	const began = Date.now();
	ok(await until(async () => await height(view) === lines, seconds), name);
	note(`after ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

async function standsNever(view, name) {
	const seen = await view.probe();
	is(seen.stalls.length, 0, `${name} without a stall`);
	note(JSON.stringify(seen.stalls));
	is(seen.faults.length, 0, 'and without a fault');
}

async function upAndDown(view, climbS) {
	ok(await plays(view.page, 25), 'it plays');
	await reaches(view, 720, 20, 'in 720p');
	await wait(15); // what it holds in advance
	await throttle(view, thin_kbps);
	await reaches(view, 360, 30, `at ${thin_kbps} kb/s it comes down to 360p`);
	await wait(60);
	is(await height(view), 360, 'stays there');
	await standsNever(view, 'and plays 60 s');
	await throttle(view, null);
	await reaches(view, 720, climbS, 'on the open link it climbs to 720p');
	await wait(12);
	is(await height(view), 720, 'stays there');
	await throttle(view, thin_kbps);
	await reaches(view, 360, 30, 'and comes back when the link is thin again');
	await wait(15);
	is(await height(view), 360, 'to stay');
	await standsNever(view, 'all of it');
}

async function byThePage(browser) {
	const view = await open(browser, { viewport: desktop });
	await view.page.goto(`${base}/watch/live-1`);
	await upAndDown(view, 45);
	is(view.errors.length, 0, 'the console has nothing to complain of');
	note(view.errors.join('\n'));
}

// Its defaults know no hurry: it stands once on the way down, and a minute and a half goes by on the way up.
async function byItself(browser) {
	const view = await open(browser, { viewport: desktop });
	await plain(view.page, base, 1);
	ok(await plays(view.page, 25), 'it plays');
	await reaches(view, 720, 60, 'in 720p');
	await wait(15);
	await throttle(view, thin_kbps);
	await reaches(view, 360, 40, `at ${thin_kbps} kb/s it comes down to 360p`);
	const before = (await view.probe()).stalls.length;
	await wait(60);
	is((await view.probe()).stalls.length, before, 'and plays 60 s without a stall');
	await throttle(view, null);
	await reaches(view, 720, 150, 'on the open link it climbs to 720p');
	is((await view.probe()).fatal, undefined, 'without a fatal error');
}

await run(async () => {
	const browser = await launch();
	await (player === 'page' ? byThePage : byItself)(browser);
	await browser.close();
});
