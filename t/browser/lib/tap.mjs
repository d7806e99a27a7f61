// t/browser/lib/tap.mjs - prints TAP, as the tests in C do.
// SPDX-License-Identifier: BSD-2-Clause

let count = 0;
let failed = 0;

export function ok(good, name) {
	count++;
	if (!good)
		failed++;
	console.log(`${good ? 'ok' : 'not ok'} ${count} - ${name.replace(/[#\n]/g, ' ')}`);
	return Boolean(good);
}

export function is(got, want, name) {
	const same = ok(Object.is(got, want), name);
	if (!same)
		note(`got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
	return same;
}

export function note(text) {
	for (const line of String(text).split('\n'))
		console.log(`# ${line}`);
}

export function skipAll(reason) {
	console.log(`1..0 # SKIP ${reason}`);
	process.exit(0);
}

// Runs the whole test; an exception is a failure with its place.
export async function run(body) {
	try {
		await body();
	} catch (error) {
		ok(false, `went on to the end: ${error.message.split('\n')[0]}`);
		note(error.stack ?? error);
	}
	console.log(`1..${count}`);
	process.exit(failed === 0 ? 0 : 1);
}
