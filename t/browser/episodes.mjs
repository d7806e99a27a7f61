#!/usr/bin/env node
// t/browser/episodes.mjs - a series on the front page, and one episode after another: node episodes.mjs URL SERIES-ID [FOLDER]
// SPDX-License-Identifier: BSD-2-Clause
// The series has two seasons, of two episodes and of one. Screenshots go to FOLDER.
import { launch, missing, open, phone, plays, until } from './lib/browser.mjs';
import { is, ok, run, skipAll } from './lib/tap.mjs';

const [base, id, folder] = process.argv.slice(2);
const reason = missing();
if (reason)
	skipAll(reason);

async function shot(page, name) {
	if (folder)
		await page.screenshot({ path: `${folder}/${name}.png` });
}

const text = (page, selector) => page.locator(selector).textContent();

async function listing(page) {
	await page.goto(`${base}/`);
	ok(await until(() => page.locator('#kinds a[data-kind="series"]').isVisible(), 10), 'series are offered beside films');
	await page.locator('#kinds a[data-kind="series"]').click();
	ok(await until(() => page.locator(`#list [data-id="${id}"]`).count(), 10), 'and listed');
	is(await text(page, '#count'), '1 series', 'counted');
	ok(/show=series/.test(page.url()), 'under an address of their own');
	await page.locator('#q').fill('zzz');
	ok(await until(() => page.locator('#notice').isVisible(), 10), 'they can be searched');
	await page.locator('#q').fill('long');
	ok(await until(() => page.locator(`#list [data-id="${id}"]`).count(), 10), 'by name');
	await shot(page, 'series');
	await page.locator(`#list [data-id="${id}"] a`).click();
	ok(await until(async () => await page.locator('#list .episode').count() === 3, 10), 'one of them lists its episodes');
	is(await text(page, '#title'), 'Long Story', 'under its name');
	is((await page.locator('#list h2').allTextContents()).join(), 'Season 1,Season 2', 'by season');
	ok(!await page.locator('#filters').isVisible(), 'with nothing to search in');
	is(await page.locator('#kinds a[aria-current]').textContent(), 'Series', 'and leads back to all series');
	await shot(page, 'series-episodes');
	await page.locator('#list .episode a').first().focus();
	await page.keyboard.press('Enter');
	await page.waitForURL(/\/watch\/ep-/);
}

const ends = (page) => page.evaluate(() => {
	const video = document.querySelector('video');
	video.currentTime = video.duration - 0.3;
});

const playsAs = (page, name) => until(async () => (await text(page, '#name')).includes(name) && plays(page, 10), 40);

async function one(page) {
	ok(await playsAs(page, 'Long Story S01E01'), 'an episode plays under the name of its series and its own');
	ok(await until(() => page.locator('#next').isVisible(), 10), 'the next one is offered');
	is(await page.locator('#next').getAttribute('aria-label'), 'Next episode: Season 1, episode 2: Second', 'by its name');
	is(await text(page, '#rail-title'), 'Season 1', 'the others of its season are below');
	is(await page.locator('#rail-list .episode').count(), 2, 'which has two');
	is(await text(page, '#rail-list [aria-current="page"] .channel-name'), '1. First', 'this one marked');
	is(await page.locator('#up').getAttribute('href'), `/?series=${id}`, 'and all of them a click away');
	await shot(page, 'episode');
}

async function next(page) {
	await page.keyboard.press('f');
	await until(() => page.evaluate(() => document.fullscreenElement !== null), 5);
	await ends(page);
	ok(await until(() => page.locator('#next-up').isVisible(), 20, 20), 'at its end the next one is announced');
	is(await text(page, '#next-name'), 'Season 1, episode 2: Second', 'by name');
	ok(/^It begins in \d+ s$/.test(await text(page, '#next-wait')), 'with the time that is left');
	ok(!await page.locator('#refused').isVisible(), 'in the place of the big button');
	await shot(page, 'episode-next');
	await page.locator('#next-stay').click();
	ok(!await page.locator('#next-up').isVisible() && await page.locator('#refused').isVisible(), 'one can stay');
	await page.locator('#bigplay').click();
	ok(await plays(page, 20), 'and see it again');
	await ends(page);
	ok(await playsAs(page, 'Long Story S01E02'), 'or wait: it begins by itself');
	ok(!await page.locator('#next-up').isVisible(), 'and the announcement goes');
	ok(await page.evaluate(() => document.fullscreenElement !== null), 'the screen stays full');
	const at = await page.evaluate(() => document.querySelector('video').currentTime);
	ok(at < 15, `from its start: ${at.toFixed(1)} s`);
	await page.keyboard.press('f');
	is(await page.locator('#next').getAttribute('aria-label'), 'Next episode: Season 2, episode 1: Third', 'the next is of the next season');
	await page.keyboard.press('n');
	ok(await playsAs(page, 'Long Story S02E01'), 'a key goes there');
	ok(await until(async () => await text(page, '#rail-title') === 'Season 2', 10), 'whose episodes are listed then');
	ok(!await page.locator('#next').isVisible(), 'after the last there is none');
	await ends(page);
	ok(await until(() => page.locator('#refused').isVisible(), 20), 'and it just ends');
	ok(!await page.locator('#next-up').isVisible(), 'with nothing announced');
	await page.goBack();
	ok(await playsAs(page, 'Long Story S01E02'), 'the way back leads back');
	ok(/\/watch\/ep-/.test(page.url()) && /S01E02/.test(await page.title()), 'in address and title');
}

async function small(browser) {
	const { page, close } = await open(browser, { viewport: { width: 320, height: phone.height } });
	for (const address of [`${base}/?show=series`, `${base}/?series=${id}`]) {
		await page.goto(address);
		await until(() => page.locator('#list [data-id]').count(), 10);
		ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${address.slice(base.length)} is not wider than a small screen`);
	}
	await close();
}

await run(async () => {
	const browser = await launch();
	const { page, errors, probe, close } = await open(browser, {});
	await listing(page);
	await one(page);
	await next(page);
	is((await probe()).faults.join(' '), '', 'the page had nothing to complain of');
	is(errors.filter((said) => !/status of (404|503)/.test(said)).join(' '), '', 'nor the console');
	await close();
	await small(browser);
	await browser.close();
});
