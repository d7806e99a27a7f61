#!/usr/bin/env node
// t/browser/faults.mjs - what the player says and does when things go wrong: node faults.mjs [FOLDER]
// SPDX-License-Identifier: BSD-2-Clause
// Against mock.mjs, which spoils its answers; screenshots of the faults go to FOLDER.
import { launch, missing, open, phone, pick, picture, plays, until } from './lib/browser.mjs';
import { hlsFile } from './lib/deps.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';
import { Mock } from './mock.mjs';

const folder = process.argv[2];
const reason = missing() ?? (hlsFile() ? null : 'hls.js is not installed: npm ci in web');
if (reason)
	skipAll(reason);

const mock = await new Mock().start();
const watch = `${mock.url}/watch/live-1`;
const title = (page) => page.locator('#fault-title').textContent();
const shown = (page) => page.locator('#fault').isVisible();
const toast = (page) => page.locator('#toast-text').textContent();
const error = (code, message) => JSON.stringify({ error: { code, message, retryAfter: null, requestId: 'r1' } });

async function shot(page, name) {
	if (folder)
		await page.screenshot({ path: `${folder}/${name}.png` });
}

// Runs `body(page, view)` on a fresh page with whole answers at its end.
async function on(browser, options, body) {
	const view = await open(browser, options);
	try {
		await body(view.page, view);
	} finally {
		mock.heal();
		await view.close();
	}
}

const says = async (page, words, seconds = 12) =>
	until(async () => await shown(page) && words.test(await title(page)), seconds);

async function refusals(browser) {
	const cases = [
		[404, {}, /no such channel/i, 'an unknown channel'],
		[401, {}, /sign in/i, 'a page that needs a password'],
		[403, {}, /may not watch/i, 'a channel that is not allowed'],
	];
	for (const [status, headers, words, name] of cases) {
		await on(browser, {}, async (page) => {
			mock.spoil(/^\/api\/live\/live-1$/, { status, headers });
			await page.goto(watch);
			ok(await says(page, words), `${name} is said`);
			const asked = mock.count(/^\/api\/live\/live-1$/);
			ok(!await page.locator('#fault-wait').isVisible(), 'with no countdown');
			is(await page.locator('.fault-acts a[href="/"]').count(), status === 401 ? 0 : 1,
				status === 401 ? 'and a button to be asked for it' : 'and a way back to the channels');
			mock.heal();
			await page.getByRole('button', { name: /try again/i }).or(page.getByRole('button', { name: /reload/i }))
				.first().click();
			ok(await plays(page), 'and it plays when the viewer asks again');
			ok(mock.count(/^\/api\/live\/live-1$/) > asked, 'which asked the server');
		});
	}
}

async function passing(browser) {
	const cases = [
		[503, { 'Retry-After': '3' }, /busy/i, 'a busy server'],
		[502, {}, /not on the air/i, 'a source that is down'],
		[504, {}, /not on the air/i, 'a silent source'],
		[500, {}, /mistake/i, 'a mistake of the server'],
	];
	for (const [status, headers, words, name] of cases) {
		await on(browser, {}, async (page) => {
			mock.spoil(/^\/api\/live\/live-1$/, { status, headers, times: status === 503 ? 1 : 2,
				body: error('x', 'Come back in a moment.') });
			await page.goto(watch);
			ok(await says(page, words), `${name} is said`);
			ok(/Trying again/.test(await page.locator('#fault-wait').textContent()), 'with a countdown');
			if (status === 503) {
				ok(/Come back/.test(await page.locator('#fault-detail').textContent()), "and the server's sentence");
				await shot(page, 'fault-503');
			}
			ok(await plays(page), 'and it plays by itself afterwards');
			ok(!await shown(page), 'with no words left over');
		});
	}
}

