// web/channels.js - the front page: channels, films or series by search and category, the episodes of a series;
// page after page.
// SPDX-License-Identifier: BSD-2-Clause
import { retryDelayS } from './backoff.js';
import { makeBlank, setStatus } from './card.js';
import { Fault } from './fault.js';
import { install } from './install.js';
import { kindsOf } from './kinds.js';
import { countdown, describeList, howMany } from './messages.js';
import { Resume } from './resume.js';
import { openStore } from './store.js';

const page_size = 60;
const typing_ms = 250;
const refresh_ms = 15000;
const blanks = 12;

const $ = (id) => document.getElementById(id);
const list = $('list');
const kinds = kindsOf(new Resume(openStore()));

// `series`: whose episodes; `last`: the row that was shown last.
const state = { kind: kinds.channels, series: '', q: '', category: '', cursor: null, last: null, asking: null,
	attempt: 0, timer: 0 };

function ask(cursor, options) {
	const { kind, series, q, category } = state;
	return kind.ask({ series, q, category, cursor, limit: page_size }, options);
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
	const said = describeList(fault, state.kind === kinds.episodes);
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

function showSeries({ name, plot }) {
	$('title').textContent = name || kinds.episodes.name;
	$('plot').textContent = plot ?? '';
	$('plot').hidden = !plot;
	document.title = [name, document.documentElement.dataset.siteName].filter(Boolean).join(' · ');
}

function showPage(answer, first) {
	if (first) {
		list.replaceChildren();
		state.last = null;
		fillCategories(answer.categories);
		if (state.kind === kinds.episodes)
			showSeries(answer);
	}
	for (const row of state.kind.rows(answer)) {
		list.append(...state.kind.card(row, state.last));
		state.last = row;
	}
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
	if (state.kind === kinds.episodes)
		query.set('series', state.series);
	else if (state.kind !== kinds.channels)
		query.set('show', state.kind.many);
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

// Draws which list is shown. Episodes are a part of the series, and few enough to need no search.
function showKind() {
	const { name, many } = state.kind;
	const within = state.kind === kinds.episodes ? kinds.series.many : many;
	$('filters').hidden = state.kind === kinds.episodes;
	for (const link of document.querySelectorAll('#kinds a'))
		if (link.dataset.kind === within)
			link.setAttribute('aria-current', 'page');
		else
			link.removeAttribute('aria-current');
	$('title').textContent = name;
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

// Whether there is anything of a kind. A list that cannot be had says itself what is wrong with it.
async function isThere(kind) {
	try {
		return kind.rows(await kind.ask({ limit: 1 })).length > 0;
	} catch {
		return kind === state.kind;
	}
}

// The lists that there are, are offered; where there are no channels, another is shown.
async function offerKinds() {
	const links = [...document.querySelectorAll('#kinds a')];
	const there = await Promise.all(links.map((link) => isThere(kinds[link.dataset.kind])));
	links.forEach((link, i) => {
		link.hidden = !there[i] && !link.hasAttribute('aria-current');
	});
	$('kinds').hidden = links.filter((link) => !link.hidden).length < 2;
	const first = there.indexOf(true);
	if (state.kind === kinds.channels && first > 0)
		choose(links[first].dataset.kind);
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
	state.series = query.get('series') ?? '';
	state.kind = state.series ? kinds.episodes : { films: kinds.films, series: kinds.series }[query.get('show')] ?? kinds.channels;
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
		if (!link || event.ctrlKey || event.metaKey || event.shiftKey || state.kind === kinds.episodes)
			return;
		event.preventDefault();
		if (kinds[link.dataset.kind] !== state.kind)
			choose(link.dataset.kind);
	});
	nearEnd.observe($('more'));
	document.addEventListener('visibilitychange', refresh);
	setInterval(refresh, refresh_ms);
	load();
	offerKinds();
	install();
}

start();
