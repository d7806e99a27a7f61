// web/playback.js - keeps a channel playing: asks, starts, tries again, goes a rung down, says why. A film
// (film-playback.js) is told by the same words.
// SPDX-License-Identifier: BSD-2-Clause
import { liveChannel } from './api.js';
import { retryDelayS } from './backoff.js';
import { Ceiling, FailureCounter } from './failures.js';
import { Fault } from './fault.js';
import { capped, describe, lowestAlready, noPicture, steppedDown } from './messages.js';
import { AUDIO, AUTO, firstChoice, lowerThan, sortRungs, spokenName } from './quality.js';

const tick_ms = 250;
const stuck_ms = 700;			// no progress for so long is a wait
const mend_ms = 10000;
const resumes_most = 3;

// What is said and asked of a channel.
const live = {
	ask: liveChannel,
	describe,
	noPicture,
	silentMs: 8000,			// no progress for so long is a reason to ask the service
	startingMs: 15000,
	sleepMs: 30000,			// paused: the server need not work for nobody
};

export class Playback {
	// parts: {id, video, view, store, engine: (events) => engine or null}, and whatever of `live` is
	// another; changed() is called when the menu or the names may have to be drawn again.
	constructor(parts, changed) {
		Object.assign(this, live, parts);
		this.changed = changed;
		this.player = null;
		this.channel = null;
		this.rungs = { video: [], audio: null };
		this.choice = null;		// the viewer's
		this.active = null;		// what is in force: lower than the choice after failures
		this.playing = null;		// the rung on the screen
		this.most = null;
		this.counter = new FailureCounter();
		this.ceiling = new Ceiling();
		this.wanted = true;
		this.asleep = false;
		this.pausedMs = 0;
		this.problem = null;		// {fault, retryMs or null, shown}
		this.turn = 0;
		this.attempt = 0;
		this.resumes = 0;
		this.mended = { ms: -Infinity, times: 0 };
		this.place = { time: -1, ms: performance.now(), began: false };
		this.watch();
	}

	watch() {
		const { video } = this;
		video.addEventListener('pause', () => {
			if (!video.ended && !video.error)	// a decoder that gives up pauses, too
				this.paused();
		});
		video.addEventListener('canplay', () => {
			if (this.wanted && video.paused)	// a new decoder begins paused
				this.play();
		});
		video.addEventListener('play', () => {
			this.wanted = true;
			this.draw();
		});
		video.addEventListener('playing', () => {
			this.place = { time: video.currentTime, ms: performance.now(), began: true };
			this.draw();
		});
		addEventListener('online', () => this.retryNow());
		setInterval(() => this.tick(), tick_ms);
	}

	// ---- starting

	async start() {
		const turn = ++this.turn;
		this.asleep = false;
		this.stand();
		try {
			const channel = await this.ask(this.id);
			if (turn !== this.turn)
				return;
			this.adopt(channel);
			this.player ??= await this.engine(this.events());
			if (turn !== this.turn)
				return;
			if (!this.player)
				throw new Fault('unsupported');
			this.open();
		} catch (error) {
			if (turn === this.turn)
				this.fail(error instanceof Fault ? error : new Fault('server'));
			if (!(error instanceof Fault))
				throw error;
		}
	}

	events() {
		return {
			onRung: (name) => this.rung(name),
			onHealthy: () => this.healthy(),
			onWeak: () => this.weak(),
			onFault: (fault, details) => this.broken(fault, details),
		};
	}

	adopt(channel) {
		this.channel = channel;
		this.rungs = sortRungs(channel.qualities);
		const first = firstChoice({ rungs: this.rungs, remembered: this.choice ?? this.store.quality,
			preferred: channel.quality, connection: navigator.connection ?? null });
		this.choice = first.choice;
		this.active ??= first.choice;
		this.begin = first.start;
		this.most = first.most;
		this.changed();
	}

	open() {
		const { active } = this;
		this.stand();
		this.playing = active === AUDIO ? AUDIO : null;
		this.view.card(active === AUDIO);
		this.player.open(this.source(), this.plan());
		this.changed();
		if (this.wanted)
			this.play();
	}

