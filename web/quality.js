// web/quality.js - rungs, the choice among them and the menu's words. No page, no player: only values.
// SPDX-License-Identifier: BSD-2-Clause

export const AUTO = 'auto';
export const AUDIO = 'audio';
export const SOURCE = 'source';		// the film's own picture

const saver_height = 360;
const slow_height = 240;
const safe_share = 0.7;		// of the measured rate, so that a segment arrives faster than it plays

// The service's `qualities` as {video: [best first], audio: rung or null}. A rung is
// {name, width, height, bandwidth (bits a second), url}.
export function sortRungs(qualities) {
	const all = (Array.isArray(qualities) ? qualities : []).filter((q) => q && q.name && q.url);
	const audio = all.find((q) => q.name === AUDIO) ?? null;
	const video = all.filter((q) => q.name !== AUDIO)
		.sort((a, b) => (b.height || 0) - (a.height || 0) || (b.bandwidth || 0) - (a.bandwidth || 0));
	return { video, audio };
}

export function heightOf(name) {
	const match = /^(\d{2,4})p/.exec(name ?? '');
	return match ? Number(match[1]) : Infinity;
}

// The rung of that name; where the channel lacks it the nearest below, or the lowest there is.
export function nearest(video, name) {
	const height = heightOf(name);
	return video.find((r) => r.name === name)
		?? video.find((r) => (r.height || heightOf(r.name)) <= height)
		?? video[video.length - 1] ?? null;
}

export function lowerThan(video, name) {
	const at = video.findIndex((r) => r.name === name);
	return at < 0 ? null : video[at + 1] ?? null;
}

// What to play first. `remembered` is the viewer's own choice or null, `preferred` the server's default,
// `connection` is navigator.connection or null.
//   choice  auto, audio or a rung's name
//   start   the rung to begin with (null: there is no video)
//   most    the best rung that auto may reach (null: any)
export function firstChoice({ rungs, remembered = null, preferred = '720p', connection = null }) {
	const { video, audio } = rungs;
	if (video.length === 0)
		return { choice: audio ? AUDIO : AUTO, start: null, most: null };
	if (remembered === AUDIO && audio)
		return { choice: AUDIO, start: null, most: null };
	if (remembered && remembered !== AUTO && remembered !== AUDIO) {
		const rung = nearest(video, remembered);
		return { choice: rung.name, start: rung.name, most: null };
	}
	const most = connection?.saveData ? nearest(video, `${saver_height}p`).name : null;
	return { choice: AUTO, start: startRung(video, preferred, most, connection).name, most };
}

function startRung(video, preferred, most, connection) {
	if (/^(slow-)?2g$/.test(connection?.effectiveType ?? ''))
		return nearest(video, `${slow_height}p`);
	let rung = nearest(video, most ?? preferred);
	if (connection?.effectiveType === '3g' && heightOf(rung.name) > saver_height)
		rung = nearest(video, `${saver_height}p`);
	const rate = Number(connection?.downlink) * 1e6 * safe_share;
	while (rate > 0 && rung.bandwidth > rate && lowerThan(video, rung.name))
		rung = lowerThan(video, rung.name);
	return rung;
}

// Rung names by the player's level number. Levels are {height, bitrate, url}; the address decides,
// then the height, then the nearest rate.
export function nameLevels(video, levels) {
	return levels.map((level) => {
		const path = pathOf(level.url);
		const rung = video.find((r) => path !== '' && pathOf(r.url) === path)
			?? video.find((r) => level.height > 0 && r.height === level.height)
			?? closestRate(video, level.bitrate);
		return rung?.name ?? (level.height ? `${level.height}p` : AUDIO);
	});
}

function closestRate(video, bitrate) {
	return video.reduce((best, r) => (best === null
		|| Math.abs(r.bandwidth - bitrate) < Math.abs(best.bandwidth - bitrate) ? r : best), null);
}

function pathOf(url) {
	try {
		return new URL(url, 'http://page.invalid').pathname;
	} catch {
		return '';
	}
}

export function rateText(bitsPerSecond) {
	if (!(bitsPerSecond > 0))
		return '';
	return bitsPerSecond >= 1e6
		? `${(bitsPerSecond / 1e6).toFixed(1).replace(/\.0$/, '')} Mb/s`
		: `${Math.round(bitsPerSecond / 1e3)} kb/s`;
}

function labelOf(rung) {
	return rung.name === SOURCE ? `Original${rung.height > 0 ? ` (${rung.height}p)` : ''}` : rung.name;
}

// The menu, top to bottom: {value, label, detail, checked, key}. `playing` is the rung on the screen.
export function menuItems({ rungs, choice, playing }) {
	const items = [];
	if (rungs.video.length > 0)
		items.push({ value: AUTO, label: 'Auto', key: '0', checked: choice === AUTO,
			detail: choice === AUTO && playing ? `now ${shortName(playing)}` : '' });
	rungs.video.forEach((rung, i) => items.push({ value: rung.name, label: labelOf(rung),
		key: i < 9 ? String(i + 1) : '', checked: choice === rung.name, detail: rateText(rung.bandwidth) }));
	if (rungs.audio)
		items.push({ value: AUDIO, label: 'Audio only', key: 'a', checked: choice === AUDIO,
			detail: rateText(rungs.audio.bandwidth) });
	return items;
}

function shortName(name) {
	return name === SOURCE ? 'original' : name;
}

export function buttonText(choice, playing) {
	if (choice === AUDIO)
		return 'Audio';
	if (choice === AUTO)
		return playing && playing !== AUDIO ? `Auto · ${shortName(playing)}` : 'Auto';
	return choice === SOURCE ? 'Original' : choice;
}

export function spokenName(choice) {
	if (choice === AUDIO)
		return 'audio only';
	return choice === AUTO ? 'automatic quality' : shortName(choice);
}
