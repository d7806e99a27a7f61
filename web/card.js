// web/card.js - a channel in a list: face, number, name, category, and whether it is on; and a film: poster,
// name, year, and how much of it was seen.
// SPDX-License-Identifier: BSD-2-Clause
import { fillFace } from './face.js';
import { clock } from './time.js';

const states = { on: 'Live', starting: 'Starting' };

function element(tag, name, text = '') {
	const made = document.createElement(tag);
	made.className = name;
	made.textContent = text;
	return made;
}

// Our own pages only: whatever else a server or somebody between says leads to the front page.
export function pageOf(channel) {
	return /^\/watch\/[A-Za-z0-9._-]{1,80}$/.test(channel.page ?? '') ? channel.page : '/';
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
export function makeFilmCard(film, resume) {
	const { item, face, link } = makeLink(film, { name: film.name || 'Film without a name', picture: film.poster,
		under: [film.year, film.category].filter(Boolean).join(' · ') });
	const place = resume.find(film.id);
	item.classList.add('film');
	if (place) {
		const seen = element('span', 'seen');
		seen.style.setProperty('--seen', `${(100 * place.second / place.length).toFixed(1)}%`);
		face.append(seen);
		link.append(element('span', 'unseen', `, seen up to ${clock(place.second, place.length)}`));
	}
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
