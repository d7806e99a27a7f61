// web/resume.js - where one stopped in which film, kept on this device.
// SPDX-License-Identifier: BSD-2-Clause

const most = 200;		// titles; those watched longest ago are forgotten
const begun_s = 20;		// sooner nothing is worth remembering
const begun_share = 0.02;
const seen_share = 0.95;	// what follows are names

// Where to go on after stopping at `second`, or null: hardly begun, or as good as seen.
export function placeToKeep(second, length) {
	if (!(length > 0) || second < Math.min(begun_s, length * begun_share) || second > length * seen_share)
		return null;
	return Math.floor(second);
}

export class Resume {
	// `store` reads and writes one text by name (store.js).
	constructor(store) {
		this.store = store;
	}

	// [[id, second, length], …], the latest first
	all() {
		try {
			const list = JSON.parse(this.store.read('places') ?? '[]');
			return Array.isArray(list) ? list.filter((entry) => Array.isArray(entry) && typeof entry[0] === 'string'
				&& entry[1] >= 0 && entry[2] > 0) : [];
		} catch {
			return [];
		}
	}

	// {second, length}, or null.
	find(id) {
		const entry = this.all().find(([name]) => name === id);
		return entry ? { second: entry[1], length: entry[2] } : null;
	}

	// Returns what is kept now, as find() does.
	keep(id, second, length) {
		const place = placeToKeep(second, length);
		const others = this.all().filter(([name]) => name !== id);
		if (place !== null)
			others.unshift([id, place, Math.round(length)]);
		this.store.write('places', JSON.stringify(others.slice(0, most)));
		return place === null ? null : { second: place, length: Math.round(length) };
	}
}
