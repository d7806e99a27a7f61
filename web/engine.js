// web/engine.js - plays through hls.js: its settings for live television, its events in our words.
// SPDX-License-Identifier: BSD-2-Clause
import { faultFromAnswer, faultFromSilence, Fault } from './fault.js';
import { AUDIO, AUTO, nameLevels } from './quality.js';
import { watchSlowness } from './slow.js';

const late_s = 4;		// behind the usual distance by more than this is not live any more
const edge_slack_s = 0.5;
const longest_body = 4096;

// Failures that a lower rung can cure; 404 on a rung's playlist is judged by its status.
const curable = new Set(['fragLoadError', 'fragLoadTimeOut', 'fragParsingError', 'bufferAppendError',
	'levelLoadTimeOut']);

// A listed segment or a live playlist may be missing for a moment: hls.js itself gives up at any 4xx.
function keepTrying(config, count, timedOut, response, usual) {
	return usual || (count < config.maxNumRetry && response?.code === 404);
}

function policy(firstByteMs, wholeMs, errors) {
	return { default: {
		maxTimeToFirstByteMs: firstByteMs,
		maxLoadTimeMs: wholeMs,
		timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
		errorRetry: { maxNumRetry: errors, retryDelayMs: 1000, maxRetryDelayMs: 4000,
			backoff: 'linear', shouldRetry: keepTrying },
	} };
}

export function hlsConfig() {
	return {
		autoStartLoad: false,
		liveSyncDurationCount: 3,
		liveMaxLatencyDurationCount: 10,
		maxBufferLength: 12,
		maxMaxBufferLength: 24,
		maxBufferSize: 24e6,
		backBufferLength: 10,
		maxLoadingDelay: 2,
		startFragPrefetch: true,
		// Seconds of loading after which half of the measured rate is new. A small segment over a fast
		// link takes a twentieth of one: with the usual 9 it takes minutes to believe that the link is
		// open again, and two segments too large for a link that has become thin.
		abrEwmaFastLive: 0.5,
		abrEwmaSlowLive: 1.2,
		lowLatencyMode: false,
		preserveManualLevelOnError: true,
		errorPenaltyExpireMs: 30000,
		manifestLoadPolicy: policy(10000, 15000, 3),
		playlistLoadPolicy: policy(6000, 10000, 6),
		fragLoadPolicy: policy(8000, 20000, 4),
		enableInterstitialPlayback: false,
		enableID3MetadataCues: false,
	};
}

// What an error says: text, also where media was asked for.
function bodyOf(xhr) {
	if (xhr?.responseType === 'arraybuffer')
		return new TextDecoder().decode((xhr.response ?? new ArrayBuffer(0)).slice(0, longest_body));
	return xhr?.responseType === '' || xhr?.responseType === 'text' ? xhr.responseText : '';
}

// The fault that an error of hls.js is.
export function faultFrom(data) {
	const status = data.response?.code ?? 0;
	if (data.type !== 'networkError')
		return new Fault('media', { text: '' });
	if (status >= 400) {
		const xhr = data.networkDetails;
		return faultFromAnswer(status, xhr?.getResponseHeader?.('Retry-After') ?? null, bodyOf(xhr));
	}
	if (data.details === 'manifestParsingError' || data.details === 'levelEmptyError')
		return new Fault('silent');
	return faultFromSilence(navigator.onLine, /TimeOut$/.test(data.details));
}

// events: onRung(name) · onHealthy() a segment arrived · onWeak(reason) a failure that a lower rung may
// cure · onFault(fault, details) playing cannot go on by itself.
export class HlsEngine {
	constructor(Hls, video, events) {
		this.Hls = Hls;
		this.video = video;
		this.events = events;
		this.hls = null;
		this.unwatch = null;
		this.names = [];
	}