	source() {
		return { master: this.channel.url, rungs: this.rungs };
	}

	plan() {
		const { active } = this;
		return { choice: active, start: active === AUTO ? this.begin : active, most: this.limit() };
	}

	// The clock of waiting starts again.
	stand() {
		this.place = { time: -1, ms: performance.now(), began: false };
		this.draw();
	}

	// ---- what the viewer does

	toggle() {
		if (this.problem)
			this.retryNow();
		else if (this.video.paused)
			this.play();
		else
			this.video.pause();
	}

	async play() {
		this.wanted = true;
		if (this.asleep) {
			this.start();
			return;
		}
		try {
			await this.video.play();
		} catch (error) {
			if (error.name === 'NotAllowedError')	// autoplay refused: the big button asks for a touch
				this.paused();
		}
		this.draw();
	}

	paused() {
		this.wanted = false;
		this.pausedMs = performance.now();
		this.draw();
	}

	choose(choice) {
		this.choice = choice;
		this.store.quality = choice;
		this.counter.clear();
		this.ceiling.clear();
		if (choice !== AUDIO)	// the card says that itself
			this.view.toast(`Quality: ${spokenName(choice)}`);
		this.use(choice, false);
	}

	// The rung at a place in the menu, if there is one.
	chooseRung(index) {
		const rung = this.rungs.video[index];
		if (rung)
			this.choose(rung.name);
	}

	// Auto or sound alone, where there is something to choose from.
	chooseKind(choice) {
		if (choice === AUTO ? this.rungs.video.length > 0 : this.rungs.audio)
			this.choose(choice);
	}

	use(choice, gently) {
		const was = this.active;
		this.active = choice;
		if (this.playing && this.playing !== AUDIO)
			this.begin = this.playing;
		if (was !== choice && this.player && !this.player.choose(choice, gently) && !this.asleep)
			this.open();
		this.player?.limit(this.limit());
		this.changed();
	}

	goLive() {
		this.player?.goLive();
		this.play();
	}

	isLive() {
		return !this.wanted || !this.player ? false : this.player.isLive();
	}

	stop() {
		this.turn++;
		this.player?.close();
		this.asleep = true;
	}

	// ---- what the engine tells

	rung(name) {
		this.playing = name;
		this.changed();
	}

	healthy() {
		this.attempt = 0;
		if (this.problem) {
			this.problem = null;
			this.resumes = 0;
			this.place.ms = performance.now();
			this.draw();
		}
	}

	weak() {
		if (this.place.began && this.counter.add(performance.now()))
			this.stepDown();
	}

	broken(fault) {
		if (fault.kind === 'media' && this.mend())
			return;
		this.fail(fault);
	}

	// A new decoder, then also a lower rung, then words.
	mend() {
		const now = performance.now();
		if (now - this.mended.ms > mend_ms)
			this.mended = { ms: now, times: 0 };
		this.mended.times++;
		if (this.mended.times > 2)
			return false;
		if (this.mended.times === 2)
			this.stepDown();
		this.player.recover();
		if (this.wanted)
			this.play();
		return true;
	}

	// ---- one rung down

	stepDown() {
		if (this.active === AUDIO || this.rungs.video.length === 0)
			return;
		if (this.active === AUTO)
			this.capLower();
		else
			this.fixLower();
	}

	capLower() {
		const { video } = this.rungs;
		const at = Math.max(0, video.findIndex((r) => r.name === this.playing));
		if (!this.ceiling.lower(at, video.length, performance.now())) {
			this.offerAudio();
			return;
		}
		this.player.limit(this.limit());
		this.view.toast(capped(this.limit()));
		this.changed();
	}

	fixLower() {
		const lower = lowerThan(this.rungs.video, this.active);
		if (!lower) {
			this.offerAudio();
			return;
		}
		this.view.toast(steppedDown(this.active, lower.name));
		this.use(lower.name, true);
	}

	offerAudio() {
		if (this.rungs.audio)
			this.view.toast(lowestAlready, 'Audio only', () => this.choose(AUDIO));
		else
			this.view.toast(lowestAlready);
	}

