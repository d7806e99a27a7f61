// web/film-playback.js - keeps a film playing as playback.js does a channel, and knows where it is: seeks,
// goes on where one stopped, changes tracks, follows a film that has changed.
// SPDX-License-Identifier: BSD-2-Clause
import { Fault } from './fault.js';
import { FailureCounter } from './failures.js';
import { changedFilm, continuing } from './messages.js';
import { Playback } from './playback.js';
import { AUDIO, AUTO, SOURCE } from './quality.js';
import { clock } from './time.js';
import { OFF, trackFor } from './tracks.js';

const keep_ms = 5000;
const gather_ms = 250;		// keys that come within are one seek
const changes_most = 3;
const changes_ms = 60000;
const copy_most = 8e6;		// bits a second; a film's own picture costs the service least

// The rungs of a film's JSON (docs: GET /api/stream/vod/{id}) as quality.js takes them: those that play
// its own bytes, and sound alone, are added.
export function filmQualities(film) {
	const list = Array.isArray(film.qualities) ? film.qualities.filter((q) => q?.name && q.url) : [];
	const top = list.reduce((best, q) => (q.height > (best?.height ?? 0) ? q : best), null);
	const direct = film.mode === 'direct' && !list.some((q) => q.name === SOURCE);
	const sounds = film.audioTracks?.length > 0;
	return [
		...(direct ? [{ name: SOURCE, width: top?.width ?? 0, height: top?.height ?? 0, bandwidth: 0, url: film.url }] : []),
		...list,
		...(sounds ? [{ name: AUDIO, width: 0, height: 0, bandwidth: 0, url: masterOf(film.id, AUDIO) }] : []),
	];
}

export function masterOf(id, quality = '') {
	return `/api/hls/${encodeURIComponent(id)}/master.m3u8${quality ? `?quality=${quality}` : ''}`;
}

export class FilmPlayback extends Playback {
	// parts: those of Playback, `resume` (resume.js), moved(): the bar is to be drawn at once, and over():
	// the film has come to its end
	constructor(parts, changed) {
		super({ silentMs: 20000, startingMs: 25000, sleepMs: Infinity, moved: () => {}, over: () => {}, ...parts }, changed);
		this.at = null;			// seconds; null: not begun
		this.sound = null;		// null: the film's own choice
		this.text = OFF;
		this.directFailed = false;
		this.following = false;		// a film that has changed
		this.changes = new FailureCounter(changes_most, changes_ms);
		this.keptMs = 0;
		this.gathering = 0;
		this.goal = null;		// seconds, while keys are gathered
		const { video } = this;
		video.addEventListener('ended', () => this.ended());
		video.addEventListener('seeked', () => this.keep());
		video.addEventListener('pause', () => this.keep());
	}

	// Another title in the same place: what fills the screen goes on filling it.
	turnTo(id) {
		this.keep();
		clearTimeout(this.gathering);
		this.player?.close();
		Object.assign(this, { id, at: null, sound: null, text: OFF, goal: null, channel: null, active: null,
			problem: null, attempt: 0, directFailed: false, wanted: true });
		this.start();
	}

	events() {
		return { ...super.events(), onSound: (n) => this.heard(n) };
	}

	// ---- starting

	adopt(film) {
		const first = this.at === null;
		const qualities = filmQualities(film);
		const own = qualities.find((q) => q.name === SOURCE);
		super.adopt({ ...film, qualities, quality: own && !(own.bandwidth > copy_most) ? SOURCE : '720p' });
		if (!first)
			return;
		this.text = trackFor(film.subtitles ?? [], this.store.language('subtitles'), OFF);
		this.sound = trackFor(film.audioTracks ?? [], this.store.language('sound'), null);
		const place = this.resume.find(this.id);
		this.at = place?.second ?? 0;
		if (this.at > 0)
			this.view.toast(continuing(clock(this.at, place.length)), 'From the start', () => this.seek(0));
		this.changed();
	}

