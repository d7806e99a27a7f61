// web/card.js - a channel in a list: face, number, name, category, and whether it is on; a film or an episode:
// poster, name, year or length, and how much of it was seen; a series.
// SPDX-License-Identifier: BSD-2-Clause
import { fillFace } from './face.js';
import { seasonName } from './messages.js';
import { clock, lengthText } from './time.js';

const states = { on: 'Live', starting: 'Starting' };

function element(tag, name, text = '') {
	const made = document.createElement(tag);
	made.className = name;
	made.textContent = text;
	return made;
}

// Our own pages only, on the host that this one came from: whatever else a server or somebody between says
// leads to the front page.
export function pageOf({ page }) {
	const [, own] = /^(?:https?:\/\/[^/]+)?(\/(?:watch\/|\?series=)[A-Za-z0-9._-]{1,80})$/.exec(page ?? '') ?? [];
	return own ?? '/';
}

export function setStatus(item, status) {
	const badge = item.querySelector('.badge');
	const text = states[status] ?? '';
	badge.textContent = text;
	badge.hidden = text === '';
	item.dataset.status = text === '' ? 'off' : status;
}

// {item, link, face}: a link to a page, with a picture, a name and a line under it.
function makeLink(page, { name, picture, under }) {
	const item = element('li', 'channel');
	const link = element('a', 'channel-link');
	link.href = pageOf(page);
	const face = element('span', 'face');
	face.setAttribute('aria-hidden', 'true');
	fillFace(face, name, picture);
	const words = element('span', 'channel-words');
	words.append(element('span', 'channel-name', name), element('span', 'channel-under', under));
	link.append(face, words);
	item.append(link);
	item.dataset.id = page.id;
	return { item, link, face };
}

export function makeCard(channel) {
	const under = [channel.now?.title, channel.category].filter(Boolean).join(' · ');
	const { item, link, face } = makeLink(channel,
		{ name: channel.name || 'Channel without a name', picture: channel.logo, under });
	const badge = element('span', 'badge');
	if (channel.number !== null && channel.number !== undefined && channel.number !== '')
		face.append(element('span', 'channel-number', String(channel.number)));
	face.after(badge);
	setStatus(item, channel.status);
	return item;
}

// `resume` (resume.js) knows how much of it was seen.
function markSeen({ item, face, link }, id, resume) {
	const place = resume.find(id);
	if (place) {
		const seen = element('span', 'seen');
		seen.style.setProperty('--seen', `${(100 * place.second / place.length).toFixed(1)}%`);
		face.append(seen);
		link.append(element('span', 'unseen', `, seen up to ${clock(place.second, place.length)}`));
	}
	return item;
}

export function makeFilmCard(film, resume) {
	const card = makeLink(film, { name: film.name || 'Film without a name', picture: film.poster,
		under: [film.year, film.category].filter(Boolean).join(' · ') });
	card.item.classList.add('film');
	return markSeen(card, film.id, resume);
}

export function makeSeriesCard(series) {
	const { item } = makeLink(series, { name: series.name || 'Series without a name', picture: series.poster,
		under: [series.year, series.category].filter(Boolean).join(' · ') });
	item.classList.add('film');
	return item;
}

export function makeEpisodeCard(episode, resume) {
	const card = makeLink(episode, { name: `${episode.episode}. ${episode.title || 'Episode'}`,
		picture: episode.poster, under: lengthText(episode.duration) });
	card.item.classList.add('episode');
	return markSeen(card, episode.id, resume);
}

// Stands before the episodes of a season.
export function makeSeason(season) {
	const item = element('li', 'season');
	item.append(element('h2', 'season-name', seasonName(season)));
	return item;
}

// Grey shapes of the same size, so that nothing moves when the channels come.
export function makeBlank() {
	const item = element('li', 'channel blank');
	item.setAttribute('aria-hidden', 'true');
	const words = element('span', 'channel-words');
	words.append(element('span', 'channel-name'), element('span', 'channel-under'));
	item.append(element('span', 'face'), words);
	return item;
}
