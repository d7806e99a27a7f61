#!/usr/bin/env node
// t/browser/native.mjs - the page of a film where the browser has HLS of its own and nothing else: node native.mjs URL ID DIRECT-ID
// SPDX-License-Identifier: BSD-2-Clause
// Chromium has none: what such a browser does with a master is put into the page, which reads the service's own
// master for tracks and shows the bytes of DIRECT-ID, which has the same pictures as ID.
import { launch, missing, open, pick, plays, until } from './lib/browser.mjs';
import { is, ok, run, skipAll } from './lib/tap.mjs';

const [base, id, directId] = process.argv.slice(2);
const reason = missing();
if (reason)
	skipAll(reason);

const watch = `${base}/watch/${id}`;
const master = `/api/hls/${id}/master.m3u8`;

// In the page before anything of ours.
function emulate(bytes) {
	const media = HTMLMediaElement.prototype;
	const { canPlayType } = media;
	const src = Object.getOwnPropertyDescriptor(media, 'src');
	const told = { opened: [] };

	class Tracks extends EventTarget {
		length = 0;

		fill(list) {
			for (let i = 0; i < this.length; i++)
				delete this[i];
			Object.assign(this, list);
			this.length = list.length;
			this.dispatchEvent(new Event('addtrack'));
		}
	}
	// Of sounds one is heard.
	class Sound {
		constructor(list, language, on) {
			Object.assign(this, { list, language, on });
		}

		get enabled() {
			return this.on;
		}

		set enabled(on) {
			if (on)
				Array.from(this.list).forEach((other) => Object.assign(other, { on: false }));
			this.on = on;
		}
	}
	// What a master says of its tracks, `kind` AUDIO or SUBTITLES.
	const languages = (text, kind) => text.split('\n').filter((line) => line.startsWith(`#EXT-X-MEDIA:TYPE=${kind}`))
		.map((line) => /LANGUAGE="([^"]*)"/.exec(line)?.[1] ?? '');

	function read(video, text) {
		const sounds = languages(text, 'AUDIO').map((language, i) => new Sound(video.audioTracks, language, i === 0));
		const texts = [{ kind: 'metadata', language: '', mode: 'hidden' },
			...languages(text, 'SUBTITLES').map((language) => ({ kind: 'subtitles', language, mode: 'disabled' }))];
		video.audioTracks.fill([]);
		video.textTracks.fill([]);
		video.addEventListener('loadeddata', () => setTimeout(() => {
			video.audioTracks.fill(sounds);
			video.textTracks.fill(texts);
		}, 300), { once: true });
	}

	globalThis.told = told;
	for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource', 'SourceBuffer'])
		delete globalThis[name];
	media.canPlayType = function (type) {
		return /mpegurl/.test(type) ? 'maybe' : canPlayType.call(this, type);
	};
	for (const name of ['audioTracks', 'textTracks'])
		Object.defineProperty(media, name, { get() {
			this[`own ${name}`] ??= new Tracks();
			return this[`own ${name}`];
		} });
	Object.defineProperty(media, 'src', { get: src.get, set(address) {
		if (!/\.m3u8/.test(address)) {
			src.set.call(this, address);
			return;
		}
		const request = new XMLHttpRequest();
		told.opened.push(address);
		request.open('GET', address, false);
		request.send();
		if (request.status === 200)
			read(this, request.responseText);
		src.set.call(this, request.status === 200 ? bytes : '/api/none');
	} });
}

const second = (page) => page.evaluate(() => document.querySelector('video').currentTime);
const last = (page) => page.evaluate(() => globalThis.told.opened.at(-1));
const sounds = (page) => page.evaluate(() => Array.from(document.querySelector('video').audioTracks).map(({ language, enabled }) => `${language} ${enabled}`).join());
const texts = (page) => page.evaluate(() => Array.from(document.querySelector('video').textTracks).map(({ language, mode }) => `${language} ${mode}`).join());
const seek = (page, to) => page.evaluate((time) => {
	document.querySelector('video').currentTime = time;
}, to);

