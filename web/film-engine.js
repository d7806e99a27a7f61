// web/film-engine.js - a film through hls.js: its settings for what has a beginning and an end, its tracks.
// SPDX-License-Identifier: BSD-2-Clause
import { faultFrom, HlsEngine } from './engine.js';
import { AUDIO, AUTO } from './quality.js';
import { OFF } from './tracks.js';

// The service makes what is asked for while it is waited for, and says "busy" after 9 s.
function policy(firstByteMs, wholeMs, errors) {
	return { default: {
		maxTimeToFirstByteMs: firstByteMs,
		maxLoadTimeMs: wholeMs,
		timeoutRetry: { maxNumRetry: 3, retryDelayMs: 0, maxRetryDelayMs: 0 },
		errorRetry: { maxNumRetry: errors, retryDelayMs: 1000, maxRetryDelayMs: 4000, backoff: 'linear' },
	} };
}

// `at`: the second to begin with.
export function filmConfig(at) {
	return {
		autoStartLoad: false,
		startPosition: at,
		maxBufferLength: 40,
		maxMaxBufferLength: 120,
		maxBufferSize: 60e6,
		backBufferLength: 60,
		startFragPrefetch: true,
		preserveManualLevelOnError: true,
		errorPenaltyExpireMs: 30000,
		manifestLoadPolicy: policy(10000, 15000, 6),
		playlistLoadPolicy: policy(12000, 20000, 6),
		fragLoadPolicy: policy(12000, 120000, 6),
		enableInterstitialPlayback: false,
		enableID3MetadataCues: false,
	};
}

// "…/{ver}/480p.m3u8" -> "480p"
export function renditionOf(url) {
	return /\/([A-Za-z0-9]+)\.m3u8(?:\?|$)/.exec(url ?? '')?.[1] ?? null;
}

function trackOf(url) {
	const number = /^[as](\d+)$/.exec(renditionOf(url) ?? '')?.[1];
	return number === undefined ? OFF : Number(number);
}

// events: those of HlsEngine, and onSound(n) the sound that plays. plan: that of HlsEngine, and {at,
// sound (null: the film's own choice), text}.
export class FilmEngine extends HlsEngine {
	open(source, plan) {
		this.close();
		this.source = source;
		this.plan = plan;
		this.audioOnly = plan.choice === AUDIO;
		const { Events } = this.Hls;
		const hls = new this.Hls(filmConfig(plan.at));
		this.hls = hls;
		hls.on(Events.MANIFEST_PARSED, () => this.begin(plan));
		hls.on(Events.LEVEL_SWITCHED, (_, { level }) => this.events.onRung(this.nameOf(level)));
		hls.on(Events.FRAG_BUFFERED, () => this.events.onHealthy());
		hls.on(Events.AUDIO_TRACKS_UPDATED, () => this.pickSound(this.plan.sound));
		hls.on(Events.AUDIO_TRACK_SWITCHED, (_, { url }) => this.events.onSound(trackOf(url)));
		hls.on(Events.SUBTITLE_TRACKS_UPDATED, () => this.pickText(this.plan.text));
		hls.on(Events.ERROR, (_, data) => this.judge(data));
		hls.loadSource(this.audioOnly ? source.rungs.audio.url : source.master);
		hls.attachMedia(this.video);
	}

	begin(plan) {
		const { hls } = this;
		this.names = this.audioOnly ? [] : hls.levels.map((level) => renditionOf(level.uri ?? level.url?.[0]));
		const start = this.indexOf(plan.start);
		if (!this.audioOnly && plan.choice !== AUTO && start >= 0)
			hls.loadLevel = start;
		else if (!this.audioOnly && start >= 0)
			hls.startLevel = start;
		this.limit(plan.most);
		hls.startLoad(plan.at);
	}

	// By its number in the film; null leaves it as it is.
	pickSound(n) {
		this.plan.sound = n;
		const at = this.hls?.audioTracks.findIndex((track) => trackOf(track.url) === n) ?? -1;
		if (n !== null && at >= 0 && this.hls.audioTrack !== at)
			this.hls.audioTrack = at;
		return true;
	}

	pickText(n) {
		this.plan.text = n;
		if (this.hls)
			this.hls.subtitleTrack = this.hls.subtitleTracks.findIndex((track) => trackOf(track.url) === n);
		return true;
	}

	judge(data) {
		const fault = (data.response?.code ?? 0) === 404 ? faultFrom(data) : null;
		if (fault?.kind === 'changed')
			this.events.onFault(fault, data.details);
		else
			super.judge(data);
	}
}
