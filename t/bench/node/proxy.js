// t/bench/node/proxy.js - what the bench compares streams with: node that passes on what lies elsewhere.
// SPDX-License-Identifier: BSD-2-Clause
//
// As such a server is usually written: what is asked for is asked of the origin and piped through; an
// object that came whole is kept in memory, and parts of it are cut from there.
import http from 'node:http';

const KEPT_BYTES = 256 * 1024 * 1024;
const agent = new http.Agent({ keepAlive: true });
const kept = new Map();
let keptBytes = 0;

function keep(path, type, body) {
	if (kept.has(path) || body.length > KEPT_BYTES / 4) return;
	kept.set(path, { type, body });
	keptBytes += body.length;
	for (const [oldest, { body: bytes }] of kept) {
		if (keptBytes <= KEPT_BYTES) break;
		kept.delete(oldest);
		keptBytes -= bytes.length;
	}
}

function answerKept(request, response, { type, body }) {
	const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
	const first = asked ? Number(asked[1]) : 0;
	const last = Math.min(asked?.[2] ? Number(asked[2]) : Infinity, body.length - 1);
	response.writeHead(asked ? 206 : 200, {
		'Content-Type': type, 'Content-Length': last - first + 1, 'Accept-Ranges': 'bytes',
		...(asked && { 'Content-Range': `bytes ${first}-${last}/${body.length}` }),
	});
	response.end(body.subarray(first, last + 1));
}

function pass(request, response) {
	const { range } = request.headers;
	const upstream = http.get({
		host: '127.0.0.1', port: process.env.ORIGIN, path: request.url, agent, headers: range ? { range } : {},
	}, (answer) => {
		const parts = [];
		const headers = {};
		for (const name of ['content-type', 'content-length', 'content-range', 'accept-ranges', 'last-modified'])
			if (answer.headers[name]) headers[name] = answer.headers[name];
		response.writeHead(answer.statusCode, headers);
		if (answer.statusCode === 200) {
			answer.on('data', (bytes) => parts.push(bytes));
			answer.on('end', () => keep(request.url, headers['content-type'], Buffer.concat(parts)));
		}
		answer.pipe(response);
	});
	upstream.on('error', () => response.destroy());
	response.on('close', () => upstream.destroy());
}

http.createServer((request, response) => {
	const entry = kept.get(request.url);
	if (entry) answerKept(request, response, entry);
	else pass(request, response);
}).listen(Number(process.env.PORT), '127.0.0.1');
