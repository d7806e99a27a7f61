#!/usr/bin/env node
// t/browser/film.mjs - the page of a film: node film.mjs URL ID DIRECT-ID [FOLDER]
// SPDX-License-Identifier: BSD-2-Clause
// ID has several sounds and subtitles, DIRECT-ID plays as it is. Screenshots go to FOLDER.
import { desktop, launch, missing, open, phone, pick, picture, plays, until } from './lib/browser.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';

const [base, id, directId, folder] = process.argv.slice(2);
const reason = missing();
if (reason)
	skipAll(reason);

const watch = `${base}/watch/${id}`;
const long = Boolean(process.env.SLUICE_LONG);

// In the page before anything of ours: every hls.js that is made, and what it complains of.
function listen() {
	const told = { fatal: [], odd: [], made: [], holes: [] };
	const ranges = ({ buffered: of }) => Array.from({ length: of.length }, (_, i) => [of.start(i), of.end(i)]);
	// hls.js steps over what is still being appended, too.
	const isWhole = (media) => ranges(media).some(([from, to]) => from <= Math.max(0, media.currentTime - 0.2) && to > media.currentTime);
	const holeOf = ({ media }, { reason }) => `${reason} at ${media.currentTime} of ${ranges(media).join(' ')}`;
	// Between what was fetched by itself lie segments at least.
	told.gaps = () => ranges(document.querySelector('video')).filter(([from], i, all) => i > 0 && from - all[i - 1][1] < 0.5);
	let Hls;
	globalThis.told = told;
	Object.defineProperty(globalThis, 'Hls', { get: () => Hls, set(real) {
		Hls = class extends real {
			constructor(config) {
				super(config);
				told.made.push(this);
				this.on(real.Events.ERROR, (_, data) => told[data.fatal ? 'fatal' : 'odd'].push(data.details));
				this.on(real.Events.ERROR, (_, data) => {
					if (data.details === 'bufferSeekOverHole' && !isWhole(this.media))
						told.holes.push(holeOf(this, data));
				});
			}
		};
	} });
}

async function shot(page, name) {
	if (folder)
		await page.screenshot({ path: `${folder}/${name}.png` });
}

// What the browser believes of its connection is a thing of chance here.
async function begin(browser, { connection = { effectiveType: '4g', downlink: 10, saveData: false }, ...options } = {}) {
	const view = await open(browser, options);
	await view.page.addInitScript(listen);
	await view.page.addInitScript((value) => Object.defineProperty(navigator, 'connection', { value }), connection);
	return view;
}

const time = (page) => page.evaluate(() => document.querySelector('video').currentTime);

// Whether the picture moves on near `from`.
function moves(page, from, within = 20) {
	return until(async () => {
		const now = await time(page);
		return now > from + 0.3 && now < from + 12;
	}, within, 50);
}

// Clicks the bar at a share of its length.
async function clickBar(page, share) {
	await page.locator('#stage').hover();
	const box = await page.locator('#seek').boundingBox();
	await page.mouse.click(box.x + box.width * share, box.y + box.height / 2);
}

async function playing(page, length) {
	ok(await plays(page, 40), 'the film plays');
	is(await page.locator('#name').textContent(), 'The Long Film', 'under its name');
	ok(/^2019 · /.test(await page.locator('#now').textContent()), 'with its year and its length');
	is(await page.locator('#length').textContent(), '0:40', 'which the bar says too');
	const bar = page.locator('#seek');
	ok(/^\d+ seconds? of 40 seconds$/.test(await bar.getAttribute('aria-valuetext')), 'and a screen reader');
	is(Number(await bar.getAttribute('aria-valuemax')), Math.floor(length), 'as a slider');
	ok(await page.locator('#seek-buffered i').count() > 0, 'what is buffered is drawn');
}

async function seeks(page, length) {
	const shares = Array.from({ length: 9 }, () => 0.02 + 0.9 * Math.random());
	const took = [];
	note(`seeks to ${shares.map((share) => (share * length).toFixed(1)).join(' ')}`);
	for (const share of shares) {
		const began = Date.now();
		await clickBar(page, share);
		ok(await moves(page, share * length - 0.2), `it plays on from ${(share * length).toFixed(1)} s`);
		took.push(Date.now() - began);
	}
	note(`seeks took ${took.join(' ')} ms`);
	await page.locator('#seek').focus();
	await page.keyboard.press('End');
	ok(await until(() => page.evaluate(() => document.querySelector('video').ended), 20, 50), 'and from its end to the end');
	ok(await until(() => page.locator('#refused').isVisible(), 5), 'where it can be played again');
	await page.locator('#bigplay').click();
	ok(await moves(page, 0), 'from the start');
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowRight');
	ok(await moves(page, 19), 'two keys are 20 seconds on');
	await page.keyboard.press('j');
	ok(await moves(page, 8), 'another is 10 back');
}

