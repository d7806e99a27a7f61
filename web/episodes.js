// web/episodes.js - what comes after an episode: the list of its season, and the next one, which begins by
// itself when this one is over unless one says no.
// SPDX-License-Identifier: BSD-2-Clause
import { episodes } from './api.js';
import { makeEpisodeCard, pageOf } from './card.js';
import { listEpisodes } from './kinds.js';
import { nextIn, seasonName, spokenEpisode } from './messages.js';

const wait_s = 10;
const pages_most = 20;		// of 1000 episodes each
const $ = (id) => document.getElementById(id);

// The whole series: {page, list}.
async function readSeries(id) {
	let answer = await episodes({ series: id, limit: 1000 });
	const { page } = answer;
	const list = listEpisodes(answer);
	for (let i = 1; i < pages_most && answer.nextCursor; i++) {
		answer = await episodes({ series: id, limit: 1000, cursor: answer.nextCursor });
		list.push(...listEpisodes(answer));
	}
	return { page, list };
}

export class Episodes {
	// go(episode): another one is to play here. resume: resume.js.
	constructor(resume, go) {
		this.resume = resume;
		this.go = go;
		this.series = null;	// of readSeries()
		this.next = null;
		this.timer = 0;
		$('next').addEventListener('click', () => this.goOn());
		$('next-go').addEventListener('click', () => this.goOn());
		$('next-stay').addEventListener('click', () => this.stay());
	}

	// Shows what belongs to `film`, the JSON of what plays. False: it is no episode.
	async show(film) {
		const { series } = film;
		this.stay();
		this.next = null;
		this.shown = film.id;
		$('next').hidden = true;
		if (!series)
			return false;
		if (this.series?.id !== series.id)
			this.series = { id: series.id, ...await readSeries(series.id) };
		if (this.shown !== film.id)
			return true;	// another one plays by now
		const { list, page } = this.series;
		const at = list.findIndex(({ id }) => id === film.id);
		this.next = at >= 0 ? list[at + 1] ?? null : null;
		this.drawSeason(list.filter(({ season }) => season === series.season), film.id, series.season);
		$('up').href = pageOf({ page });
		$('up-words').textContent = 'All episodes';
		$('next').hidden = this.next === null;
		if (this.next)
			$('next').setAttribute('aria-label', `Next episode: ${spokenEpisode(this.next)}`);
		return true;
	}

	drawSeason(list, id, season) {
		const cards = list.map((episode) => makeEpisodeCard(episode, this.resume));
		const here = cards[list.findIndex((episode) => episode.id === id)];
		here?.querySelector('a').setAttribute('aria-current', 'page');
		$('rail-title').textContent = seasonName(season);
		$('rail-list').replaceChildren(...cards);
		$('rail').setAttribute('aria-label', 'Episodes');
		$('rail').hidden = false;
		if (here)
			$('rail-list').scrollLeft = here.offsetLeft - $('rail-list').offsetLeft;
	}

	// Over: the next one in a moment.
	ended() {
		if (!this.next)
			return;
		let left = wait_s;
		const say = () => {
			$('next-wait').textContent = nextIn(left);
		};
		clearInterval(this.timer);
		$('next-name').textContent = spokenEpisode(this.next);
		$('next-up').hidden = false;
		say();
		this.timer = setInterval(() => {
			left--;
			say();
			if (left <= 0)
				this.goOn();
		}, 1000);
	}

	// The viewer does something else.
	stay() {
		clearInterval(this.timer);
		$('next-up').hidden = true;
	}

	goOn() {
		const { next } = this;
		this.stay();
		if (next)
			this.go(next);
	}
}
