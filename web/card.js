// web/card.js - a channel in a list: face, number, name, category, and whether it is on.
// SPDX-License-Identifier: BSD-2-Clause
import { fillFace } from './face.js';

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

export function makeCard(channel) {
	const item = element('li', 'channel');
	const link = element('a', 'channel-link');
	link.href = pageOf(channel);
	const face = element('span', 'face');
	face.setAttribute('aria-hidden', 'true');
	fillFace(face, channel.name, channel.logo);
	const words = element('span', 'channel-words');
	const title = element('span', 'channel-name', channel.name || 'Channel without a name');
	const under = [channel.now?.title, channel.category].filter(Boolean).join(' · ');
	words.append(title, element('span', 'channel-under', under));
	const badge = element('span', 'badge');
	if (channel.number !== null && channel.number !== undefined && channel.number !== '')
		face.append(element('span', 'channel-number', String(channel.number)));
	link.append(face, badge, words);
	item.append(link);
	item.dataset.id = channel.id;
	setStatus(item, channel.status);
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
