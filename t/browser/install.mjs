#!/usr/bin/env node
// t/browser/install.mjs - the pages as an installed program: node install.mjs URL ID [FOLDER]
// SPDX-License-Identifier: BSD-2-Clause
// The manifest, the service worker and what it keeps; what it says without a connection.
import { launch, missing, open, plays, until } from './lib/browser.mjs';
import { is, ok, run, skipAll } from './lib/tap.mjs';

const [base, id, folder] = process.argv.slice(2);
const reason = missing();
if (reason)
	skipAll(reason);

async function manifest(page) {
	const session = await page.context().newCDPSession(page);
	const { errors, data } = await session.send('Page.getAppManifest');
	is(errors.map((error) => error.message).join(' '), '', 'the browser has nothing against the manifest');
	const said = JSON.parse(data);
	ok(said.name.length > 0 && said.start_url === '/' && said.display === 'standalone', 'it has a name and where to begin');
	for (const { src, sizes, type } of said.icons) {
		const size = await page.evaluate(async (address) => {
			const image = new Image();
			image.src = address;
			await image.decode();
			return `${image.naturalWidth}x${image.naturalHeight}`;
		}, src);
		ok(sizes === 'any' || size === sizes, `${src.split('/').pop()} is a picture of ${sizes}`);
		ok((await fetch(base + src)).headers.get('Content-Type') === type, `of ${type}`);
	}
	const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
	is(installabilityErrors.map((error) => error.errorId).filter((what) => what !== 'in-incognito').join(' '), '',
		'and the pages can be installed');
}

// What the service worker keeps: [path, …].
const kept = (page) => page.evaluate(async () => {
	const names = await caches.keys();
	const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
	return requests.flat().map((request) => new URL(request.url).pathname);
});

async function worker(page) {
	ok(await until(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state === 'activated'), 30),
		'a service worker is there');
	const paths = await kept(page);
	const html = await (await fetch(`${base}/`)).text();
	const [folderOfParts] = /\/web\/[0-9a-f]+\//.exec(html);
	const parts = [...html.matchAll(/(?:src|href)="(\/web\/[^"]+)"/g)].map((match) => match[1]);
	is(parts.filter((part) => !paths.includes(part)).join(' '), '', 'it keeps the parts of the pages');
	is(paths.filter((path) => path !== '/offline' && !path.startsWith(folderOfParts)).join(' '), '', 'and nothing else');
	ok(!paths.some((path) => /hls\.min\.js$/.test(path)), 'not the player library');
}

async function nothingThatPlays(page) {
	await page.goto(`${base}/watch/${id}`);
	ok(await plays(page, 40), 'a film plays');
	ok(await page.evaluate(() => navigator.serviceWorker.controller !== null), 'on a page of the worker');
	const seen = await page.evaluate(() => performance.getEntriesByType('resource')
		.map(({ name, workerStart }) => ({ path: new URL(name).pathname, worker: workerStart > 0 })));
	ok(seen.some(({ path }) => /\.m4s$|\/api\/stream\//.test(path)), 'its bytes were asked for');
	is((await kept(page)).filter((path) => /^\/(api|tv|g|cdn)\//.test(path)).join(' '), '', 'and not kept');
}

// The server is out of reach for page and worker.
async function cut(page, off) {
	const session = await page.context().newCDPSession(page);
	await session.send('Network.enable');
	await page.context().setOffline(off);
}

async function offline(page) {
	await page.goto(`${base}/`);
	await cut(page, true);
	await page.goto(`${base}/watch/${id}`).catch(() => {});
	ok(await until(async () => /You are offline/.test(await page.locator('body').textContent()), 10), 'without a connection it says so in words');
	ok(await page.evaluate(() => getComputedStyle(document.body).margin) === '0px', 'with the look of the other pages');
	if (folder)
		await page.screenshot({ path: `${folder}/offline.png` });
	await cut(page, false);
	ok(await until(() => page.locator('#stage').count(), 30), 'and goes on to the page by itself');
	ok(await plays(page, 40), 'which plays');
}

// The next version of the parts takes the place of the one before.
async function renewal(page) {
	const script = await (await fetch(`${base}/sw.js`)).text();
	const [, version] = /\/web\/([0-9a-f]+)\//.exec(script);
	is((await fetch(`${base}/sw.js`)).headers.get('Cache-Control'), 'no-cache', 'the worker is asked for anew each time');
	const names = () => page.evaluate(() => caches.keys());
	is((await names()).join(' '), `sluice-/web/${version}/`, 'what it keeps is called by its version');
	await page.evaluate(() => caches.open('sluice-/web/0123456789abcdef/'));
	await page.evaluate(async () => {
		await (await navigator.serviceWorker.getRegistration()).unregister();
	});
	await page.goto(`${base}/`);
	ok(await until(async () => (await names()).join(' ') === `sluice-/web/${version}/`, 30), 'and another version\'s goes');
}

await run(async () => {
	const browser = await launch();
	const { page, errors, close } = await open(browser);
	await page.goto(`${base}/`);
	await manifest(page);
	await worker(page);
	await nothingThatPlays(page);
	await offline(page);
	await renewal(page);
	is(errors.filter((text) => !/ERR_INTERNET_DISCONNECTED|status of (404|503)/.test(text)).join(' '), '', 'the console has nothing to complain of');
	await close();
	await browser.close();
});
