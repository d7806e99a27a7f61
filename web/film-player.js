// web/film-player.js - which engine plays a film: its own bytes, or a playlist. One that is to play hands
// over from the other at the same second.
// SPDX-License-Identifier: BSD-2-Clause

export class FilmPlayer {
	// direct and playlist: engines; `playlist` may be null, where nothing here plays HLS
	constructor(direct, playlist) {
		this.direct = direct;
		this.playlist = playlist;
		this.now = null;
	}

	// source: {direct (an address, or null), master, rungs}. False when there is nothing to play it with.
	open(source, plan) {
		const next = source.direct ? this.direct : this.playlist;
		if (this.now !== next)
			this.now?.close();
		this.now = next;
		next?.open(source, plan);
		return next !== null;
	}

	choose(choice, gently) {
		return this.now?.choose(choice, gently) ?? false;
	}

	pickSound(n) {
		return this.now?.pickSound(n) ?? false;
	}

	pickText(n) {
		return this.now?.pickText(n) ?? false;
	}

	limit(name) {
		this.now?.limit(name);
	}

	resume() {
		this.now?.resume();
	}

	recover() {
		this.now?.recover();
	}

	close() {
		this.now?.close();
		this.now = null;
	}

	get loaded() {
		return this.now?.loaded ?? false;
	}
}
