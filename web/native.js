// web/native.js - plays by the browser's own HLS (Safari, phones): the same verbs as engine.js.
// SPDX-License-Identifier: BSD-2-Clause
import { probe } from './api.js';
import { Fault } from './fault.js';
import { AUDIO, AUTO } from './quality.js';

const type = 'application/vnd.apple.mpegurl';
const edge_s = 6;		// three segments: where such players begin
const late_s = 10;
const decode_error = 3;

export function canPlayHls(video) {
	return video.canPlayType(type) !== '';
}

export class NativeEngine {
	constructor(video, events) {
		this.video = video;
		this.events = events;
		this.source = null;
		video.addEventListener('error', () => this.judge());
		video.addEventListener('playing', () => this.healthy());
		video.addEventListener('resize', () => this.healthy());
	}

	open(source, plan) {
		this.source = source;
		this.name = plan.choice === AUTO ? null : plan.choice;
		this.address = this.addressOf(plan.choice);
		this.video.src = this.address;
		this.video.load();
	}

	addressOf(choice) {
		const { rungs, master } = this.source;
		if (choice === AUDIO)
			return rungs.audio.url;
		return rungs.video.find((r) => r.name === choice)?.url ?? master;
	}

	// The browser decides in auto; the picture's height tells what it took.
	healthy() {
		if (!this.source)
			return;
		const rung = this.source.rungs.video.find((r) => r.height === this.video.videoHeight);
		this.events.onRung(this.name ?? rung?.name ?? null);
		this.events.onHealthy();
	}

	// Every rung is an address of its own here: always a new start.
	choose() {
		return false;
	}

	limit() {
		// the browser's own choice cannot be limited
	}

	async judge() {
		const { error } = this.video;
		if (!this.source || !error)
			return;
		const { address } = this;
		try {
			await probe(address);
			this.events.onFault(new Fault(error.code === decode_error ? 'media' : 'network'),
				'native');
		} catch (fault) {
			if (address === this.address && this.source)
				this.events.onFault(fault, 'native');
		}
	}

	resume() {
		this.recover();
	}

	recover() {
		this.video.src = this.address;
		this.video.load();
	}

	edge() {
		const { seekable } = this.video;
		return seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
	}

	isLive() {
		return this.edge() === 0 || this.edge() - this.video.currentTime <= edge_s + late_s;
	}

	goLive() {
		if (this.edge() > 0)
			this.video.currentTime = Math.max(0, this.edge() - edge_s);
	}

	get loaded() {
		return false;
	}

	close() {
		this.source = null;
		this.video.removeAttribute('src');
		this.video.load();
	}
}
