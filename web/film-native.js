// web/film-native.js - a film by the browser alone: its own bytes where the browser plays them, or the
// browser's own HLS. The same verbs as film-engine.js.
// SPDX-License-Identifier: BSD-2-Clause
import { probe } from './api.js';
import { Fault } from './fault.js';
import { AUDIO, AUTO, SOURCE } from './quality.js';

const decode_error = 3;

class AddressEngine {
	constructor(video, events) {
		this.video = video;
		this.events = events;
		this.source = null;
		video.addEventListener('error', () => this.judge());
		video.addEventListener('playing', () => this.healthy());
		video.addEventListener('loadedmetadata', () => this.place());
	}

	open(source, plan) {
		this.source = source;
		this.plan = plan;
		this.address = this.addressOf(source, plan);
		this.begin = plan.at;
		this.video.src = this.address;
		this.video.load();
	}

	// Only now the browser knows how long the film is.
	place() {
		if (!this.source)
			return;
		if (this.begin > 0)
			this.video.currentTime = this.begin;
		this.begin = 0;
		this.tracks();
	}

	tracks() {
		// those of an own file are the browser's
	}

	healthy() {
		if (this.source)
			this.events.onHealthy();
	}

	async judge() {
		const { error } = this.video;
		const { address, source } = this;
		if (!source || !error)
			return;
		try {
			await probe(address, { headers: { Range: 'bytes=0-0' } });
			this.tell(new Fault(error.code >= decode_error ? 'media' : 'network'), address);
		} catch (fault) {
			this.tell(fault, address);
		}
	}

	tell(fault, address) {
		if (this.source && address === this.address)
			this.events.onFault(fault, 'native');
	}

	choose() {
		return false;		// another address: a new start
	}

	limit() {
		// the browser chooses
	}

	resume() {
		this.recover();
	}

	recover() {
		this.begin = this.video.currentTime || this.begin;
		this.video.src = this.address;
		this.video.load();
	}

	get loaded() {
		return false;
	}

	close() {
		if (!this.source)
			return;
		this.source = null;
		this.video.removeAttribute('src');
		this.video.load();
	}
}

// The film's own bytes. What they do not offer (another track, a lower rung) only a playlist does.
export class DirectEngine extends AddressEngine {
	addressOf(source) {
		return source.direct;
	}

	healthy() {
		super.healthy();
		if (this.source)
			this.events.onRung(SOURCE);
	}

	choose(choice) {
		return choice === SOURCE || choice === AUTO;
	}

	pickSound() {
		return false;
	}

	pickText() {
		return false;
	}
}

// A browser may keep other things among them, such as data of the stream.
function subtitlesOf(video) {
	return Array.from(video.textTracks).filter(({ kind }) => kind === 'subtitles' || kind === 'captions');
}

export class NativeFilmEngine extends AddressEngine {
	constructor(video, events) {
		super(video, events);
		// Some tracks are known later than the film's length.
		for (const list of [video.audioTracks, video.textTracks])
			list?.addEventListener('addtrack', () => this.source && this.tracks());
	}

	addressOf({ master, rungs }, { choice, most }) {
		const cap = choice === AUTO ? most : choice;
		if (choice === AUDIO)
			return rungs.audio.url;
		return cap === null || cap === SOURCE ? master : `${master}?quality=${cap}`;
	}

	healthy() {
		super.healthy();
		const { choice } = this.plan ?? {};
		const rung = this.source?.rungs.video.find((r) => r.height === this.video.videoHeight);
		if (this.source)
			this.events.onRung(choice === AUTO || choice === undefined ? rung?.name ?? null : choice);
	}

	tracks() {
		const own = Array.from(this.video.audioTracks ?? []).findIndex(({ enabled }) => enabled);
		if (this.plan.sound !== null)
			this.pickSound(this.plan.sound);
		else if (own >= 0)
			this.events.onSound(own);
		this.pickText(this.plan.text);
	}

	// Where there is no such track yet, the others stay as they are.
	pickSound(n) {
		const tracks = Array.from(this.video.audioTracks ?? []);
		this.plan.sound = n;
		if (tracks[n])
			tracks.forEach((track, i) => {
				track.enabled = i === n;
			});
		this.events.onSound(n);
		return true;
	}

	pickText(n) {
		this.plan.text = n;
		subtitlesOf(this.video).forEach((track, i) => {
			track.mode = i === n ? 'showing' : 'disabled';
		});
		return true;
	}
}
