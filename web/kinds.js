// web/kinds.js - what the front page can list: channels, films, series, and the episodes of one of them.
// SPDX-License-Identifier: BSD-2-Clause
import { episodes, liveChannels, movies, series } from './api.js';
import { makeCard, makeEpisodeCard, makeFilmCard, makeSeason, makeSeriesCard } from './card.js';

const scanned = 'Once the server has scanned its directory or imported its source they appear here.';

function rowsOf(list) {
	return Array.isArray(list) ? list : [];
}

// The answer of /api/series/{id} as one list; each episode knows its season.
export function listEpisodes(answer) {
	return rowsOf(answer?.seasons).flatMap(({ season, episodes: list }) =>
		rowsOf(list).map((episode) => ({ ...episode, season })));
}

// Of each kind: `name` is its title, `one` and `many` what is counted; ask(which, options) answers with
// a page, rows(answer) has what is in it, card(row, the one before) are the elements of one.
// resume (resume.js) knows what was seen.
export function kindsOf(resume) {
	return {
		channels: { name: 'Channels', one: 'channel', many: 'channels', ask: liveChannels,
			rows: (answer) => rowsOf(answer.channels), card: (row) => [makeCard(row)],
			blank: 'Once the server has imported its source they appear here.' },
		films: { name: 'Films', one: 'film', many: 'films', ask: movies,
			rows: (answer) => rowsOf(answer.movies), card: (row) => [makeFilmCard(row, resume)],
			blank: scanned },
		series: { name: 'Series', one: 'series', many: 'series', ask: series,
			rows: (answer) => rowsOf(answer.series), card: (row) => [makeSeriesCard(row)],
			blank: scanned },
		episodes: { name: 'Episodes', one: 'episode', many: 'episodes', ask: episodes, rows: listEpisodes,
			card: (row, before) => [...(row.season === before?.season ? [] : [makeSeason(row.season)]),
				makeEpisodeCard(row, resume)],
			blank: 'The series has no episode yet.' },
	};
}
