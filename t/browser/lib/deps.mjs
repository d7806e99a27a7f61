// t/browser/lib/deps.mjs - finds what npm installed, here or where the build put it.
// SPDX-License-Identifier: BSD-2-Clause
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(dirname(fileURLToPath(import.meta.url)));

export const source = dirname(dirname(here));

// The pages as the build put them together.
export const web = resolve(process.env.SLUICE_BUILDDIR ?? '.', 'web/site');

// SLUICE_BROWSER_DEPS: the folder that holds node_modules for these tests.
const require = createRequire(join(resolve(process.env.SLUICE_BROWSER_DEPS ?? here), 'package.json'));

export function need(name) {
	return require(name);
}

export function has(name) {
	try {
		require.resolve(name);
		return true;
	} catch {
		return false;
	}
}

// The file of hls.js: SLUICE_HLS_JS, or what the build put beside the pages.
export function hlsFile() {
	const file = process.env.SLUICE_HLS_JS ?? join(web, 'hls.min.js');
	return existsSync(file) ? file : null;
}
