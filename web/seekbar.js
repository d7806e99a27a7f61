// web/seekbar.js - the bar to seek on: where the film is, what is buffered, and what is where one points.
// SPDX-License-Identifier: BSD-2-Clause
import { Thumbnails } from './thumbnails.js';
import { clock, spoken } from './time.js';

const step_s = 10;
const page_s = 60;
const peek_ms = 2500;		// after a key

const $ = (id) => document.getElementById(id);
const percent = (share) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(3)}%`;

// Where a key on the bar leads to from `now`; null for a key that is none of the bar's.
export function keyTarget(key, now, length) {
	const moves = { ArrowLeft: now - step_s, ArrowDown: now - step_s, ArrowRight: now + step_s,
		ArrowUp: now + step_s, PageDown: now - page_s, PageUp: now + page_s, Home: 0, End: length };
	return Object.hasOwn(moves, key) ? Math.min(length, Math.max(0, moves[key])) : null;
}

// [{from, share}] of the bar that is buffered.
export function bufferedShares(buffered, length) {
	return Array.from({ length: length > 0 ? buffered.length : 0 }, (_, i) =>
		({ from: buffered.start(i) / length, share: (buffered.end(i) - buffered.start(i)) / length }));
}

export class SeekBar {
	// acts: {seek(seconds), hold(on) while a finger or the mouse is down}
	constructor(acts) {
		this.acts = acts;
		this.bar = $('seek');
		this.length = 0;
		this.now = 0;
		this.dragged = null;		// seconds, while it is dragged
		this.peeked = 0;
		this.peekTimer = 0;
		this.thumbnails = null;
		this.bindPointer();
		this.bar.addEventListener('keydown', (event) => this.key(event));
		this.bar.addEventListener('focus', () => {
			if (this.bar.matches(':focus-visible'))
				this.peek(this.now);
		});
		this.bar.addEventListener('blur', () => this.unpeek());
	}

	bindPointer() {
		const { bar } = this;
		bar.addEventListener('pointermove', (event) => this.pointed(event));
		bar.addEventListener('pointerdown', (event) => {
			if (event.button !== 0 || this.length === 0)
				return;
			bar.setPointerCapture(event.pointerId);
			this.dragged = this.secondAt(event);
			this.acts.hold(true);
			this.pointed(event);
		});
		bar.addEventListener('pointerup', () => this.release(true));
		bar.addEventListener('pointercancel', () => this.release(false));
		bar.addEventListener('pointerleave', () => {
			if (this.dragged === null)
				this.unpeek();
		});
	}

	secondAt(event) {
		const box = this.bar.getBoundingClientRect();
		return this.length * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
	}

	pointed(event) {
		const second = this.secondAt(event);
		if (this.dragged !== null) {
			this.dragged = second;
			this.place(second);
		}
		this.peek(second);
	}

	release(seek) {
		const to = this.dragged;
		if (to === null)
			return;
		this.dragged = null;
		this.acts.hold(false);
		this.unpeek();
		if (seek)
			this.acts.seek(to);
		else
			this.place(this.now);
	}

	key(event) {
		const to = event.ctrlKey || event.metaKey || event.altKey || this.length === 0 ? null
			: keyTarget(event.key, this.now, this.length);
		if (to === null)
			return;
		event.preventDefault();
		this.acts.seek(to);
		this.peek(to);
		clearTimeout(this.peekTimer);
		this.peekTimer = setTimeout(() => this.unpeek(), peek_ms);
	}

	// ---- what is shown

	// Where the film is, how long it is, and what of it is here (TimeRanges).
	show(now, length, buffered) {
		this.now = now;
		this.length = length;
		$('length').textContent = clock(length);
		this.bar.setAttribute('aria-valuemax', String(Math.floor(length)));
		if (this.dragged === null)
			this.place(now);
		this.drawBuffered(bufferedShares(buffered, length));
	}

	place(second) {
		const { bar, length } = this;
		bar.style.setProperty('--at', percent(length > 0 ? second / length : 0));
		$('time').textContent = clock(second, length);
		const whole = String(Math.floor(second));
		if (bar.getAttribute('aria-valuenow') === whole && bar.hasAttribute('aria-valuetext'))
			return;
		bar.setAttribute('aria-valuenow', whole);
		bar.setAttribute('aria-valuetext', `${spoken(second)} of ${spoken(length)}`);
	}

	drawBuffered(shares) {
		const place = $('seek-buffered');
		while (place.childElementCount > shares.length)
			place.lastElementChild.remove();
		while (place.childElementCount < shares.length)
			place.append(document.createElement('i'));
		shares.forEach(({ from, share }, i) => {
			place.children[i].style.left = percent(from);
			place.children[i].style.width = percent(share);
		});
	}

	// The time, and the picture where there is one, above a place on the bar.
	peek(second) {
		if (this.length === 0)
			return;
		clearTimeout(this.peekTimer);
		const box = $('peek');
		this.peeked = second;
		$('peek-time').textContent = clock(second, this.length);
		box.hidden = false;
		this.bar.style.setProperty('--ghost', percent(second / this.length));
		this.thumbnails?.show($('peek-picture'), second);
		const room = this.bar.clientWidth;
		const half = box.offsetWidth / 2;
		const at = room * second / this.length;
		box.style.left = `${Math.max(half - this.bar.offsetLeft, Math.min(room - half + this.bar.offsetLeft, at))}px`;
	}

	pictures(address) {
		this.thumbnails = new Thumbnails(address, () => {
			if (!$('peek').hidden)
				this.peek(this.peeked);
		});
	}

	unpeek() {
		$('peek').hidden = true;
		this.bar.style.setProperty('--ghost', '0%');
	}
}
