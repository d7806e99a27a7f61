// web/store.js - what the page remembers on this device. Works, and forgets, where storage is refused.
// SPDX-License-Identifier: BSD-2-Clause

const prefix = 'sluice.';

export class Store {
	// `storage` is a Storage or null; it may throw at any call (private windows, full quota).
	// `qualityKey`: a film's quality is a choice of its own.
	constructor(storage, qualityKey = 'quality') {
		this.storage = storage;
		this.qualityKey = qualityKey;
	}

	read(key) {
		try {
			return this.storage?.getItem(prefix + key) ?? null;
		} catch {
			return null;
		}
	}

	write(key, value) {
		try {
			this.storage?.setItem(prefix + key, String(value));
		} catch {
			// nothing is lost but the memory of a choice
		}
	}

	get quality() {
		const value = this.read(this.qualityKey);
		return value && /^(auto|audio|\d{2,4}p|source)$/.test(value) ? value : null;
	}

	set quality(value) {
		this.write(this.qualityKey, value);
	}

	// 'off', a language ("deu"), or null
	language(kind) {
		const value = this.read(kind);
		return value && /^[A-Za-z0-9-]{2,35}$/.test(value) ? value : null;
	}

	// 0 to 1
	get volume() {
		const value = Number.parseFloat(this.read('volume') ?? '');
		return value >= 0 && value <= 1 ? value : 1;
	}

	set volume(value) {
		this.write('volume', value.toFixed(2));
	}

	get muted() {
		return this.read('muted') === 'true';
	}

	set muted(value) {
		this.write('muted', value);
	}
}

export function openStore(scope = globalThis, qualityKey = 'quality') {
	try {
		return new Store(scope.localStorage ?? null, qualityKey);
	} catch {
		return new Store(null, qualityKey);
	}
}
