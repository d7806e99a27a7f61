// t/browser/mock.mjs - a small server with the page, the JSON and a live test picture of its own, whose
// answers can be spoilt: for the tests of what the page says when things go wrong.
// SPDX-License-Identifier: BSD-2-Clause
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { hlsFile, web } from './lib/deps.mjs';

const run = '00112233445566778899aabbccddeeff';
const types = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml', ts: 'video/mp2t',
	m3u8: 'application/vnd.apple.mpegurl' };

export const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const rungs = [
	{ name: '720p', width: 1280, height: 720, bandwidth: 2500000, rate: '1500k' },
	{ name: '360p', width: 640, height: 360, bandwidth: 600000, rate: '450k' },
	{ name: '240p', width: 426, height: 240, bandwidth: 350000, rate: '200k' },
	{ name: 'audio', width: 0, height: 0, bandwidth: 140000, rate: '' },
];

function encode(dir) {
	const video = rungs.filter((r) => r.height > 0);
	const outs = video.map((_, i) => `[s${i}]`).join('');
	const scales = video.map((r, i) => `[s${i}]scale=${r.width}:${r.height}[v${i}]`).join(';');
	const args = ['-nostdin', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=s=1280x720:r=25',
		'-re', '-f', 'lavfi', '-i', 'sine=frequency=330:sample_rate=48000', '-filter_complex',
		`[0:v]split=${video.length}${outs};${scales}`];
	video.forEach((r, i) => args.push('-map', `[v${i}]`, '-map', '1:a', `-b:v:${i}`, r.rate,
		`-maxrate:v:${i}`, r.rate, `-bufsize:v:${i}`, r.rate));
	args.push('-map', '1:a', '-c:v', 'libx264', '-preset', 'ultrafast', '-threads:v', '1', '-g', '50',
		'-sc_threshold', '0', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '96k',
		'-f', 'hls', '-hls_time', '2', '-hls_list_size', '8', '-hls_delete_threshold', '6',
		'-hls_flags', 'independent_segments+delete_segments+temp_file+program_date_time+omit_endlist',
		'-var_stream_map', rungs.map((r, i) =>
			(r.height > 0 ? `v:${i},a:${i},name:${r.name}` : `a:${i},name:${r.name}`)).join(' '),
		'-hls_segment_filename', `${dir}/%v/%d.ts`, `${dir}/%v/index.m3u8`);
	return spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const kinds = ['News', 'Sport', 'Films', 'Music', 'Children', 'Documentaries'];
const words = ['Harbour', 'Meridian', 'Kite', 'Northern', 'Lumen', 'Orchard', 'Atlas', 'Pulse', 'Vista', 'Ember'];

export function inventChannels(count) {
	return Array.from({ length: count }, (_, i) => {
		const n = i + 1;
		return { id: `live-${n}`, streamId: String(n), number: n, category: kinds[i % kinds.length],
			name: n <= 3 ? `Test picture ${n}` : `${words[i % words.length]} ${kinds[i % kinds.length]} HD`,
			logo: n % 4 === 2 || n % 7 === 3 ? `/cdn/art/live-${n}` : null,
			url: `/api/hls/${n}/master.m3u8`, page: `/watch/live-${n}`,
			status: n === 1 ? 'on' : n === 2 ? 'starting' : 'off', now: null };
	});
}

export class Mock {
	constructor({ channels = inventChannels(150), picture = true, site = {} } = {}) {
		this.channels = channels;
		this.site = { site_name: 'Sluice', site_logo: '', site_colour: '#1d6ff2', ...site };
		this.sources = [];
		this.rules = [];
		this.hits = [];
		this.hls = hlsFile();
		this.wantsPicture = picture;
		this.starting = null;	// a channel that begins: {last: number of its last slate, on: the channel has begun}
	}

	async start(port = 0) {
		this.dir = mkdtempSync(join(tmpdir(), 'sluice-mock-'));
		if (this.wantsPicture)
			this.encoder = encode(this.dir);
		this.server = createServer((rq, rs) => this.answer(rq, rs));
		await new Promise((go) => this.server.listen(port, '127.0.0.1', go));
		this.url = `http://127.0.0.1:${this.server.address().port}`;
		return this;
	}

	// Resolves when a player could begin, rejects after `seconds`.
	async picture(seconds = 40) {
		const end = Date.now() + seconds * 1000;
		while (!existsSync(join(this.dir, '720p/3.ts')) || !existsSync(join(this.dir, 'audio/3.ts'))) {
			if (Date.now() > end)
				throw new Error('ffmpeg made no picture');
			await new Promise((go) => setTimeout(go, 200));
		}
	}

	// The next answers below `match` are spoilt: {status, headers, body, delayMs, drop, corrupt, times}.
	spoil(match, rule) {
		this.rules.push({ match, times: Infinity, ...rule });
	}

	heal() {
		this.rules = [];
	}

	count(match) {
		return this.hits.filter((h) => match.test(h)).length;
	}

	async stop() {
		this.encoder?.kill('SIGKILL');
		this.server.closeAllConnections();
		await new Promise((go) => this.server.close(go));
		rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
	}

	async answer(rq, rs) {
		const url = new URL(rq.url, 'http://mock');
		this.hits.push(url.pathname);
		const rule = this.rules.find((r) => r.match.test(url.pathname) && r.times > 0);
		if (rule) {
			rule.times--;
			if (await this.spoilt(rule, url, rs))
				return;
		}
		this.route(url, rs);
	}

	// True when the rule was the whole answer.
	async spoilt(rule, url, rs) {
		if (rule.delayMs)
			await new Promise((go) => setTimeout(go, rule.delayMs));
		if (rule.drop) {
			rs.destroy();
			return true;
		}
		if (rule.corrupt) {
			const bytes = Buffer.from(this.segment(url.pathname) ?? '');
			for (let i = 1500; i < bytes.length; i += 3)
				bytes[i] ^= 0x5a;
			this.send(rs, 200, bytes, types.ts);
			return true;
		}
		if (!rule.status)
			return false;
		const body = rule.body ?? JSON.stringify({ error: { code: 'spoilt', message: '' } });
		this.send(rs, rule.status, body, 'application/json', rule.headers);
		return true;
	}

	send(rs, status, body, type, headers = {}) {
		rs.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...headers });
		rs.end(body);
	}

	json(rs, status, value) {
		this.send(rs, status, JSON.stringify(value), 'application/json');
	}

	lost(rs) {
		this.json(rs, 404, { error: { code: 'unknown', message: 'There is nothing at this address.',
			retryAfter: null, requestId: 'mock' } });
	}

	route(url, rs) {
		const path = url.pathname;
		const parts = path.split('/').slice(1);
		if (path === '/')
			this.page(rs, 'index.html', {});
		else if (path === '/status')
			this.page(rs, 'status.html', {});
		else if (path === '/api/status')
			this.json(rs, 200, { sources: this.sources, channels: [] });
		else if (path === '/api/movies')
			this.json(rs, 200, { movies: [], categories: [], nextCursor: null });
		else if (path === '/api/series')
			this.json(rs, 200, { series: [], categories: [], nextCursor: null });
		else if (path === '/manifest.webmanifest')
			this.send(rs, 200, '{}', 'application/manifest+json');
		else if (path === '/sw.js')
			this.send(rs, 200, '', types.js);
		else if (parts[0] === 'watch')
			this.page(rs, 'watch.html', { id: parts[1], title: this.find(parts[1])?.name ?? '' });
		else if (parts[0] === 'web')
			this.asset(rs, parts[2]);
		else if (/^\/cdn\/art\/live-\d*[02468]$/.test(path))
			this.asset(rs, 'icon.svg');
		else if (path === '/api/live')
			this.list(url.searchParams, rs);
		else if (path.startsWith('/api/live/'))
			this.channel(rs, parts[2]);
		else if (path.startsWith('/api/hls/'))
			this.playlist(rs, parts[3]);
		else if (parts[0] === 'tv' && this.segment(path))
			this.send(rs, 200, this.segment(path), types.ts);
		else
			this.lost(rs);
	}

	page(rs, file, values) {
		const all = { ...this.site, assets: '/web/mock', hls: this.hls ? '/web/mock/hls.min.js' : '', ...values };
		const html = readFileSync(join(web, file), 'utf8')
			.replace(/\{\{(\w+)\}\}/g, (_, name) => escape(all[name]));
		this.send(rs, 200, html, 'text/html; charset=utf-8', { 'Content-Security-Policy': csp });
	}

	asset(rs, name) {
		const file = name === 'hls.min.js' ? this.hls : join(web, basename(name ?? ''));
		if (!file || !existsSync(file) || !statSync(file).isFile()) {
			this.lost(rs);
			return;
		}
		this.send(rs, 200, readFileSync(file), types[name.split('.').pop()] ?? 'text/plain');
	}

	find(id) {
		return this.channels.find((c) => c.id === id || c.streamId === id);
	}

	list(query, rs) {
		const q = (query.get('q') ?? '').toLowerCase();
		const category = query.get('category');
		const found = this.channels.filter((c) => c.name.toLowerCase().includes(q)
			&& (!category || c.category === category));
		const from = Number(query.get('cursor') ?? 0);
		const to = from + Number(query.get('limit') ?? 50);
		this.json(rs, 200, { channels: found.slice(from, to),
			categories: [...new Set(this.channels.map((c) => c.category))],
			nextCursor: to < found.length ? String(to) : null });
	}

	channel(rs, id) {
		const channel = this.find(id);
		if (!channel) {
			this.lost(rs);
			return;
		}
		const qualities = rungs.map(({ name, width, height, bandwidth }) =>
			({ name, width, height, bandwidth, url: `/api/hls/${channel.streamId}/${name}.m3u8` }));
		this.json(rs, 200, { streamId: channel.streamId, name: channel.name, url: channel.url, quality: '720p',
			qualities, direct: null, token: { cached: true, expiresAt: null }, logo: channel.logo,
			now: null, status: channel.status });
	}

	playlist(rs, name) {
		if (name === 'master.m3u8') {
			this.send(rs, 200, master(), types.m3u8);
			return;
		}
		const rung = name?.replace('.m3u8', '');
		const file = join(this.dir, basename(rung ?? ''), 'index.m3u8');
		if (!existsSync(file)) {
			this.lost(rs);
			return;
		}
		const text = readFileSync(file, 'utf8');
		this.send(rs, 200, (this.starting ? begun(text, this.starting) : text)
			.replace(/^(\d+\.ts)$/gm, `/tv/live-1/${run}/${rung}/$1`), types.m3u8);
	}

	segment(path) {
		const match = /^\/tv\/live-1\/[0-9a-f]{32}\/(\w+)\/(\d+\.ts)$/.exec(path);
		const file = match ? join(this.dir, match[1], match[2]) : '';
		return match && existsSync(file) ? readFileSync(file) : null;
	}
}

