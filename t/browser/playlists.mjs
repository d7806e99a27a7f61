#!/usr/bin/env node
// t/browser/playlists.mjs - playlists watched by parsers not written here: node playlists.mjs URL [SECONDS]
// SPDX-License-Identifier: BSD-2-Clause
// Reads the master and every media playlist again and again and holds each against the one before
// (RFC 8216 sections 4.3 and 6.2).
import { has, need } from './lib/deps.mjs';
import { is, note, ok, run, skipAll } from './lib/tap.mjs';

const [base, seconds = '120'] = process.argv.slice(2);
for (const name of ['hls-parser', 'm3u8-parser']) {
	if (!has(name))
		skipAll(`${name} is not installed: npm ci in t/browser`);
}
const HLS = need('hls-parser');
const m3u8 = need('m3u8-parser');
const master = `${base}/api/hls/1/master.m3u8`;
const wrong = [];

function hold(good, what) {
	if (!good)
		wrong.push(what);
}

async function text(url) {
	for (let i = 0; ; i++) {
		const answer = await fetch(url);
		if (answer.status === 200)
			return answer.text();
		if (answer.status !== 503 || i === 10)
			throw new Error(`${url}: ${answer.status}`);
		await new Promise((go) => setTimeout(go, 1000));
	}
}

function parse(source) {
	const other = new m3u8.Parser();
	other.push(source);
	other.end();
	return { list: HLS.parse(source), other: other.manifest };
}

// One reload of a rendition against what was seen of it before.
async function reload(name, url, seen) {
	const { list, other } = parse(await text(url));
	const path = (segment) => new URL(segment.uri, url).pathname;
	hold(!list.isMasterPlaylist && !list.endlist, `${name}: it is a live media playlist`);
	hold(other.segments.length === list.segments.length, `${name}: two parsers see the same segments`);
	hold((seen.target ?? list.targetDuration) === list.targetDuration, `${name}: the target duration stays`);
	hold(list.mediaSequenceBase >= (seen.sequence ?? 0), `${name}: the media sequence never goes back`);
	hold((list.discontinuitySequenceBase ?? 0) >= (seen.discontinuity ?? 0),
		`${name}: nor does the discontinuity sequence`);
	list.segments.forEach((segment, i) => {
		const n = list.mediaSequenceBase + i;
		hold(Math.round(segment.duration) <= list.targetDuration, `${name}: ${n} is no longer than the target`);
		const known = seen.segments.get(n);
		hold(!known || (known.path === path(segment) && known.duration === segment.duration),
			`${name}: ${n} stays what it was`);
		if (!known)
			seen.fresh.push(new URL(segment.uri, url).href);
		seen.segments.set(n, { path: path(segment), duration: segment.duration });
	});
	const date = list.segments[0].programDateTime;
	hold(date instanceof Date, `${name}: the first segment has a date`);
	const first = seen.dates.get(list.mediaSequenceBase);
	hold(!first || Math.abs(first - date) < 100, `${name}: a segment keeps its date`);
	let at = date.getTime();
	list.segments.forEach((segment, i) => {
		at = segment.programDateTime?.getTime() ?? at;
		seen.dates.set(list.mediaSequenceBase + i, new Date(at));
		at += segment.duration * 1000;
	});
	Object.assign(seen, { target: list.targetDuration, sequence: list.mediaSequenceBase,
		discontinuity: list.discontinuitySequenceBase ?? 0 });
}

await run(async () => {
	const list = HLS.parse(await text(master));
	ok(list.isMasterPlaylist, 'the master is one');
	ok(list.variants.length >= 4, 'with its variants');
	ok(list.variants.every(({ bandwidth, codecs }) => bandwidth > 0 && codecs), 'each with bandwidth and codecs');
	ok(list.variants.some(({ resolution }) => !resolution), 'and sound alone among them');
	const renditions = list.variants.map(({ uri }) => ({ name: uri, url: new URL(uri, master).href,
		seen: { segments: new Map(), dates: new Map(), fresh: [] } }));
	const end = Date.now() + Number(seconds) * 1000;
	let reloads = 0;
	let fetched = 0;
	while (Date.now() < end) {
		for (const { name, url, seen } of renditions) {
			await reload(name, url, seen);
			reloads++;
			for (const segment of seen.fresh.splice(0)) {
				const answer = await fetch(segment, { method: 'HEAD' });
				hold(answer.status === 200 && Number(answer.headers.get('content-length')) > 0, `${segment} is there`);
				fetched++;
			}
		}
		await new Promise((go) => setTimeout(go, 500));
	}
	note(`${reloads} reloads, ${fetched} segments in ${seconds} s`);
	ok(fetched >= renditions.length * Number(seconds) / 2.5, 'segments came at the pace of time');
	is(wrong.length, 0, 'and nothing was wrong with any playlist');
	note([...new Set(wrong)].slice(0, 20).join('\n'));
});
