#!/usr/bin/env node
// t/browser/page.mjs - the list of channels, the keyboard and the memory: node page.mjs [FOLDER]
// SPDX-License-Identifier: BSD-2-Clause
// Against mock.mjs; screenshots of the list's states go to FOLDER.
import { desktop, launch, missing, open, phone, pick, picture, plays, until } from './lib/browser.mjs';
import { hlsFile } from './lib/deps.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';
import { inventChannels, Mock } from './mock.mjs';
import { contrast, luminance, parseRgb } from '../../web/colour.js';

const folder = process.argv[2];
const reason = missing() ?? (hlsFile() ? null : 'hls.js is not installed: npm ci in web');
if (reason)
	skipAll(reason);

const mock = await new Mock({ site: { site_name: 'Harbour & Sons', site_colour: '#ffb000' } }).start();
const slates_s = 6;
const small = { width: 360, height: 740 };
const cards = (page) => page.locator('.channel[data-id]');
const watch = `${mock.url}/watch/live-1`;

async function shot(page, name) {
	if (folder)
		await page.screenshot({ path: `${folder}/${name}.png` });
}

async function on(browser, options, body) {
	const view = await open(browser, options);
	try {
		await body(view.page, view);
	} finally {
		mock.heal();
		await view.close();
	}
}

async function listing(browser) {
	await on(browser, {}, async (page) => {
		await page.goto(`${mock.url}/`);
		ok(await until(async () => await cards(page).count() === 60, 10), 'the first page of channels is listed');
		is(await page.title(), 'Harbour & Sons', "under the site's name");
		is(await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--accent')),
			'rgb(255 176 0)', 'in its colour');
		ok(await until(async () => {
			await page.mouse.wheel(0, 1500);
			return await cards(page).count() === 150;
		}, 20), 'more come as one scrolls, up to the last');
		ok(!await page.locator('#more').isVisible(), 'and then no more are offered');
		is(await page.locator('#count').textContent(), '150 channels', 'the count is right');
		is(await page.locator('[data-id="live-1"] .badge').textContent(), 'Live', 'what is on says so');

		await page.keyboard.press('/');
		await page.keyboard.type('kite');
		ok(await until(async () => await cards(page).count() === 14, 10), 'a search finds by name');
		ok(/\?q=kite$/.test(page.url()), 'and stands in the address');
		await page.reload();
		ok(await until(async () => await cards(page).count() === 14, 10), 'so that a reload keeps it');
		await page.locator('#category').selectOption('Children');
		ok(await until(async () => await cards(page).count() === 5, 10), 'a category narrows it');
		await page.locator('#q').fill('zzz');
		ok(await until(() => page.locator('#notice').isVisible(), 10), 'nothing found is said');
		ok(/No channel matches “zzz” in Children/.test(await page.locator('#notice-text').textContent()), 'in words');
		await shot(page, 'list-nothing');
		await page.locator('#notice-act').click();
		ok(await until(async () => await cards(page).count() === 60, 10), 'and one click shows all again');

		await cards(page).first().locator('a').focus();
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('ArrowDown');
		const at = await page.evaluate(() => document.activeElement.closest('li').dataset.id);
		ok(at !== 'live-1' && at !== 'live-2', 'arrow keys go from channel to channel');
		await page.keyboard.press('Enter');
		await page.waitForURL(/\/watch\/live-\d+$/);
		ok(true, 'and Enter opens it');
	});
}

const art = /^\/cdn\/art\//;

// Pictures that do not come leave connections for what is asked for meanwhile.
async function pictures(browser) {
	await on(browser, {}, async (page) => {
		mock.hits = [];
		mock.spoil(art, { delayMs: 600000 });
		await page.goto(`${mock.url}/`);
		ok(await until(() => mock.count(art) === 4, 10), 'pictures are asked for, a few at once');
		await page.locator('#q').fill('kite');
		ok(await until(async () => await cards(page).count() === 14, 10), 'and while none has come a search is answered');
		is(mock.count(art), 4, 'nor is another one asked for');
		mock.heal();
	});
	await on(browser, {}, async (page) => {
		await page.goto(`${mock.url}/`);
		ok(await until(() => page.locator('[data-id="live-2"] .face.pictured img').count(), 10), 'a picture that comes is shown');
		ok(/^\/cdn\/art\/live-2\?size=(128|256|512)$/.test(await page.locator('[data-id="live-2"] img').getAttribute('src')),
			'as large as its place');
		is(await page.locator('[data-id="live-3"] .face').textContent(), 'T33', 'where none does there are initials');
	});
}

