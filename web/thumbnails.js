// web/thumbnails.js - pictures for the seek bar: parts of large sheets, listed in WebVTT.
// SPDX-License-Identifier: BSD-2-Clause

const most = 20000;		// no film has more; a list that has is none of ours
const again_ms = 2000;		// a sheet that is being made
const tries = 5;

function seconds(text) {
	const match = /^(?:(\d+):)?(\d\d):(\d\d)\.(\d{3})$/.exec(text);
	return match ? (match[1] ?? 0) * 3600 + match[2] * 60 + Number(match[3]) + match[4] / 1000 : null;
}

function sameOrigin(address, base) {
	try {
		const url = new URL(address, base);
		return url.origin === new URL(base).origin ? url.href : null;
	} catch {
		return null;
	}
}

// WebVTT whose cues are "sheet.jpg#xywh=x,y,w,h" (Media Fragments 4.2.2), addresses relative to `base`:
// [{start, end, url, x, y, width, height}] by time. What is not such a cue is left out.
export function parseThumbnails(text, base) {
	const list = [];
	for (const block of String(text).split(/\r?\n\r?\n/).slice(0, most)) {
		const cue = /(\S+) --> (\S+)[^\n]*\r?\n(\S+)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)/.exec(block);
		const start = cue && seconds(cue[1]);
		const end = cue && seconds(cue[2]);
		const url = cue && sameOrigin(cue[3], base);
		if (start !== null && end !== null && url)
			list.push({ start, end, url, x: Number(cue[4]), y: Number(cue[5]),
				width: Number(cue[6]), height: Number(cue[7]) });
	}
	return list.sort((a, b) => a.start - b.start);
}

// The picture for a second, or null.
export function pictureAt(list, second) {
	let low = 0;
	let high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (list[middle].start <= second)
			low = middle + 1;
		else
			high = middle;
	}
	return list[Math.max(0, low - 1)] ?? null;
}

function draw({ style }, { url, x, y, width, height }) {
	style.width = `${width}px`;
	style.height = `${height}px`;
	style.backgroundImage = `url("${url}")`;
	style.backgroundPosition = `-${x}px -${y}px`;
}

// The list is asked for when a picture is first wanted, a sheet when one of its pictures is.
export class Thumbnails {
	// changed(): something has come
	constructor(address, changed) {
		this.address = address;
		this.changed = changed;
		this.list = null;
		this.sheets = new Map();	// address -> whether it is there
	}

	// Shows the picture of a second in `place`, which stays hidden where there is none (yet).
	show(place, second) {
		const picture = this.list ? pictureAt(this.list, second) : null;
		if (!this.list)
			this.load();
		place.hidden = !picture || !this.sheet(picture.url);
		if (!place.hidden)
			draw(place, picture);
	}

	async load() {
		this.list = [];
		if (!this.address)
			return;
		const address = new URL(this.address, location.href).href;
		try {
			const answer = await fetch(address);
			this.list = answer.ok ? parseThumbnails(await answer.text(), answer.url || address) : [];
		} catch {
			return;		// the bar works without
		}
		this.changed();
	}

	sheet(url) {
		if (!this.sheets.has(url)) {
			this.sheets.set(url, false);
			this.fetch(url, tries);
		}
		return this.sheets.get(url);
	}

	fetch(url, left) {
		const image = new Image();
		image.addEventListener('load', () => {
			this.sheets.set(url, true);
			this.changed();
		});
		image.addEventListener('error', () => left > 1 && setTimeout(() => this.fetch(url, left - 1), again_ms));
		image.src = url;
	}
}