async function thumbnails(page) {
	await page.locator('#stage').hover();
	const box = await page.locator('#seek').boundingBox();
	await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
	ok(await until(() => page.locator('#peek-picture').isVisible(), 60), 'a picture of the place is shown');
	ok(/thumbnails\/0\.jpg/.test(await page.evaluate(() => document.getElementById('peek-picture').style.backgroundImage)),
		'from a sheet');
	is(await page.locator('#peek-time').textContent(), '0:24', 'with its time');
	await shot(page, 'film-thumbnail');
	await page.mouse.move(5, 5);
	ok(!await page.locator('#peek').isVisible(), 'and goes away');
}

async function qualities(page) {
	await page.locator('#stage').hover();
	await page.locator('#quality').click();
	const rungs = await page.locator('#quality-items .menu-item').evaluateAll((all) => all.map((one) => one.dataset.value));
	await shot(page, 'film-quality');
	await page.keyboard.press('Escape');
	is(rungs.join(' '), 'auto source 360p 240p audio', 'the qualities are those that there are');
	for (const rung of ['240p', 'source', '360p', '240p']) {
		await page.keyboard.press('Home');
		await pick(page, rung);
		const lines = rung === 'source' ? 360 : Number.parseInt(rung, 10);
		ok(await until(async () => (await picture(page)).height === lines, 40), `${rung} is ${lines} lines`);
		ok(await plays(page, 30), 'and plays');
	}
	const from = await time(page);
	await pick(page, 'audio');
	ok(await until(() => page.locator('#card').isVisible(), 10), 'sound alone has a card');
	ok(await plays(page, 30) && Math.abs(await time(page) - from) < 8, 'and goes on at the same place');
	await pick(page, 'auto');
	ok(await until(async () => (await picture(page)).height > 0, 30) && await plays(page, 30), 'auto has a picture again');
}

async function tracks(page) {
	await page.keyboard.press('Home');
	await pick(page, '1', 'sounds');
	ok(await until(() => page.evaluate(() => globalThis.told.made.at(-1).audioTrack === 1), 10), 'the other sound is taken');
	ok(await plays(page, 30), 'and plays');
	is(await page.locator('#sounds-items [aria-checked="true"]').textContent(), 'German', 'the menu says which');
	await pick(page, '1', 'texts');
	const shown = () => page.evaluate(() => [...document.querySelector('video').textTracks]
		.filter((track) => track.mode === 'showing' && track.cues?.length > 0).map((track) => track.language).join());
	ok(await until(async () => /^(de|deu|ger)$/.test(await shown()), 20), 'subtitles are shown');
	await shot(page, 'film-subtitles');
	await page.keyboard.press('c');
	ok(await until(async () => await shown() === '', 5), 'c takes them away');
	await page.keyboard.press('c');
	ok(await until(async () => await shown() !== '', 5), 'and shows them again');
}

async function speed(page) {
	await page.keyboard.press('>');
	ok(await until(async () => await page.locator('#speed-now').textContent() === '1.25×', 5), 'it plays faster');
	const from = [await time(page), Date.now()];
	ok(await until(async () => await time(page) > from[0] + 2, 15, 50), 'and goes on');
	await pick(page, '0.5', 'speeds');
	ok(await until(() => page.evaluate(() => document.querySelector('video').playbackRate === 0.5), 5), 'or slower');
	await pick(page, '1', 'speeds');
}

async function memory(page, length) {
	await clickBar(page, 22.5 / length);
	ok(await moves(page, 22), 'half-way');
	await page.reload();
	ok(await plays(page, 30), 'after a reload it plays');
	const at = await time(page);
	ok(at > 21.5 && at < 34, `from where it was: ${at.toFixed(1)} s`);
	is(await page.locator('#toast-text').textContent(), 'Continuing from 0:22', 'and says so');
	await shot(page, 'film-continue');
	is(await page.evaluate(() => globalThis.told.made.at(-1).audioTrack), 1, 'with the sound');
	ok(await page.locator('#texts.on').count() === 1, 'and the subtitles that were chosen');
	await page.locator('#toast-act').click();
	ok(await moves(page, 0), 'one click goes to the start');
	await page.goto(`${base}/?show=films`);
	ok(await until(() => page.locator(`.film[data-id="${id}"]`).count(), 10), 'the front page lists it');
}