// The list of a channel that begins: three segments as slates, and what comes after them only when it is on.
function begun(text, starting) {
	const [, head, rest] = /^(.*?\n)(#EXT(?:INF|-X-PROGRAM).*)$/s.exec(text);
	const entries = rest.match(/(?:#.*\n)*\d+\.ts\n/g).map((entry) => [Number(/(\d+)\.ts\n$/.exec(entry)[1]), entry]);
	starting.last ??= entries.at(-1)[0];
	const listed = entries.filter(([n]) => n > starting.last - 3 && (starting.on || n <= starting.last));
	return head.replace(/(MEDIA-SEQUENCE:)\d+/, `$1${listed[0][0]}`) + listed.map(([n, entry]) =>
		(n > starting.last ? entry.replace(/^/, n === starting.last + 1 ? '#EXT-X-DISCONTINUITY\n' : '')
			: entry.replace(/(#EXTINF:[\d.]+,)/, '$1slate'))).join('');
}

function master() {
	const lines = ['#EXTM3U', '#EXT-X-VERSION:6', '#EXT-X-INDEPENDENT-SEGMENTS'];
	for (const r of rungs) {
		const shape = r.height > 0 ? `,RESOLUTION=${r.width}x${r.height},FRAME-RATE=25.000` : '';
		const codecs = r.height > 0 ? 'avc1.64001f,mp4a.40.2' : 'mp4a.40.2';
		lines.push(`#EXT-X-STREAM-INF:BANDWIDTH=${r.bandwidth}${shape},CODECS="${codecs}"`, `${r.name}.m3u8`);
	}
	return `${lines.join('\n')}\n`;
}

// node mock.mjs [PORT] - to look at the page by hand.
if (process.argv[1] === import.meta.filename || process.argv[1]?.endsWith('/mock.mjs')) {
	const mock = await new Mock().start(Number(process.argv[2] ?? 0));
	console.log(mock.url);
	process.on('SIGINT', () => mock.stop().then(() => process.exit(0)));
	process.on('SIGTERM', () => mock.stop().then(() => process.exit(0)));
}