async function midway(browser) {
	await on(browser, {}, async (page, { probe }) => {
		await page.goto(watch);
		await plays(page);
		mock.spoil(/^\/api\/hls\/1\/.*m3u8$/, { status: 503, headers: { 'Retry-After': '1' }, times: 3 });
		ok(await plays(page, 20, 6), 'three refused playlists in a row are survived');
		is((await probe()).stalls.length, 0, 'without a stall');
		is((await probe()).faults.length, 0, 'and without a word');
	});
	await on(browser, {}, async (page, { context }) => {
		await page.goto(watch);
		await plays(page);
		await context.setOffline(true);
		ok(await says(page, /offline/i, 40), 'a lost network is said once the picture stands');
		await shot(page, 'fault-offline');
		await context.setOffline(false);
		ok(await plays(page, 25), 'and it plays again by itself when the network is back');
		ok(!await shown(page), 'with no words left over');
	});
	await on(browser, {}, async (page) => {
		await page.goto(watch);
		await plays(page);
		mock.spoil(/^\/(tv|api)\//, { drop: true });
		ok(await says(page, /cannot be reached|does not answer/i, 45), 'a dead server is said');
		mock.heal();
		ok(await plays(page, 40), 'and it plays by itself when the server is back');
	});
	await on(browser, {}, async (page) => {
		await page.goto(watch);
		await plays(page);
		mock.spoil(/^\/tv\//, { corrupt: true, times: 2 });
		ok(await plays(page, 30, 8), 'damaged segments are played past');
		ok(!await shown(page), 'without a word that stays');
	});
}

async function stepsDown(browser) {
	await on(browser, {}, async (page, { requests }) => {
		await page.addInitScript(() => localStorage.setItem('sluice.quality', '720p'));
		await page.goto(watch);
		await plays(page);
		is((await picture(page)).height, 720, 'a remembered rung is played');
		mock.spoil(/^\/tv\/live-1\/\w+\/720p\//, { status: 404 });
		ok(await until(async () => /too slow for 720p.*360p/.test(await toast(page)), 25),
			'two failures in ten seconds: the next lower rung, and it is said');
		await shot(page, 'step-down');
		ok(await until(async () => (await picture(page)).height === 360, 20), 'the picture is the lower one');
		is(await page.locator('#quality-now').textContent(), '360p', 'the button says so');
		is(await page.evaluate(() => localStorage.getItem('sluice.quality')), '720p', 'the choice is still remembered');
		ok(requests.some((r) => /\/360p\/\d+\.ts$/.test(r.path) && r.status === 200), 'its segments are fetched');
	});
	await on(browser, {}, async (page) => {
		await page.goto(watch);
		await until(async () => (await picture(page)).height === 720, 25);
		mock.spoil(/^\/tv\/live-1\/\w+\/720p\//, { status: 404 });
		ok(await until(async () => /up to 360p/.test(await toast(page)), 25), 'in auto the same is a limit, and said');
		ok(await plays(page, 20, 3), 'and it plays on');
		await page.locator('#stage').hover();
		await page.locator('#quality').click();
		ok(/Up to 360p/.test(await page.locator('#quality-note').textContent()), 'the menu says why');
	});
}

async function autoplay() {
	const browser = await launch({ autoplay: false });
	await on(browser, { viewport: phone }, async (page) => {
		await page.goto(watch);
		ok(await until(() => page.locator('#bigplay').isVisible(), 15), 'autoplay refused: a big button to play');
		await shot(page, 'refused-phone');
		await page.locator('#bigplay').tap();
		ok(await plays(page), 'which plays');
		ok(!await page.locator('#bigplay').isVisible(), 'and goes away');
	});
	await browser.close();
}

async function withoutParts(browser) {
	const { hls } = mock;
	mock.hls = null;
	await on(browser, {}, async (page, { errors }) => {
		await page.addInitScript(() => {
			HTMLMediaElement.prototype.canPlayType = () => '';
		});
		await page.goto(watch);
		ok(await says(page, /missing part/i), 'neither hls.js nor own HLS: it is said');
		ok(/hls\.js.*npm/.test(await page.locator('#fault-text').textContent()), 'what is missing, and why');
		is(errors.filter((e) => !e.includes('/cdn/art/')).length, 0, 'the console has nothing to complain of');
		await shot(page, 'fault-unsupported');
	});
	await on(browser, {}, async (page) => {
		await page.goto(watch);
		const own = await page.evaluate(() =>
			document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '');
		ok(own ? await plays(page, 30) : await says(page, /missing part/i),
			own ? 'without hls.js this browser plays by its own HLS' : 'this browser has no HLS of its own');
	});
	mock.hls = hls;
}

async function hostile(browser) {
	const [channel] = mock.channels;
	const { name, logo } = channel;
	channel.name = '<img src=x onerror=alert(1)>"\'{{id}}';
	channel.logo = 'javascript:alert(1)';
	await on(browser, {}, async (page, { errors }) => {
		let alerts = 0;
		page.on('dialog', (dialog) => {
			alerts++;
			dialog.dismiss();
		});
		await page.goto(watch);
		await plays(page);
		is(await page.locator('#name').textContent(), channel.name, 'a name with markup is text on the player');
		await page.goto(`${mock.url}/`);
		await until(() => page.locator('.channel a').count());
		is(await page.locator('.channel-name').first().textContent(), channel.name, 'and in the list');
		is(alerts, 0, 'nothing of it runs');
		is(errors.filter((e) => /Content Security Policy/.test(e)).length, 0, 'and the policy had nothing to stop');
	});
	Object.assign(channel, { name, logo });
}

await run(async () => {
	try {
		await mock.picture();
		const browser = await launch();
		for (const part of [refusals, passing, midway, stepsDown, withoutParts, hostile]) {
			note(part.name);
			await part(browser);
		}
		await browser.close();
		await autoplay();
	} finally {
		await mock.stop();
	}
});
