// web/channels.js - the front page: channels or films by search and category, page after page; channels with
// their state, films with how much of them was seen.
// SPDX-License-Identifier: BSD-2-Clause
import { liveChannels, movies } from './api.js';
import { retryDelayS } from './backoff.js';
import { makeBlank, makeCard, makeFilmCard, setStatus } from './card.js';
import { Fault } from './fault.js';
import { install } from './install.js';
import { countdown, describeList, howMany } from './messages.js';
import { Resume } from './resume.js';
import { openStore } from './store.js';

const page_size = 60;
const typing_ms = 250;
const refresh_ms = 15000;
const blanks = 12;

const $ = (id) => document.getElementById(id);
const list = $('list');
const resume = new Resume(openStore());

// What can be listed: `name` is its title, `one` and `many` what is counted.
const kinds = {
	channels: { name: 'Channels', one: 'channel', many: 'channels', ask: liveChannels, card: makeCard,
		blank: 'Once the server has imported its source they appear here.' },
	films: { name: 'Films', one: 'film', many: 'films', ask: movies,
		card: (film) => makeFilmCard(film, resume),
		blank: 'Once the server has scanned its directory or imported its source they appear here.' },
};

const state = { kind: kinds.channels, q: '', category: '', cursor: null, asking: null, attempt: 0, timer: 0 };

function ask(cursor, options) {
	const { kind, q, category } = state;
	return kind.ask({ q, category, cursor, limit: page_size }, options);
}

function rowsOf(answer) {
	const rows = state.kind === kinds.films ? answer.movies : answer.channels;
	return Array.isArray(rows) ? rows : [];
}

// Asks for more before the end is reached.
const nearEnd = new IntersectionObserver(([entry]) => {
	if (entry.isIntersecting)
		loadMore();
}, { rootMargin: '400px' });

// ---- notices: empty, failed

function hideNotice() {
	clearInterval(state.timer);
	$('notice').hidden = true;
}

function notice({ title, text, detail = '', actLabel = '', act = null }) {
	clearInterval(state.timer);
	$('notice-title').textContent = title;
	$('notice-text').textContent = text;
	$('notice-detail').textContent = detail;
	$('notice-detail').hidden = detail === '';
	$('notice-wait').hidden = true;
	$('notice-act').textContent = actLabel;
	$('notice-act').hidden = act === null;
	$('notice-act').onclick = act;
	$('notice').hidden = false;
}

function waitAndRetry(fault) {
	let left = retryDelayS(state.attempt++, fault.retryAfterS);
	const show = () => {
		$('notice-wait').textContent = countdown(left);
	};
	$('notice-wait').hidden = false;
	show();
	state.timer = setInterval(() => {
		left--;
		show();
		if (left <= 0)
			load();
	}, 1000);
}

function failed(fault) {
	list.replaceChildren();
	$('count').textContent = '';
	$('more').hidden = true;
	const said = describeList(fault);
	const act = said.act === 'reload' ? () => location.reload() : () => load();
	notice({ ...said, act });
	if (said.retry === 'auto')
		waitAndRetry(fault);
	else if (said.retry === 'online')
		addEventListener('online', () => load(), { once: true });
}

function empty() {
	const { one, many, blank } = state.kind;
	if (state.q === '' && state.category === '') {
		notice({ title: `No ${many} yet`, text: blank, actLabel: 'Look again', act: () => load() });
		return;
	}
	const what = [state.q && `“${state.q}”`, state.category].filter(Boolean).join(' in ');
	notice({ title: 'Nothing found', text: `No ${one} matches ${what}.`,
		actLabel: `Show all ${many}`, act: clearFilters });
}

// ---- the list

function showCount() {
	$('count').textContent = howMany(list.querySelectorAll('[data-id]').length, state.cursor !== null,
		state.kind.one, state.kind.many);
}

function fillCategories(categories) {
	const names = (categories ?? []).map((c) => (typeof c === 'string' ? c : c?.name)).filter(Boolean);
	const options = [new Option('All categories', '')].concat(names.map((n) => new Option(n, n)));
	if (state.category && !names.includes(state.category))
		options.push(new Option(state.category, state.category));
	$('category').replaceChildren(...options);
	$('category').value = state.category;
}

function showPage(answer, first) {
	if (first) {
		list.replaceChildren();
		fillCategories(answer.categories);
	}
	list.append(...rowsOf(answer).map(state.kind.card));
	list.setAttribute('aria-busy', 'false');
	state.cursor = answer.nextCursor ?? null;
	$('more').hidden = state.cursor === null;
	if (list.childElementCount === 0) {
		$('count').textContent = '';
		empty();
		return;
	}
	showCount();
}

// The first page for the current words and category.
async function load() {
	hideNotice();
	state.asking?.abort();
	const asking = new AbortController();
	state.asking = asking;
	list.setAttribute('aria-busy', 'true');
	if (list.childElementCount === 0)
		list.append(...Array.from({ length: blanks }, makeBlank));
	try {
		const answer = await ask('', { signal: asking.signal });
		state.attempt = 0;
		showPage(answer, true);
	} catch (fault) {
		if (!asking.signal.aborted)
			failed(fault instanceof Fault ? fault : new Fault('server'));
	}
}

