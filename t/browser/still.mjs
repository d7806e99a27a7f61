#!/usr/bin/env node
// t/browser/still.mjs - the page goes on playing, whatever else happens: node still.mjs URL SECONDS
// SPDX-License-Identifier: BSD-2-Clause
// Says "# playing" when it does, and plays for so long from then.
import { desktop, launch, missing, open, picture, plays, until } from './lib/browser.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';

const [base, seconds] = process.argv.slice(2);
const reason = missing();
if (reason)
	skipAll(reason);

await run(async () => {
	const browser = await launch();
	const { page, errors, probe } = await open(browser, { viewport: desktop });
	await page.goto(`${base}/watch/live-1`);
	ok(await plays(page, 20), 'the channel plays');
	note('playing');
	const from = (await picture(page)).time;
	await until(async () => (await picture(page)).time - from >= Number(seconds), Number(seconds) + 30, 500);
	ok((await picture(page)).time - from >= Number(seconds), `for ${seconds} s`);
	const seen = await probe();
	is(seen.stalls.length, 0, 'without a stall');
	is(seen.faults.length, 0, 'without a fault on the page');
	is(errors.length, 0, 'and the console has nothing to complain of');
	note(JSON.stringify(seen), errors.join('\n'));
	await browser.close();
});