	// The best rung that auto may take: the data saver's or the failures' word, whichever is lower.
	limit() {
		const { video } = this.rungs;
		const saver = Math.max(0, video.findIndex((r) => r.name === this.most));
		const at = Math.max(saver, this.ceiling.index);
		return at === 0 ? null : video[at]?.name ?? null;
	}

	// ---- trouble

	fail(fault) {
		const said = this.describe(fault);
		const waitS = said.retry === 'auto' ? retryDelayS(this.attempt++, fault.retryAfterS) : null;
		this.problem = { fault, said, shown: false,
			retryMs: waitS === null ? null : performance.now() + waitS * 1000 };
		this.draw();
	}

	retryNow() {
		if (!this.problem)
			return;
		const { fault } = this.problem;
		this.wanted = true;
		this.problem.retryMs = null;
		this.problem.trying = true;
		this.stand();
		const light = this.player?.loaded && fault.kind !== 'media' && fault.kind !== 'silent';
		if (light && this.resumes < resumes_most) {
			this.resumes++;
			this.player.resume();
		} else {
			this.resumes = 0;
			this.start();
		}
	}

	acts(said) {
		const acts = [];
		if (said.act === 'again')
			acts.push({ label: said.actLabel, act: () => this.retryNow() });
		else if (said.act === 'reload')
			acts.push({ label: said.actLabel, act: () => location.reload() });
		else if (said.actHref)
			acts.push({ label: said.actLabel, href: said.actHref },
				{ label: 'Try again', act: () => this.retryNow() });
		return acts;
	}

	// ---- the clock

	tick() {
		const now = performance.now();
		if (this.video.currentTime !== this.place.time && !this.video.seeking) {
			const began = this.place.time >= 0 && this.video.readyState >= 2;
			this.place = { time: this.video.currentTime, ms: now, began: this.place.began || began };
		}
		if (this.ceiling.lift(now)) {
			this.player?.limit(this.limit());
			this.changed();
		}
		if (!this.wanted && !this.asleep && now - this.pausedMs > this.sleepMs)
			this.stop();
		this.look(now);
		this.draw();
	}

	// Long waits get a reason.
	look(now) {
		if (this.problem) {
			if (this.problem.retryMs !== null && now >= this.problem.retryMs)
				this.retryNow();
			else if (this.problem.trying && now - this.place.ms > this.startingMs)
				this.fail(this.problem.fault);
			return;
		}
		if (!this.wanted || this.asleep || !this.player)
			return;
		const still = now - this.place.ms;
		if (still > stuck_ms * 2 && !navigator.onLine)
			this.fail(new Fault('offline'));
		else if (still > (this.place.began ? this.silentMs : this.startingMs))
			this.askWhy();
	}

	async askWhy() {
		if (this.asking)
			return;
		this.asking = true;
		try {
			await this.ask(this.id);
			if (!this.running())
				this.fail(new Fault('silent'));
		} catch (fault) {
			if (!this.running())
				this.fail(fault instanceof Fault ? fault : new Fault('server'));
		} finally {
			this.asking = false;
		}
	}

	running() {
		return !this.video.paused && this.place.began
			&& performance.now() - this.place.ms < stuck_ms;
	}

	// ---- drawing

	draw() {
		const { view, problem, video } = this;
		const running = this.running();
		const shown = problem !== null && !running;
		view.refused(!this.wanted && !shown);
		view.spin(this.wanted && !running && !shown ? this.waitText() : null);
		if (shown)
			this.drawProblem();
		else
			view.noFault();
		if (!shown)
			view.state(running ? 'running' : this.wanted ? 'starting' : 'paused');
		if (running && this.active !== AUDIO && video.readyState >= 2)
			view.card(video.videoWidth === 0, this.noPicture);
	}

	waitText() {
		if (this.place.began)
			return 'Waiting for the picture…';
		return this.channel?.status === 'on' ? 'Loading…' : 'Starting…';
	}

	drawProblem() {
		const { problem, view } = this;
		if (!problem.shown)
			view.fault(problem.said, this.acts(problem.said));
		problem.shown = true;
		if (problem.trying)
			view.wait(0);
		else
			view.wait(problem.retryMs === null ? null
				: Math.ceil((problem.retryMs - performance.now()) / 1000));
	}
}
