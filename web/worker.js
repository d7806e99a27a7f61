// web/worker.js - the service worker: keeps what the pages are made of, so that they open at once and say in
// words that there is no connection. Media and answers of the API never pass through it.
// SPDX-License-Identifier: BSD-2-Clause
// /sw.js sets `shell`, the addresses of all parts, and imports this file: both carry the parts' version, so
// another version is another worker with a store of its own.

const prefix = 'sluice-';
const offline = '/offline';

// The part of an address that names the version: "/web/{version}/".
function folderOf(parts) {
	return /^\/web\/[0-9a-f]+\//.exec(parts[0] ?? '')?.[0] ?? null;
}

// What is kept of the shell. The player library is large, and the browser keeps it by itself.
function partsToKeep(parts) {
	return parts.filter((path) => folderOf(parts) !== null && path.startsWith(folderOf(parts))
		&& !path.endsWith('/hls.min.js'));
}

// What to do with a request: 'page', 'part', or 'nothing' - which is everything that plays.
function handlingOf({ method, mode, url }, origin, folder) {
	const { origin: asked, pathname } = new URL(url);
	if (method !== 'GET' || asked !== origin)
		return 'nothing';
	if (mode === 'navigate')
		return pathname.startsWith('/api/') ? 'nothing' : 'page';
	return folder !== null && pathname.startsWith(folder) ? 'part' : 'nothing';
}

const folder = folderOf(self.shell);
const store = prefix + folder;

async function install() {
	const cache = await caches.open(store);
	await cache.addAll([offline, ...partsToKeep(self.shell)]);
	await self.skipWaiting();
}

async function activate() {
	const names = await caches.keys();
	await Promise.all(names.filter((name) => name.startsWith(prefix) && name !== store)
		.map((name) => caches.delete(name)));
	await self.registration.navigationPreload?.enable();
	await self.clients.claim();
}

async function page(event) {
	try {
		return await event.preloadResponse ?? await fetch(event.request);
	} catch {
		return await caches.match(offline) ?? Response.error();
	}
}

async function part(request) {
	const cache = await caches.open(store);
	return await cache.match(request, { ignoreVary: true }) ?? fetch(request);
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('fetch', (event) => {
	const handling = handlingOf(event.request, self.location.origin, folder);
	if (handling === 'page')
		event.respondWith(page(event));
	else if (handling === 'part')
		event.respondWith(part(event.request));
});
