// web/fault.js - what can go wrong, as a value: a kind, the server's own sentence, when to try again.
// SPDX-License-Identifier: BSD-2-Clause

const longest_wait_s = 300;

// Kinds: offline network timeout · input unauthorised forbidden unknown changed limited busy starting
// source server · media unsupported silent.
export class Fault extends Error {
	constructor(kind, { status = 0, text = '', retryAfterS = null, requestId = '' } = {}) {
		super(`${kind}${status ? ` (${status})` : ''}`);
		this.kind = kind;
		this.status = status;
		this.text = text;
		this.retryAfterS = retryAfterS;
		this.requestId = requestId;
	}
}

const kinds = new Map([
	[400, 'input'], [401, 'unauthorised'], [403, 'forbidden'], [404, 'unknown'], [410, 'unknown'],
	[408, 'timeout'], [429, 'limited'], [502, 'source'], [503, 'busy'], [504, 'source'],
]);

// Retry-After in seconds or as a date (RFC 9110 section 10.2.3); null when absent or unreadable.
export function parseRetryAfter(value, nowMs = Date.now()) {
	if (value === null || value === undefined || value === '')
		return null;
	const text = String(value).trim();
	const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - nowMs) / 1000;
	if (!Number.isFinite(seconds))
		return null;
	return Math.min(longest_wait_s, Math.max(1, Math.ceil(seconds)));
}

function parseBody(body) {
	try {
		const error = JSON.parse(body)?.error;
		return error && typeof error === 'object' ? error : {};
	} catch {
		return {};	// a front server's own page, not ours
	}
}

// A fault for an answer that is none: `body` is its text, `retryAfter` the header or null.
export function faultFromAnswer(status, retryAfter, body = '') {
	const error = parseBody(body);
	let kind = kinds.get(status) ?? (status >= 500 ? 'server' : 'input');
	if (status === 503 && (error.code === 'starting' || /is starting/.test(error.message ?? '')))
		kind = 'starting';
	else if (error.code === 'changed')	// a film has a new version
		kind = 'changed';
	return new Fault(kind, {
		status,
		text: typeof error.message === 'string' ? error.message.slice(0, 240) : '',
		retryAfterS: parseRetryAfter(retryAfter ?? error.retryAfter),
		requestId: typeof error.requestId === 'string' ? error.requestId.slice(0, 64) : '',
	});
}

// A fault for a request that got no answer at all.
export function faultFromSilence(online, timedOut) {
	if (!online)
		return new Fault('offline');
	return new Fault(timedOut ? 'timeout' : 'network');
}