async function status(browser) {
	await on(browser, {}, async (page) => {
		await page.goto(`${mock.url}/`);
		await page.getByRole('link', { name: /status/i }).click();
		ok(await until(async () => /No source/.test(await page.locator('#summary').textContent()), 10),
			'the list leads to the status page');
		mock.sources = [{ name: 'demo', type: 'xtream', reason: null, message: null, since: null, channels: 60, films: 12, series: 3,
			importedAt: null, importTrouble: null, accounts: [{ name: '', connections: 2, inUse: 1 }] }];
		await page.reload();
		const words = async (cells) => (await page.locator(cells).allTextContents()).join(' | ');
		ok(await until(async () => await words('#sources tr > *') === 'demo | Ready | – | 1 of 2 | 60 | 12 | 3 | –', 10),
			'which says what a source has');
		is((await words('[aria-labelledby=sources-title] thead th')).replace(/\s+/g, ' '),
			'Source | State | Since | Connections | Channels | Films | Series | List read', 'under its names');
	});
	await on(browser, { viewport: small }, async (page) => {
		await page.goto(`${mock.url}/status`);
		ok(await until(() => page.locator('#sources tr').count(), 10), 'on a phone too');
		ok(await page.locator('#status .scroll').first().evaluate((box) => box.scrollWidth <= box.clientWidth), 'without a table to push about');
		is(await page.locator('#sources td').nth(2).evaluate((cell) => getComputedStyle(cell, '::before').content), '"Connections"',
			'each value under its name');
		mock.sources = [];
	});
}

// What is read, and what it is read upon.
async function colours(page, where) {
	return page.locator(where).first().evaluate((element) => {
		let ground = element;
		while (!/^rgb\(/.test(getComputedStyle(ground).backgroundColor))		// none, or one that lets through
			ground = ground.parentElement;
		return [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor];
	});
}

async function light(browser) {
	for (const colorScheme of ['light', 'dark']) {
		await on(browser, { colorScheme }, async (page) => {
			for (const [address, ...read] of [['/', 'h1', '.count', '.channel-name', '.channel-under', '#kinds a:not([aria-current])', '#q', '.foot a'],
				['/status', 'h1', '.summary', 'thead th']]) {
				await page.goto(mock.url + address);
				await until(() => address !== '/' || cards(page).count());
				const low = [];
				for (const where of read) {
					const [text, ground] = (await colours(page, where)).map(parseRgb);
					if (contrast(text, ground) < 4.5 || (luminance(ground) > .5) !== (colorScheme === 'light'))
						low.push(`${where}: ${text} upon ${ground}`);
				}
				is(low.join('; '), '', `${address} can be read, ${colorScheme} as it was asked for`);
			}
			await page.goto(watch);
			ok(luminance(parseRgb((await colours(page, '#name'))[1])) < .05, 'a picture stands in the dark');
		});
	}
}

// A fault has its words and its buttons on the smallest picture, with nothing over them.
async function cramped(browser) {
	await on(browser, { viewport: small }, async (page) => {
		await page.goto(`${mock.url}/watch/live-999`);
		ok(await until(() => page.locator('#fault').isVisible(), 10), 'an unknown channel is said on a phone');
		const covered = await page.locator('#fault').evaluate((fault) => {
			const stage = document.querySelector('.frame').getBoundingClientRect();
			return [...fault.querySelectorAll('h2, p, .button')].filter((part) => part.getClientRects().length).filter((part) => {
				const { left, right, top, bottom } = part.getBoundingClientRect();
				const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
				return top < stage.top || bottom > stage.bottom || left < 0 || right > innerWidth || !(part.contains(hit) || hit?.contains(part));
			}).map((part) => part.textContent);
		});
		is(covered.join('; '), '', 'whole, and under nothing');
		await page.goto(`${mock.url}/watch/7`);
		ok(await until(() => page.locator('#rail-list .channel').count(), 10), 'other channels are offered');
		is(await page.locator('#rail-list [data-id="live-7"]').count(), 0, 'but not the one that is watched');
	});
}

async function states(browser) {
	await on(browser, { viewport: phone }, async (page) => {
		mock.spoil(/^\/api\/live$/, { status: 502, times: 1, delayMs: 800 });
		await page.goto(`${mock.url}/`);
		ok(await until(() => page.locator('.blank').count(), 5), 'grey shapes stand where channels will be');
		await shot(page, 'list-loading');
		ok(await until(() => page.locator('#notice').isVisible(), 10), 'a list that cannot be read is said');
		await shot(page, 'list-failed');
		ok(await until(async () => await cards(page).count() === 60, 15), 'and it comes by itself afterwards');
	});
	await on(browser, {}, async (page) => {
		mock.channels = [];
		await page.goto(`${mock.url}/`);
		ok(await until(() => page.locator('#notice').isVisible(), 10), 'a server without channels says so');
		mock.channels = inventChannels(150);
		await page.locator('#notice-act').click();
		ok(await until(async () => await cards(page).count() === 60, 10), 'and looks again when asked');
	});
	for (const width of [320, 390, 768, 1280, 2560]) {
		await on(browser, { viewport: { width, height: 800 } }, async (page) => {
			for (const address of [`${mock.url}/`, watch]) {
				await page.goto(address);
				await until(() => cards(page).count());
				ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
					`${new URL(address).pathname} is not wider than ${width} px`);
			}
			const small = await page.evaluate(() => [...document.querySelectorAll('#controls button')]
				.map((b) => [b.id, b.getBoundingClientRect()])
				.filter(([, r]) => r.width > 0 && (r.width < 44 || r.height < 44 || r.right > innerWidth))
				.map(([id]) => id));
			is(small.join(' '), '', 'every button is 44 px and on the screen');
		});
	}
}

