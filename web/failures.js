// web/failures.js - how often playing failed lately, and how long a lower quality then holds.
// SPDX-License-Identifier: BSD-2-Clause

// Says when `limit` failures fell into `windowMs`; those are then forgotten.
export class FailureCounter {
	constructor(limit = 2, windowMs = 10000) {
		this.limit = limit;
		this.windowMs = windowMs;
		this.times = [];
	}

	add(nowMs) {
		this.times = this.times.filter((t) => nowMs - t < this.windowMs);
		this.times.push(nowMs);
		if (this.times.length < this.limit)
			return false;
		this.times = [];
		return true;
	}

	clear() {
		this.times = [];
	}
}

// The highest rung that automatic choice may take after failures: an index into the rungs, best first,
// 0 being no limit. Each new failure holds it longer; each quiet hold lifts it by one rung.
export class Ceiling {
	constructor(holdMs = 60000, longestMs = 600000) {
		this.shortestMs = holdMs;
		this.longestMs = longestMs;
		this.holdMs = holdMs;
		this.index = 0;
		this.untilMs = 0;
	}

	// Playing failed at rung `index` of `count`: true when there is a lower one to go to.
	lower(index, count, nowMs) {
		const next = Math.max(index, this.index) + 1;
		if (next >= count)
			return false;
		if (this.untilMs !== 0)
			this.holdMs = Math.min(this.longestMs, this.holdMs * 2);
		this.index = next;
		this.untilMs = nowMs + this.holdMs;
		return true;
	}

	// True when the limit has just risen.
	lift(nowMs) {
		if (this.index === 0 || nowMs < this.untilMs)
			return false;
		this.index--;
		this.untilMs = nowMs + this.holdMs;
		return true;
	}

	clear() {
		this.index = 0;
		this.untilMs = 0;
		this.holdMs = this.shortestMs;
	}
}
