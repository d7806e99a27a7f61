// web/slow.js - keeps the picture from standing: begins when there is enough to go on with, leaves a segment
// that comes too slowly for a lower one, and gathers something in advance after a quick start.
// SPDX-License-Identifier: BSD-2-Clause
// hls.js leaves segments by itself, but not where the only lower rung is the lowest.
import { askForList, leaveSlates } from './slate.js';

const look_ms = 250;
const first_ms = 500;		// sooner the rate says little
const silent_ms = 1500;		// a far server takes its time for the first byte
const easy_rate = 0.95;		// nobody hears that
const short_s = 1;
const spare_s = 0.5;
const enough_s = 1.5;		// half a second in hand when the short segments of a quick start are over
const hold_ms = 3000;		// from a source that gives less, nothing better will come
const begin_ms = 10000;		// for so long the list of a channel is asked for at each look, where that is urgent

const aheadS = (hls) => hls.mainForwardBufferInfo?.len ?? 0;

// Whether the rest of a segment takes longer than there is to play, and another one at `lowerRate` takes
// less. Sizes in bytes, times in seconds, rates in bits a second.
export function isTooSlow({ loaded, size, elapsedS, bufferedS, durationS, lowerRate }) {
	const rate = loaded / elapsedS;
	const restS = rate > 0 ? (size - loaded) / rate : Infinity;
	const otherS = rate > 0 ? lowerRate * durationS / 8 / rate : 0;
	return restS > bufferedS - spare_s && otherS < restS;
}

function look(hls, frag, now) {
	const { levels, minAutoLevel } = hls;
	const { stats } = frag;
	const elapsedMs = now - stats.loading.start;
	if (!hls.autoLevelEnabled || frag.level !== minAutoLevel + 1 || hls.media?.paused)
		return false;
	if (elapsedMs < (stats.loaded > 0 ? first_ms : silent_ms))
		return false;
	const level = levels[frag.level];
	return isTooSlow({ loaded: stats.loaded, elapsedS: elapsedMs / 1000, durationS: frag.duration,
		size: stats.total || level.averageBitrate * frag.duration / 8,
		bufferedS: aheadS(hls), lowerRate: levels[minAutoLevel].averageBitrate });
}

function leave(hls, Events, frag, now) {
	const { stats } = frag;
	const rate = 8000 * stats.loaded / (now - stats.loading.start);
	hls.bandwidthEstimate = Math.max(1, Math.round(rate));	// what was measured before counts no more
	hls.nextLoadLevel = hls.minAutoLevel;
	frag.abortRequests();
	hls.trigger(Events.FRAG_LOAD_EMERGENCY_ABORTED, { frag, part: null, stats });
}

// How fast to play next. Who begins with the first picture there is has too little in advance: a little
// slower, until it is what it should be. Any other rate is somebody else's.
export function easyRate(rate, latencyS, targetS) {
	if (rate === 1 && latencyS > 0 && latencyS < targetS - short_s)
		return easy_rate;
	return rate === easy_rate && latencyS >= targetS ? 1 : rate;
}

// Whether to show the first picture only, for now: what follows it is not there yet.
export function isTooSoon({ bufferedS, heldMs }) {
	return bufferedS < enough_s && heldMs < hold_ms;
}

// Holds the picture of a channel that begins; gives the function that looks whether it may go on.
function hold(hls) {
	let since = null;
	hls.media.playbackRate = 0;
	return () => {
		const bufferedS = aheadS(hls);
		if (bufferedS > 0)
			since ??= performance.now();
		if (hls.media?.playbackRate === 0 && since !== null
			&& !isTooSoon({ bufferedS, heldMs: performance.now() - since }))
			hls.media.playbackRate = 1;
	};
}

// From now on; gives the function that ends it.
export function watchSlowness(hls, Events) {
	const since = performance.now();
	let loading = null;
	let mayGoOn = () => {};
	hls.on(Events.MEDIA_ATTACHED, () => mayGoOn = hold(hls));
	const slates = leaveSlates(hls, Events, () => mayGoOn = hold(hls));
	hls.on(Events.FRAG_BUFFERED, () => mayGoOn());
	const done = (_, { frag }) => {
		if (frag === loading)
			loading = null;
	};
	hls.on(Events.FRAG_LOADING, (_, { frag }) => {
		loading = frag.sn === 'initSegment' ? loading : frag;
	});
	for (const event of [Events.FRAG_LOADED, Events.FRAG_LOAD_EMERGENCY_ABORTED])
		hls.on(event, done);
	const timer = setInterval(() => {
		const now = performance.now();
		if (loading && !loading.stats.aborted && look(hls, loading, now))
			leave(hls, Events, loading, now);
		mayGoOn();
		if (now - since < begin_ms && (!slates.hasBegun() || aheadS(hls) < short_s))
			askForList(hls, Events);
		if (hls.media && hls.targetLatency)
			hls.media.playbackRate = easyRate(hls.media.playbackRate, hls.latency, hls.targetLatency);
	}, look_ms);
	return () => {
		clearInterval(timer);
		if (hls.media)
			hls.media.playbackRate = 1;
	};
}