async function keyboard(browser) {
	await on(browser, { viewport: desktop }, async (page) => {
		await page.goto(watch);
		await plays(page);
		await page.keyboard.press('k');
		ok(await until(async () => (await picture(page)).paused, 5), 'k pauses');
		await page.keyboard.press(' ');
		ok(await plays(page), 'space plays');
		await page.keyboard.press('m');
		ok((await picture(page)).muted, 'm mutes');
		await page.keyboard.press('m');
		await page.keyboard.press('ArrowDown');
		await page.keyboard.press('ArrowDown');
		is((await picture(page)).volume, 0.9, 'arrows change the volume');
		await page.keyboard.press('f');
		ok(await until(() => page.evaluate(() => document.fullscreenElement !== null), 5), 'f fills the screen');
		await page.keyboard.press('f');
		ok(await until(() => page.evaluate(() => document.fullscreenElement === null), 5), 'and back');
		await page.keyboard.press('?');
		ok(await page.locator('#help-box').isVisible(), '? lists the keys');
		await shot(page, 'help');
		await page.keyboard.press('Escape');
		ok(!await page.locator('#help-box').isVisible(), 'Escape closes the list');
		await page.keyboard.press('q');
		ok(await page.locator('#quality-menu').isVisible(), 'q opens the menu');
		await page.keyboard.press('End');
		await page.keyboard.press('Enter');
		ok(await until(() => page.locator('#card').isVisible(), 5), 'and its last entry is sound alone, with a card');
		ok(await plays(page, 20, 2), 'which plays');
		is(await page.evaluate(() => document.activeElement.id), 'quality', 'the focus is back at the button');
		await page.keyboard.press('2');
		ok(await until(async () => (await picture(page)).height === 360, 20), '2 is the second best rung');
		await page.keyboard.press('0');
		ok(await until(async () => /^Auto/.test(await page.locator('#quality-now').textContent()), 5), '0 is auto');
	});
}

async function slates(browser) {
	await on(browser, {}, async (page) => {
		mock.starting = {};
		await page.goto(watch);
		ok(await plays(page, 20, 0.1), 'a channel that begins shows its slate');
		// so slowly that no machine is too slow to have the channel before the slates are over
		await page.evaluate(() => document.querySelector('video').playbackRate = 0.1);
		mock.starting.on = true;
		ok(await until(async () => (await picture(page)).time >= slates_s, 30), 'when it is on its own picture is shown');
		await page.evaluate(() => document.querySelector('video').playbackRate = 1);
		ok(await plays(page, 20, 1), 'and moves');
		const [slate, own] = await page.evaluate(() => {
			const { played } = document.querySelector('video');
			return [played.end(0), played.start(1)];
		});
		ok(slate < slates_s - 1, 'not after the rest of the slates');
		ok(own >= slates_s && own < slates_s + 0.5, 'but from where the channel begins');
		note(`of ${slates_s} s of slates ${slate.toFixed(1)} s were played, then from ${own.toFixed(2)} s on`);
		mock.starting = null;
	});
}

async function memory(browser) {
	await on(browser, {}, async (page) => {
		await page.goto(watch);
		await plays(page);
		await pick(page, '240p');
		await page.keyboard.press('ArrowDown');
		await page.keyboard.press('m');
		ok(await until(async () => (await picture(page)).height === 240, 20), 'a chosen rung is played');
		await page.reload();
		await plays(page);
		const now = await picture(page);
		is(now.height, 240, 'and again after a reload');
		ok(now.muted && now.volume === 0.95, 'with the same sound');
	});
	await on(browser, {}, async (page) => {
		await page.addInitScript(() => Object.defineProperty(navigator, 'connection',
			{ value: { saveData: true, effectiveType: '4g', downlink: 10 } }));
		await page.goto(watch);
		ok(await plays(page, 20, 6), 'with the data saver on it plays');
		is((await picture(page)).height, 360, 'and stays low');
		await page.locator('#stage').hover();
		await page.locator('#quality').click();
		ok(/Data saver/.test(await page.locator('#quality-note').textContent()), 'and says why');
	});
	await on(browser, {}, async (page) => {
		await page.goto(watch);
		await plays(page);
		await page.locator('#live.at-edge').waitFor({ timeout: 5000 });
		await page.evaluate(() => {
			const video = document.querySelector('video');
			video.playbackRate = 0.1;
		});
		ok(await until(() => page.locator('#live:not(.at-edge)').count(), 30), 'a picture that lags is not called live');
		await page.evaluate(() => {
			document.querySelector('video').playbackRate = 1;
		});
		await page.keyboard.press('l');
		ok(await until(() => page.locator('#live.at-edge').count(), 15), 'l goes back to live');
	});
}

await run(async () => {
	try {
		await mock.picture();
		const browser = await launch();
		for (const part of [listing, pictures, status, light, cramped, states, keyboard, slates, memory])
			await part(browser);
		await browser.close();
	} finally {
		await mock.stop();
	}
});
