// web/status.js - the status page: sources and channels, asked for again every few seconds.
// SPDX-License-Identifier: BSD-2-Clause
import { serviceStatus } from './api.js';
import { ago, connectionsUsed, describeList, listed, summary, why } from './messages.js';

const refresh_ms = 5000;
const $ = (id) => document.getElementById(id);

function cell(tag, text, scope) {
	const to = document.createElement(tag);
	to.textContent = text;
	if (scope)
		to.scope = scope;
	return to;
}

// The state in a word, and below it the reason in a sentence.
function stateCell(word, good, { reason, message }) {
	const to = document.createElement('td');
	const state = cell('span', reason ? why(reason) : word);
	state.className = `state ${reason ? 'bad' : good ? 'good' : ''}`;
	to.append(state);
	if (message) {
		const text = cell('span', message);
		text.className = 'why';
		to.append(text);
	}
	return to;
}

function row(cells) {
	const to = document.createElement('tr');
	to.append(...cells);
	return to;
}

function sourceRow(source) {
	const state = source.reason || !source.importTrouble ? source : { ...source, message: source.importTrouble };
	return row([
		cell('th', source.name, 'row'), stateCell('Ready', true, state), cell('td', ago(source.since)),
		cell('td', connectionsUsed(source)),
		...[source.channels, source.films, source.series].map((count) => cell('td', listed(count, source.type))),
		cell('td', ago(source.importedAt)),
	]);
}

function channelRow(channel) {
	const name = document.createElement('th');
	const link = cell('a', channel.name ?? channel.id);
	name.scope = 'row';
	link.href = `/watch/${encodeURIComponent(channel.id)}`;
	name.append(link);
	return row([
		name, stateCell(channel.status === 'on' ? 'On' : 'Starting', channel.status === 'on', channel),
		cell('td', ago(channel.since)), cell('td', channel.source ?? '–'), cell('td', String(channel.viewers)),
	]);
}

// Each cell knows the head of its column: where a row is too wide it is shown as a list.
function fill(body, rows) {
	const heads = [...body.closest('table').querySelectorAll('thead th')].map((head) => head.textContent);
	for (const { cells } of rows)
		[...cells].forEach((one, at) => {
			one.dataset.head = heads[at];
		});
	body.replaceChildren(...rows);
}

function show({ sources, channels }) {
	$('summary').textContent = summary(sources, channels);
	fill($('sources'), sources.map(sourceRow));
	fill($('channels'), channels.map(channelRow));
	$('channels-table').hidden = channels.length === 0;
	$('none').hidden = channels.length > 0;
}

async function refresh() {
	try {
		show(await serviceStatus());
	} catch (fault) {
		$('summary').textContent = describeList(fault).text;
	}
	setTimeout(refresh, refresh_ms);
}

refresh();
