// web/messages.js - every fault in words, and what a viewer can do about it.
// SPDX-License-Identifier: BSD-2-Clause

// retry: auto (again by itself) · online (when the network is back) · ask (only when told to)
// act:   the button beside it: again · reload · home · films · none
const words = {
	offline: ['You are offline', 'It goes on by itself as soon as the connection is back.', 'online', 'again'],
	network: ['The server cannot be reached', 'Your connection or the server is down.', 'auto', 'again'],
	timeout: ['The server does not answer', 'It may be busy, or the connection is very slow.', 'auto', 'again'],
	input: ['That address is not right', 'The server did not understand the request.', 'ask', 'home'],
	unauthorised: ['Please sign in', 'This server wants a name and a password. Reload the page to be asked.',
		'ask', 'reload'],
	forbidden: ['You may not watch this', 'Your account does not include this channel.', 'ask', 'home'],
	unknown: ['There is no such channel', 'It may have been removed, or the link is wrong.', 'ask', 'home'],
	limited: ['Too many requests', 'The server asks for a short pause.', 'auto', 'again'],
	busy: ['The server is busy', 'All its places are taken at the moment.', 'auto', 'again'],
	starting: ['The channel is starting', 'The first picture is on its way.', 'auto', 'again'],
	source: ['The channel is not on the air', 'Its source sends nothing right now.', 'auto', 'again'],
	server: ['The server made a mistake', 'This is not your fault.', 'auto', 'again'],
	media: ['The picture cannot be decoded', 'What arrives is damaged, or your browser cannot play it.',
		'auto', 'again'],
	silent: ['The channel has gone quiet', 'No new picture arrives. It goes on as soon as one does.',
		'auto', 'again'],
	unsupported: ['This browser needs a missing part', 'The player hls.js is not installed on this server ' +
		'(npm was missing when it was built), and this browser cannot play HLS by itself. ' +
		'Safari can, or open the address below in a player such as VLC or mpv.', 'ask', 'reload'],
};

// The same of a film, where it is another matter.
const filmWords = {
	forbidden: ['You may not watch this', 'Your account does not include this film.', 'ask', 'films'],
	unknown: ['There is no such film', 'It may have been removed, or the link is wrong.', 'ask', 'films'],
	changed: ['The film has changed', 'There is another version of it now.', 'ask', 'again'],
	busy: ['The film is being prepared', 'The server has much to do at the moment.', 'auto', 'again'],
	starting: ['The film is being prepared', 'The first picture is on its way.', 'auto', 'again'],
	source: ['The film cannot be read', 'Its source does not give it right now, or it is damaged.', 'auto', 'again'],
	media: ['The film cannot be decoded', 'What arrives is damaged, or your browser cannot play it.',
		'auto', 'again'],
	silent: ['The film does not come', 'The server or the connection is too slow. It goes on as soon as it can.',
		'auto', 'again'],
};

const listWords = {
	unknown: ['There is no list here', 'The server does not know this address.', 'ask', 'again'],
	forbidden: ['You may not see this list', 'Your account does not include it.', 'ask', 'again'],
	source: ['The list cannot be read', 'A part of the server is not answering.', 'auto', 'again'],
	input: ['That search did not work', 'Try other words.', 'ask', 'again'],
};

const noSeries = ['There is no such series', 'It may have been removed, or the link is wrong.', 'ask', 'again'];
const seriesWords = { ...listWords, unknown: noSeries, input: noSeries };

const actions = { again: 'Try again', reload: 'Reload the page', home: 'To the front page', films: 'To all films' };
const places = { home: '/', films: '/?show=films' };

function pick(table, fault) {
	const [title, text, retry, act] = table[fault.kind] ?? words[fault.kind] ?? words.server;
	const detail = fault.text && fault.text !== text ? fault.text : '';
	return { title, text, retry, act, actLabel: actions[act], actHref: places[act] ?? null, detail };
}

// What the player says. {title, text, detail, retry, act, actLabel, actHref}; `detail` is the server's sentence,
// and with an address the button leads there.
export function describe(fault) {
	return pick(words, fault);
}

export function describeFilm(fault) {
	return pick(filmWords, fault);
}

// The same for a list; `ofSeries`: of the episodes of a series, which nobody searches.
export function describeList(fault, ofSeries = false) {
	return pick(ofSeries ? seriesWords : listWords, fault);
}

export function countdown(seconds) {
	if (seconds <= 0)
		return 'Trying again…';
	if (seconds < 90)
		return `Trying again in ${seconds} s`;
	return `Trying again in ${Math.round(seconds / 60)} minutes`;
}

export function steppedDown(from, to) {
	return `This connection is too slow for ${from}. Now showing ${to}.`;
}

export function capped(to) {
	return `The connection is slow: up to ${to} for now.`;
}

export const lowestAlready = 'The connection is too slow for video.';
export const soundAlone = 'Sound only: this film has no picture.';
export const changedFilm = 'The film has a new version, which goes on here.';

export function continuing(time) {
	return `Continuing from ${time}`;
}

export function seasonName(season) {
	return season === 0 ? 'Specials' : `Season ${season}`;
}

// An episode by its place and its name.
export function spokenEpisode({ season, episode, title }) {
	const place = season === 0 ? `Special ${episode}` : `Season ${season}, episode ${episode}`;
	return title ? `${place}: ${title}` : place;
}

export function nextIn(seconds) {
	return `It begins in ${seconds} s`;
}

export const noPicture = 'Sound only: this channel sends no picture.';

export function howMany(count, more, one = 'channel', many = 'channels') {
	if (count === 1 && !more)
		return `1 ${one}`;
	return more ? `${count} ${many} and more` : `${count} ${many}`;
}

const reasons = {
	starting: 'Starting',
	source_down: 'Not answering',
	limit_reached: 'Limit reached',
	not_allowed: 'Refused',
	unknown: 'Unknown',
	machine_busy: 'Server full',
};

export function why(reason) {
	return reasons[reason] ?? reason;
}

// How long ago a time (ISO 8601) was, in its largest unit; a dash for none.
export function ago(time, now = Date.now()) {
	const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
	if (Number.isNaN(seconds))
		return '–';
	const units = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
	const [name, length] = units.find((unit) => seconds >= unit[1]) ?? units.at(-1);
	const count = Math.floor(seconds / length);
	return `${count} ${name}${count === 1 ? '' : 's'} ago`;
}

// Connections of a source's accounts; a dash for what is no account, such as a directory.
export function connectionsUsed({ type, accounts }) {
	if (type !== 'xtream' && type !== 'm3u')
		return '–';
	return accounts.map(({ name, connections, inUse }) =>
		`${name ? `${name}: ` : ''}${inUse}${connections ? ` of ${connections}` : ', no limit'}`).join('; ');
}

// How many of a kind a source lists; a dash for one that has no list.
export function listed(count, type) {
	return type === 'http' || type === 'command' ? '–' : String(count);
}

export function summary(sources, channels) {
	const failing = sources.filter((source) => source.reason).length;
	const on = channels.length === 0 ? 'no channel is on' : `${howMany(channels.length, false)} on`;
	if (sources.length === 0)
		return 'No source is configured.';
	return failing === 0 ? `All sources are ready, ${on}.` : `${failing} of ${sources.length} sources failing, ${on}.`;
}
