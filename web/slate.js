// web/slate.js - tells the slates of a channel that has nothing to show from its own picture, and goes on to
// that as soon as it is there.
// SPDX-License-Identifier: BSD-2-Clause

const seam_s = 0.02;		// so far behind the seam the last picture of the slate is gone
const targets_ahead = 2;	// of the channel, in target durations, for a viewer who has seen it already

// The service gives its slates this title.
export function isSlate(frag) {
	return frag?.title === 'slate';
}

// Where to go on when a segment has come, in seconds; null: not yet, or there is no slate to leave. `frags`
// are the playlist's, `time` is what is shown, `end` what is buffered without a break from there. At least
// `aheadS` of the channel must be there.
export function ownBegin({ frags, time, end, aheadS }) {
	const at = frags.findLastIndex((f) => f.start <= time + seam_s);
	if (at < 0 || !isSlate(frags[at]))
		return null;
	const own = frags.find((f, i) => i > at && !isSlate(f));
	if (!own)
		return null;
	const begin = Math.max(own.start, own.elementaryStreams?.video?.startPTS ?? 0) + seam_s;
	return end > begin && end - begin >= aheadS ? begin : null;
}

// Has hls.js look at the playlist now, not when the last segment listed would be over.
export function askForList(hls, Events) {
	const level = hls.loadLevel;
	const levelInfo = hls.levels[level];
	if (levelInfo?.details?.live)
		hls.trigger(Events.LEVEL_LOADING, { url: levelInfo.uri, level, levelInfo, id: 0,
			pathwayId: levelInfo.attrs['PATHWAY-ID'], deliveryDirectives: null });
}

// From now on goes to the channel's own picture when it is buffered: at once where it was not seen yet, and
// calls onBegin() then; later, when a source was away meanwhile, with enough of it not to stand still.
export function leaveSlates(hls, Events, onBegin) {
	let seen = false;
	hls.on(Events.FRAG_CHANGED, (_, { frag }) => seen ||= !isSlate(frag));
	hls.on(Events.FRAG_BUFFERED, () => {
		const { media, mainForwardBufferInfo: buffer } = hls;
		const details = hls.levels[hls.loadLevel]?.details;
		if (!media || !buffer || !details)
			return;
		const begin = ownBegin({ frags: details.fragments, time: media.currentTime, end: buffer.end,
			aheadS: seen ? targets_ahead * details.targetduration : 0 });
		if (begin === null)
			return;
		media.currentTime = begin;
		if (!seen)
			onBegin();
		seen = true;
	});
	return { hasBegun: () => seen };
}