async function changing(page) {
	await page.goto(watch);
	await plays(page, 30);
	await clickBar(page, 0.3);
	await plays(page, 30);
	const from = await time(page);
	let spoilt = 0;
	const gone = /\/[0-9a-f]{32}\/[^/]+\/\d+\.m4s$/;
	await page.route(gone, (route) => (spoilt++ < 3 ? route.fulfill({ status: 404, contentType: 'application/json',
		body: '{"error":{"code":"changed","message":"The film has changed; ask for its playlist again"}}' })
		: route.continue()));
	const masters = await page.evaluate(() => globalThis.told.made.length);
	await pick(page, '240p');
	ok(await until(() => page.evaluate((n) => globalThis.told.made.length > n, masters), 15), 'a film that has changed is asked for anew');
	ok(await plays(page, 30) && await time(page) >= from - 1 && await time(page) < from + 12, 'and goes on at the same second');
	is(await page.locator('#toast-text').textContent(), 'The film has a new version, which goes on here.', 'in words');
	await page.unroute(gone);
	await pick(page, 'auto');
}

async function direct(browser) {
	const { page, probe, requests, close } = await begin(browser, {});
	await page.goto(`${base}/watch/${directId}`);
	ok(await plays(page, 30), 'a film that browsers play as it is plays');
	ok(/\/api\/stream\/[\w.-]+$/.test(await page.evaluate(() => document.querySelector('video').currentSrc)), 'by its own bytes');
	await clickBar(page, 0.6);
	ok(await moves(page, 23.5), 'also after a seek');
	ok(!requests.some(({ path }) => /\.m4s$/.test(path)), 'no segment was asked for');
	await pick(page, '240p');
	ok(await until(async () => (await picture(page)).height === 240, 40), 'another quality comes by its playlist');
	ok(await plays(page, 30) && await time(page) > 23, 'and goes on at the same second');
	await pick(page, 'source');
	ok(await until(async () => (await picture(page)).height === 360, 40) && await plays(page, 30), 'and back');
	is((await probe()).faults.join(' '), '', 'nothing was wrong');
	await close();
}

async function small(browser) {
	for (const width of [320, 390, 768, 1280]) {
		const { page, close } = await begin(browser, { viewport: { width, height: width < 600 ? phone.height : desktop.height } });
		await page.goto(watch);
		await plays(page, 30);
		ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `nothing is wider than ${width} px`);
		const wrong = await page.evaluate(() => [...document.querySelectorAll('#controls button')]
			.map((button) => [button.id, button.getBoundingClientRect()])
			.filter(([, r]) => r.width > 0 && (r.width < 44 || r.height < 44 || r.right > innerWidth || r.left < 0))
			.map(([name]) => name));
		is(wrong.join(' '), '', 'every button is 44 px and on the screen');
		await page.locator('video').dispatchEvent('pointermove');
		await page.locator('#seek').focus();
		await shot(page, `film-${width}`);
		await close();
	}
}

async function unknown(browser) {
	const { page, close } = await begin(browser, {});
	await page.goto(`${base}/watch/vod-none`);
	ok(await until(() => page.locator('#fault').isVisible(), 10), 'a film that is not there');
	is(await page.locator('#fault-title').textContent(), 'There is no such film', 'is said in words');
	is(await page.locator('#fault-acts a').getAttribute('href'), '/?show=films', 'the list of films is one step away');
	ok(await until(() => page.locator('#rail-list a').count(), 10), 'and others are offered below');
	await shot(page, 'film-unknown');
	await close();
}

await run(async () => {
	const browser = await launch();
	const { page, errors, probe, close } = await begin(browser, {});
	await page.goto(watch);
	const length = await until(() => page.evaluate(() => document.querySelector('video').duration || 0), 40);
	await playing(page, length);
	await seeks(page, length);
	await thumbnails(page);
	if (long)
		await qualities(page);
	await tracks(page);
	await speed(page);
	const told = await page.evaluate(() => ({ ...globalThis.told, made: null, gaps: globalThis.told.gaps().join(' ') }));
	is(told.fatal.join(' '), '', 'no error was fatal');
	is(told.holes.join('; '), '', 'there was no hole');
	is(told.gaps, '', 'nor a gap in what is buffered');
	note(`told: ${told.odd.join(' ')}`);
	await memory(page, length);
	if (long)
		await changing(page);
	is((await probe()).faults.join(' '), '', 'and the page had nothing to complain of');
	is(errors.filter((text) => !/status of (404|503)/.test(text)).join(' '), '', 'nor the console');
	await close();
	await direct(browser);
	await unknown(browser);
	if (long || folder)
		await small(browser);
	await browser.close();
});
