// web/api.js - asks the service; every failure comes back as a Fault.
// SPDX-License-Identifier: BSD-2-Clause
import { Fault, faultFromAnswer, faultFromSilence } from './fault.js';

const wait_ms = 12000;

// Runs fetch with a time limit. Throws a Fault, or the AbortError of `signal`.
async function ask(path, { signal, waitMs = wait_ms, headers, read }) {
	const inner = new AbortController();
	const stop = () => inner.abort();
	const timer = setTimeout(stop, waitMs);
	signal?.addEventListener('abort', stop);
	try {
		const answer = await fetch(path, { signal: inner.signal, credentials: 'same-origin',
			headers: { Accept: 'application/json', ...headers }, cache: 'no-store' });
		if (!answer.ok)
			throw faultFromAnswer(answer.status, answer.headers.get('Retry-After'),
				await answer.text().catch(() => ''));
		return await read(answer);
	} catch (error) {
		if (error instanceof Fault || signal?.aborted)
			throw error;
		throw faultFromSilence(navigator.onLine, inner.signal.aborted);
	} finally {
		clearTimeout(timer);
		signal?.removeEventListener('abort', stop);
	}
}

function readJson(answer) {
	return answer.json().catch(() => {
		throw new Fault('server', { status: answer.status });
	});
}

// One channel: {streamId, name, url, quality, qualities, logo, now, status}.
export function liveChannel(id, options = {}) {
	return ask(`/api/live/${encodeURIComponent(id)}`, { ...options, read: readJson });
}

// One film or episode: {id, title, duration, mode, url, qualities, subtitles, audioTracks, …}; `plays` says what
// is played as it is (plays.js). Who asks first waits for its index.
export function film(id, plays, options = {}) {
	const query = new URLSearchParams(plays ? { plays } : {});
	return ask(`/api/stream/vod/${encodeURIComponent(id)}?${query}`, { ...options, read: readJson });
}

// A page of channels: {channels, categories, nextCursor}.
export function liveChannels(which, options = {}) {
	return page('/api/live', which, options);
}

// A page of films: {movies, categories, nextCursor}.
export function movies(which, options = {}) {
	return page('/api/movies', which, options);
}

// A page of series: {series, categories, nextCursor}.
export function series(which, options = {}) {
	return page('/api/series', which, options);
}

// A page of the episodes of `which.series`: {id, name, plot, page, seasons, nextCursor}. Who asks first waits
// for the source.
export function episodes(which, options = {}) {
	return page(`/api/series/${encodeURIComponent(which.series)}`, which, options);
}

function page(path, { q = '', category = '', cursor = '', limit = 60 }, options) {
	const query = new URLSearchParams({ limit: String(limit) });
	for (const [name, value] of Object.entries({ q, category, cursor }))
		if (value)
			query.set(name, value);
	return ask(`${path}?${query}`, { ...options, read: readJson });
}

// The service's sources and the channels that are on: {sources, channels}.
export function serviceStatus(options = {}) {
	return ask('/api/status', { ...options, read: readJson });
}

// Resolves when the address answers, throws the Fault when it does not: for players that say only
// that something went wrong.
export function probe(url, options = {}) {
	return ask(url, { ...options, read: () => true });
}
