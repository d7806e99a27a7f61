// web/plays.js - what the browser plays as it is, in the service's words (GET /api/stream/vod/{id}, `plays`).
// SPDX-License-Identifier: BSD-2-Clause

const types = {
	mp4: 'video/mp4', webm: 'video/webm', mkv: 'video/x-matroska', ts: 'video/mp2t',
	h264: 'video/mp4; codecs="avc1.640028"', hevc: 'video/mp4; codecs="hvc1.1.6.L120.90"',
	av1: 'video/mp4; codecs="av01.0.08M.08"', vp8: 'video/webm; codecs="vp8"', vp9: 'video/webm; codecs="vp9"',
	aac: 'audio/mp4; codecs="mp4a.40.2"', mp3: 'audio/mpeg', ac3: 'audio/mp4; codecs="ac-3"',
	eac3: 'audio/mp4; codecs="ec-3"', opus: 'audio/webm; codecs="opus"', vorbis: 'audio/webm; codecs="vorbis"',
	flac: 'audio/flac',
};

export function playsOf(video) {
	return Object.keys(types).filter((name) => video.canPlayType(types[name]) !== '').join(',');
}
