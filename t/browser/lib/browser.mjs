// t/browser/lib/browser.mjs - a fresh headless Chromium, and a page that is watched while it plays.
// SPDX-License-Identifier: BSD-2-Clause
import { existsSync } from 'node:fs';
import { has, need } from './deps.mjs';

export const executable = process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium';
export const phone = { width: 390, height: 844 };
export const desktop = { width: 1280, height: 800 };

const options = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync'];

// Why no browser can be had, or null.
export function missing() {
	if (!has('playwright-core'))
		return 'playwright-core is not installed: npm ci in t/browser';
	return existsSync(executable) ? null : `${executable} is not installed`;
}

// autoplay false: sound is refused before the first click, as browsers do.
export async function launch({ autoplay = true } = {}) {
	const { chromium } = need('playwright-core');
	const args = options.concat(autoplay ? ['--autoplay-policy=no-user-gesture-required'] : []);
	return chromium.launch({ executablePath: executable, headless: true, args, chromiumSandbox: false });
}

// Runs in the page before anything of ours: notes every wait of the picture, every hole in its buffer
// and every fault that the page shows. A picture that the page holds until enough follows it does not wait.
function install() {
	const probe = { stalls: [], held: [], faults: [], holes: 0, began: false, watching: true, dropped: 0 };
	let last = { time: -1, ms: 0 };
	let stalled = null;
	let held = null;
	globalThis.probe = probe;
	const look = () => {
		const video = document.querySelector('video');
		const stage = document.getElementById('stage');
		if (!video || !stage)
			return;
		const now = performance.now();
		if (stage.dataset.state === 'fault' && probe.last !== 'fault')
			probe.faults.push(document.getElementById('fault-title').textContent);
		probe.last = stage.dataset.state;
		for (let i = 1; i < video.buffered.length; i++)
			if (video.buffered.start(i) > video.currentTime)
				probe.holes++;
		if (video.currentTime !== last.time || video.paused || !probe.watching) {
			probe.began ||= last.time >= 0 && video.currentTime > last.time;
			last = { time: video.currentTime, ms: now };
			stalled = held = null;
		} else if (video.playbackRate === 0 && video.readyState >= 2) {
			if (held === null)
				probe.held.push(held = { at: video.currentTime, ms: 0 });
			held.ms = Math.round(now - last.ms);
		} else if (probe.began && now - last.ms > 500) {
			if (stalled === null)
				probe.stalls.push(stalled = { at: video.currentTime, ms: 0 });
			stalled.ms = Math.round(now - last.ms);
		}
	};
	setInterval(look, 50);
}

// A page with everything written down: {page, context, errors, requests, probe(), close()}.
// `requests` are {path, status, ms since the start}; `errors` what the console and the page complained of.
export async function open(browser, { viewport = desktop, ...rest } = {}) {
	const phoneLike = viewport.width < 600;
	const context = await browser.newContext({ viewport, deviceScaleFactor: phoneLike ? 2 : 1,
		hasTouch: phoneLike, isMobile: phoneLike, ...rest });
	const page = await context.newPage();
	const errors = [];
	const requests = [];
	page.on('console', (message) => {
		if (message.type() === 'error')
			errors.push(`${message.text()} (${message.location().url ?? ''})`);
	});
	page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
	page.on('response', (answer) => {
		const url = new URL(answer.url());
		requests.push({ path: url.pathname, search: url.search, status: answer.status(), ms: Date.now() });
	});
	await page.addInitScript(install);
	return { page, context, errors, requests, probe: () => page.evaluate(() => globalThis.probe),
		close: () => context.close() };
}

// Polls `look` until it is truthy; false after `seconds`. A condition with a deadline, not a wait.
export async function until(look, seconds = 15, everyMs = 100) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const got = await look();
		if (got || Date.now() > end)
			return got;
		await new Promise((go) => setTimeout(go, everyMs));
	}
}

export const picture = (page) => page.evaluate(() => {
	const video = document.querySelector('video');
	return { time: video.currentTime, height: video.videoHeight, paused: video.paused,
		muted: video.muted, volume: video.volume, ready: video.readyState,
		sound: video.webkitAudioDecodedByteCount ?? null,
		state: document.getElementById('stage').dataset.state };
});

// True once the page says that it plays and the picture has moved on by `by` seconds since.
export async function plays(page, seconds = 20, by = 0.5) {
	let from = null;
	return until(async () => {
		const now = await picture(page);
		const going = !now.paused && now.state === 'running';
		if (!going || from === null || now.time < from)
			from = going ? now.time : null;
		return going && now.time - from >= by;
	}, seconds);
}

// A page with hls.js and nothing else, its settings as they come, playing channel `id` of the service at `base`.
export async function plain(page, base, id, config = {}) {
	const [, script] = /data-hls="([^"]+)"/.exec(await (await fetch(`${base}/watch/${id}`)).text());
	const play = `const hls = globalThis.hls = new Hls(${JSON.stringify(config)});
		hls.on(Hls.Events.ERROR, (_, { fatal, details }) => fatal && (globalThis.probe.fatal = details));
		hls.loadSource('/api/hls/${id}/master.m3u8');
		hls.attachMedia(document.querySelector('video'));`;
	const body = `<!doctype html><title>hls.js</title><div id="stage" data-state="running"></div>
		<video muted autoplay></video><script src="${script}"></script><script>${play}</script>`;
	await page.route(`${base}/plain`, (route) => route.fulfill({ contentType: 'text/html', body }));
	await page.goto(`${base}/plain`);
}

// Opens a menu, the one of qualities unless told, by its button and picks an entry.
export async function pick(page, value, button = 'quality') {
	await page.locator('#stage').hover().catch(() => {});
	await page.locator(`#${button}`).click();
	await page.locator(`.menu:not([hidden]) .menu-item[data-value="${value}"]`).click();
}
