// web/taps.js - two quick taps at a side of the picture skip on or back, as fingers expect.
// SPDX-License-Identifier: BSD-2-Clause

const quick_ms = 300;
const side_share = 0.35;

// -1: left, 1: right, 0: between them
export function sideOf(x, width) {
	if (x < width * side_share)
		return -1;
	return x > width * (1 - side_share) ? 1 : 0;
}

export class Taps {
	// skip(side) for each tap after the first
	constructor(stage, surfaces, skip) {
		this.last = { ms: -Infinity, side: 0 };
		for (const surface of surfaces)
			surface.addEventListener('pointerup', (event) => {
				if (event.pointerType !== 'touch')
					return;
				const box = stage.getBoundingClientRect();
				const side = sideOf(event.clientX - box.left, box.width);
				const now = event.timeStamp;
				if (side !== 0 && side === this.last.side && now - this.last.ms < quick_ms)
					skip(side);
				this.last = { ms: now, side };
			});
	}
}
