// web/view.js - what lies over the picture: spinner, big play button, faults in words, toasts, the card.
// SPDX-License-Identifier: BSD-2-Clause
import { fillFace } from './face.js';
import { countdown } from './messages.js';

const toast_ms = 6000;
const spinner_ms = 400;		// shorter waits are not worth a word

const $ = (id) => document.getElementById(id);

export class View {
	constructor() {
		this.stage = $('stage');
		this.toastTimer = 0;
		this.spinTimer = 0;
	}

	// The channel's name, logo and what is on.
	channel({ name, logo, now }, siteName) {
		this.heading({ name, logo, line: now?.title ? `Now: ${now.title}` : 'Live television' }, siteName);
	}

	heading({ name, logo, line }, siteName) {
		for (const id of ['name', 'card-name', 'heading-name'])
			$(id).textContent = name;
		$('video').setAttribute('aria-label', name);
		$('now').textContent = line;
		fillFace($('face'), name, logo);
		fillFace($('card-face'), name, logo);
		document.title = [name, siteName].filter(Boolean).join(' · ');
	}

	state(name) {
		this.stage.dataset.state = name;
	}

	// Text, or null when there is nothing to wait for.
	spin(text) {
		if (text !== null)
			$('spinner-text').textContent = text;
		if ((text !== null) === this.spinning)
			return;
		this.spinning = text !== null;
		clearTimeout(this.spinTimer);
		if (!this.spinning)
			$('spinner').hidden = true;
		else
			this.spinTimer = setTimeout(() => {
				$('spinner').hidden = false;
			}, spinner_ms);
	}

	refused(on) {
		$('refused').hidden = !on;
	}

	card(on, note = 'Audio only') {
		$('card').hidden = !on;
		$('card-note').textContent = note;
	}

	// said: from messages.js. acts: [{label, act, href}].
	fault(said, acts) {
		$('fault-title').textContent = said.title;
		$('fault-text').textContent = said.text;
		$('fault-detail').textContent = said.detail;
		$('fault-detail').hidden = ['', said.title, said.text].includes(said.detail);
		$('fault-acts').replaceChildren(...acts.map(makeAct));
		$('fault').hidden = false;
		this.state('fault');
	}

	// Seconds to the next attempt, 0 while it is made, null when none will be made.
	wait(seconds) {
		$('fault-wait').hidden = seconds === null;
		$('fault-wait').textContent = seconds === null ? '' : countdown(seconds);
	}

	noFault() {
		$('fault').hidden = true;
	}

	// A sentence that passes by; with a button where something can be done about it.
	toast(text, label = '', act = null) {
		clearTimeout(this.toastTimer);
		$('toast-text').textContent = text;
		$('toast-act').textContent = label;
		$('toast-act').hidden = act === null;
		$('toast-act').onclick = act === null ? null : () => {
			this.noToast();
			act();
		};
		$('toast').classList.add('shown');
		this.toastTimer = setTimeout(() => this.noToast(), act === null ? toast_ms : toast_ms * 2);
	}

	noToast() {
		clearTimeout(this.toastTimer);
		$('toast').classList.remove('shown');
		$('toast-text').textContent = '';
		$('toast-act').hidden = true;
	}
}

function makeAct({ label, act = null, href = '' }) {
	const made = document.createElement(href ? 'a' : 'button');
	made.className = 'button';
	made.textContent = label;
	if (href)
		made.href = href;
	else
		made.type = 'button';
	if (act)
		made.addEventListener('click', act);
	return made;
}