async function tracks(page) {
	ok(!await page.locator('#sounds').isHidden() && !await page.locator('#texts').isHidden(), 'its sounds and subtitles are offered');
	await pick(page, '1', 'sounds');
	ok(await until(async () => await sounds(page) === 'eng false,ger true', 20), 'another sound can be taken');
	is(await last(page), master, 'of the film\'s master');
	is(await page.locator('#sounds-items [aria-checked="true"]').textContent(), 'German', 'and the menu says so');
	is(await texts(page), ' hidden,eng disabled,ger disabled', 'no subtitles are shown');
	await pick(page, '1', 'texts');
	ok(await until(async () => await texts(page) === ' hidden,eng disabled,ger showing', 5), 'until one is chosen');
	await page.keyboard.press('c');
	ok(await until(async () => await texts(page) === ' hidden,eng disabled,ger disabled', 5), 'c takes them away');
	await page.keyboard.press('c');
	ok(await until(async () => / ?ger showing$/.test(await texts(page)), 5), 'and shows them again');
}

async function memory(page) {
	await seek(page, 22.5);
	ok(await until(async () => await second(page) > 22.7, 20), 'half-way');
	await page.reload();
	ok(await plays(page, 30), 'after a reload it plays');
	ok(await second(page) > 21.5, 'from where it was');
	ok(/^Continuing from 0:2\d$/.test(await page.locator('#toast-text').textContent()), 'and says so');
	ok(await until(async () => await sounds(page) === 'eng false,ger true' && /ger showing$/.test(await texts(page)), 10),
		'with the sound and the subtitles that were chosen');
}

async function qualities(page) {
	await pick(page, '240p');
	ok(await until(async () => await last(page) === `${master}?quality=240p`, 10), 'a lower quality is another master');
	ok(await plays(page, 30) && await second(page) > 21, 'which goes on at the same second');
	ok(await until(async () => await sounds(page) === 'eng false,ger true', 10), 'with the same sound');
	await pick(page, 'audio');
	ok(await until(() => page.locator('#card').isVisible(), 10), 'sound alone has a card');
	ok(/audio/.test(await last(page)), 'and a master of its own');
	await pick(page, 'auto');
	ok(await until(async () => await last(page) === master, 10) && await plays(page, 30), 'auto is the whole master again');
}

async function trouble(page) {
	const from = await second(page);
	await page.route(`**${master}**`, (route) => route.fulfill({ status: 503, contentType: 'application/json', headers: { 'Retry-After': '1' },
		body: '{"error":{"code":"busy","message":"This part of the film is being made; try again in a moment","retryAfter":1}}' }));
	await pick(page, '360p');
	ok(await until(() => page.locator('#fault').isVisible(), 20), 'a film that cannot be had');
	is(await page.locator('#fault-title').textContent(), 'The film is being prepared', 'is said in words');
	await page.unroute(`**${master}**`);
	ok(await plays(page, 30), 'and goes on by itself when it can');
	ok(await second(page) >= from - 1, `at the same second: ${from.toFixed(1)}`);
	await page.route('**/api/stream/vod/**', (route) => route.fulfill({ status: 404, contentType: 'application/json',
		body: '{"error":{"code":"not_found","message":"There is no such film"}}' }));
	await page.reload();
	ok(await until(() => page.locator('#fault').isVisible(), 20), 'one that is gone');
	is(await page.locator('#fault-title').textContent(), 'There is no such film', 'is said, too');
}

await run(async () => {
	const browser = await launch();
	const { page, errors, requests, close } = await open(browser, {});
	await page.addInitScript(emulate, `/api/stream/${directId}`);
	await page.addInitScript((value) => Object.defineProperty(navigator, 'connection', { value }), { effectiveType: '4g', downlink: 10, saveData: false });
	await page.goto(watch);
	ok(await plays(page, 40), 'a film plays by the browser\'s own HLS');
	for (const part of [tracks, memory, qualities, trouble])
		await part(page);
	ok(!requests.some(({ path }) => /\.m4s$/.test(path)), 'nothing else fetched its parts');
	is(errors.filter((said) => !/status of (404|503)/.test(said)).join(' '), '', 'and the page had nothing to complain of');
	await close();
	await browser.close();
});