async function loadMore() {
	const button = $('more');
	if (state.cursor === null || button.disabled)
		return;
	const { cursor, asking } = state;
	button.disabled = true;
	button.textContent = 'Loading…';
	try {
		const answer = await ask(cursor, { signal: asking.signal });
		if (asking.signal.aborted)
			return;		// another list was asked for meanwhile
		showPage(answer, false);
		button.textContent = 'Show more';
		nearEnd.unobserve(button);	// looks again: on a tall screen the end may still be near
		nearEnd.observe(button);
	} catch (fault) {
		button.textContent = fault instanceof Fault
			? `${describeList(fault).title}. Try again` : 'Show more';
	} finally {
		button.disabled = false;
	}
}

// Which channels are on changes all the time; names and order do not.
async function refresh() {
	if (state.kind !== kinds.channels || document.hidden || list.getAttribute('aria-busy') === 'true' || list.childElementCount === 0)
		return;
	try {
		const { channels } = await ask('');
		const status = new Map(channels.map((c) => [String(c.id), c.status]));
		for (const item of list.querySelectorAll('[data-id]'))
			if (status.has(item.dataset.id))
				setStatus(item, status.get(item.dataset.id));
	} catch {
		// the list that stands is good enough until the next time
	}
}

// ---- what the viewer does

function remember() {
	const query = new URLSearchParams();
	if (state.kind === kinds.films)
		query.set('show', 'films');
	if (state.q)
		query.set('q', state.q);
	if (state.category)
		query.set('category', state.category);
	const words = query.toString();
	history.replaceState(null, '', words ? `/?${words}` : '/');
}

function filter() {
	const q = $('q').value.trim();
	const category = $('category').value;
	if (q === state.q && category === state.category)
		return;
	Object.assign(state, { q, category, attempt: 0 });
	remember();
	load();
}

// Draws which list is shown.
function showKind() {
	const { name, many } = state.kind;
	for (const link of document.querySelectorAll('#kinds a'))
		if (link.dataset.kind === many)
			link.setAttribute('aria-current', 'page');
		else
			link.removeAttribute('aria-current');
	$('title').textContent = name;
	$('q').placeholder = `Search ${many}`;
	$('q-label').textContent = `Search ${many}`;
	list.dataset.kind = many;
}

function choose(name) {
	Object.assign(state, { kind: kinds[name], category: '', attempt: 0 });
	$('category').value = '';
	list.replaceChildren();
	showKind();
	remember();
	load();
}

// Both lists are offered where there are films; where there are only films, those are shown.
async function offerFilms() {
	try {
		const [films, channels] = await Promise.all([movies({ limit: 1 }), liveChannels({ limit: 1 })]);
		$('kinds').hidden = films.movies.length === 0 && state.kind === kinds.channels;
		if (films.movies.length > 0 && channels.channels.length === 0 && state.kind === kinds.channels)
			choose('films');
	} catch {
		// the list itself says what is wrong
	}
}

function clearFilters() {
	$('q').value = '';
	$('category').value = '';
	filter();
	$('q').focus();
}

// Arrow keys go from card to card as the eye sees them, in whatever columns there are.
function step(event) {
	const links = [...list.querySelectorAll('a')];
	const at = links.indexOf(document.activeElement);
	if (at < 0)
		return;
	const top = links[0].getBoundingClientRect().top;
	const columns = links.findIndex((l) => l.getBoundingClientRect().top > top + 1);
	const width = columns < 0 ? links.length : columns;
	const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width };
	const next = links[at + (moves[event.key] ?? 0)];
	if (!moves[event.key] || !next)
		return;
	event.preventDefault();
	next.focus();
}

function start() {
	const query = new URLSearchParams(location.search);
	if (query.get('show') === 'films')
		state.kind = kinds.films;
	$('kinds').hidden = state.kind === kinds.channels;
	showKind();
	state.q = (query.get('q') ?? '').slice(0, 100).trim();
	state.category = (query.get('category') ?? '').slice(0, 100);
	$('q').value = state.q;

	let typing = 0;
	$('q').addEventListener('input', () => {
		clearTimeout(typing);
		typing = setTimeout(filter, typing_ms);
	});
	$('category').addEventListener('change', filter);
	$('filters').addEventListener('submit', (event) => {
		event.preventDefault();
		filter();
		list.querySelector('a')?.focus();
	});
	$('more').addEventListener('click', loadMore);
	list.addEventListener('keydown', step);
	document.addEventListener('keydown', (event) => {
		if (event.key !== '/' || /^(INPUT|SELECT)$/.test(document.activeElement?.tagName))
			return;
		event.preventDefault();
		$('q').focus();
	});
	$('kinds').addEventListener('click', (event) => {
		const link = event.target.closest('a');
		if (!link || event.ctrlKey || event.metaKey || event.shiftKey)
			return;
		event.preventDefault();
		if (kinds[link.dataset.kind] !== state.kind)
			choose(link.dataset.kind);
	});
	nearEnd.observe($('more'));
	document.addEventListener('visibilitychange', refresh);
	setInterval(refresh, refresh_ms);
	load();
	offerFilms();
	install();
}

start();