	// source: {rungs, master}; plan: {choice, start, most} as quality.js gives them.
	open(source, plan) {
		this.close();
		this.source = source;
		this.audioOnly = plan.choice === AUDIO;
		const hls = new this.Hls(hlsConfig());
		const { Events } = this.Hls;
		this.hls = hls;
		hls.on(Events.MANIFEST_PARSED, () => this.begin(plan));
		hls.on(Events.LEVEL_SWITCHED, (_, { level }) => this.events.onRung(this.nameOf(level)));
		hls.on(Events.FRAG_BUFFERED, () => this.events.onHealthy());
		hls.on(Events.ERROR, (_, data) => this.judge(data));
		this.unwatch = watchSlowness(hls, Events);
		hls.loadSource(this.audioOnly ? source.rungs.audio.url : source.master);
		hls.attachMedia(this.video);
	}

	begin(plan) {
		const { hls, source } = this;
		this.names = this.audioOnly ? []
			: nameLevels(source.rungs.video, hls.levels.map((l) =>
				({ height: l.height, bitrate: l.bitrate, url: l.uri ?? l.url?.[0] })));
		if (!this.audioOnly) {
			const start = this.indexOf(plan.start);
			if (plan.choice !== AUTO && start >= 0)
				hls.loadLevel = start;
			else if (start >= 0)
				hls.startLevel = start;
			this.limit(plan.most);
		}
		hls.startLoad(-1);
	}

	nameOf(level) {
		return this.audioOnly ? AUDIO : this.names[level] ?? null;
	}

	indexOf(name) {
		return this.names.indexOf(name);
	}

	// Auto or a rung, without a break in playing. False when only open() can do it. `gently` keeps
	// what is buffered already: a slow connection has no second copy to spare.
	choose(choice, gently = false) {
		if (!this.hls || this.audioOnly || choice === AUDIO)
			return false;
		const index = choice === AUTO ? -1 : this.indexOf(choice);
		if (choice !== AUTO && index < 0)
			return false;
		if (gently || choice === AUTO)
			this.hls.loadLevel = index;
		else
			this.hls.nextLevel = index;
		return true;
	}

	// The best rung that auto may take; null takes the limit away.
	limit(name) {
		if (this.hls && !this.audioOnly)
			this.hls.autoLevelCapping = name === null ? -1 : this.indexOf(name);
	}

	judge(data) {
		if (data.fatal) {
			this.events.onFault(faultFrom(data), data.details);
			return;
		}
		const status = data.response?.code ?? 0;
		const stalled = data.details === 'bufferStalledError' && !this.starved();
		const gone = data.details === 'levelLoadError' && status === 404;
		const busy = status >= 500 && status !== 500;
		if ((stalled || gone || curable.has(data.details)) && !busy && navigator.onLine)
			this.events.onWeak(data.details);
	}

	// The player has everything that the playlist lists: the source is late, not the connection.
	starved() {
		const details = this.hls.levels[this.hls.loadLevel]?.details;
		const buffered = this.video.buffered;
		if (!details || buffered.length === 0)
			return false;
		return buffered.end(buffered.length - 1) >= details.edge - edge_slack_s;
	}

	// After a network fault: goes on with what is buffered and asks again.
	resume() {
		this.hls?.startLoad(-1);
	}

	// After a media fault: a new decoder, the same stream.
	recover() {
		this.hls?.recoverMediaError();
	}

	isLive() {
		const { hls } = this;
		if (!hls?.targetLatency)
			return true;
		return hls.latency <= hls.targetLatency + late_s;
	}

	goLive() {
		const position = this.hls?.liveSyncPosition;
		if (position)
			this.video.currentTime = position;
	}

	// Whether any playlist was read: resume() is enough then.
	get loaded() {
		return (this.hls?.levels?.length ?? 0) > 0;
	}

	close() {
		this.unwatch?.();
		this.hls?.destroy();
		this.hls = null;
		this.names = [];
	}
}

// Loads the script of hls.js; resolves with Hls, or null where it is missing or cannot work here.
export function loadHls(address) {
	if (!address)
		return Promise.resolve(null);
	return new Promise((resolve) => {
		const script = document.createElement('script');
		script.src = address;
		script.addEventListener('load', () => {
			resolve(globalThis.Hls?.isSupported() ? globalThis.Hls : null);
		});
		script.addEventListener('error', () => resolve(null));
		document.head.append(script);
	});
}