	// Whether the film's own bytes are enough for what is asked: that costs the service nothing.
	direct() {
		const { channel, active } = this;
		const whole = active === SOURCE || (active === AUTO && this.begin === SOURCE);
		return channel.mode === 'direct' && !this.directFailed && whole && this.text === OFF && !this.sound;
	}

	source() {
		return { direct: this.direct() ? this.channel.url : null, master: masterOf(this.id), rungs: this.rungs };
	}

	plan() {
		return { ...super.plan(), at: this.at, sound: this.sound, text: this.text };
	}

	open() {
		this.following = false;
		super.open();
		if (!this.player.now)
			this.fail(new Fault('unsupported'));
	}

	// ---- where it is

	get length() {
		const { duration } = this.video;
		return Number.isFinite(duration) && duration > 0 ? duration : this.channel?.duration ?? 0;
	}

	// What the bar shows: where it is going, or where it is.
	get second() {
		return this.goal ?? (this.place.began && !this.problem ? this.video.currentTime : this.at ?? 0);
	}

	seek(to) {
		const second = Math.min(Math.max(0, to), Math.max(0, this.length - 0.1));
		const over = this.video.ended;
		clearTimeout(this.gathering);
		this.goal = null;
		this.at = second;
		if (this.video.readyState > 0)
			this.video.currentTime = second;
		this.place.ms = performance.now();
		this.moved();
		if (over)
			this.play();	// it was not paused, it had nothing left
		this.draw();
	}

	// Seconds on or back. What is buffered is there at once; else the last of several keys counts.
	skip(by) {
		const to = Math.min(Math.max(0, this.second + by), this.length);
		clearTimeout(this.gathering);
		if (this.has(to)) {
			this.seek(to);
			return;
		}
		this.goal = to;
		this.moved();
		this.gathering = setTimeout(() => this.seek(to), gather_ms);
	}

	has(second) {
		const { buffered } = this.video;
		for (let i = 0; i < buffered.length; i++)
			if (buffered.start(i) <= second && second < buffered.end(i))
				return true;
		return false;
	}

	ended() {
		this.wanted = false;
		this.at = 0;
		this.resume.keep(this.id, this.length, this.length);
		this.draw();
		this.over();
	}

	keep() {
		this.keptMs = performance.now();
		if (this.place.began && !this.video.ended && this.length > 0)
			this.resume.keep(this.id, this.at, this.length);
	}

	// ---- tracks

	pickSound(n) {
		const { language } = this.channel.audioTracks[n];
		this.sound = n;
		this.store.write('sound', language ?? '');
		if (!this.player.pickSound(n))
			this.open();
		this.changed();
	}

	pickText(n) {
		const language = n === OFF ? 'off' : this.channel.subtitles[n].language;
		this.text = n;
		this.store.write('subtitles', language ?? '');
		if (!this.player.pickText(n) && n !== OFF)
			this.open();
		this.changed();
	}

	heard(n) {
		if (n !== OFF)
			this.sound = n;
		this.changed();
	}

	// ---- trouble

	broken(fault) {
		if (this.following)
			return;		// the same, of another track
		if (this.player.now === this.player.direct && fault.kind !== 'offline') {
			this.directFailed = true;	// a playlist can do more
			this.open();
		} else if (fault.kind === 'changed' && !this.changes.add(performance.now())) {
			this.following = true;
			this.view.toast(changedFilm);
			this.start();
		} else {
			super.broken(fault);
		}
	}

	// ---- the clock

	tick() {
		super.tick();
		const { video } = this;
		if (this.place.began && !video.seeking && !video.ended && video.readyState > 0)
			this.at = video.currentTime;
		if (!video.paused && performance.now() - this.keptMs > keep_ms)
			this.keep();
	}

	look(now) {
		if (!this.video.ended)
			super.look(now);
	}

	waitText() {
		return this.place.began ? 'Waiting for the picture…' : 'Loading…';
	}
}
