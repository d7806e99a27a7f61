// web/menu.js - a menu of the player: opens from its button, obeys arrows, letters and Escape, gives
// the focus back.
// SPDX-License-Identifier: BSD-2-Clause

function makeItem({ value, label, detail, checked, key }) {
	const item = document.createElement('button');
	item.type = 'button';
	item.className = 'menu-item';
	item.setAttribute('role', 'menuitemradio');
	item.setAttribute('aria-checked', String(checked));
	item.tabIndex = -1;
	item.dataset.value = value;
	for (const [name, text] of [['tick', ''], ['menu-label', label], ['menu-detail', detail],
		['menu-key', key]]) {
		const part = document.createElement('span');
		part.className = name;
		part.textContent = text;
		if (name === 'tick' || name === 'menu-key')
			part.setAttribute('aria-hidden', 'true');
		item.append(part);
	}
	return item;
}

export class Menu {
	// That of the page's button `name`; the key `letter` opens and closes it. choose(value) is called after it has
	// closed.
	constructor(name, letter, choose) {
		this.button = document.getElementById(name);
		this.box = document.getElementById(`${name}-menu`);
		this.items = document.getElementById(`${name}-items`);
		this.note = document.getElementById(`${name}-note`);
		this.letter = letter;
		this.choose = choose;
		this.button.addEventListener('click', () => this.toggle());
		this.items.addEventListener('click', (event) => {
			const item = event.target.closest('.menu-item');
			if (item)
				this.pick(item.dataset.value);
		});
		this.box.addEventListener('keydown', (event) => this.key(event));
		document.addEventListener('pointerdown', (event) => {
			if (this.open && !this.box.contains(event.target) && !this.button.contains(event.target))
				this.hide(false);
		});
		this.box.addEventListener('focusout', (event) => {
			if (this.open && event.relatedTarget && !this.box.contains(event.relatedTarget)
				&& event.relatedTarget !== this.button)
				this.hide(false);
		});
	}

	get open() {
		return !this.box.hidden;
	}

	// Fills the menu anew; what is focused stays focused.
	fill(items, note = '') {
		const focused = this.box.contains(document.activeElement)
			? document.activeElement.dataset.value : null;
		this.items.replaceChildren(...items.map(makeItem));
		this.note.textContent = note;
		this.note.hidden = note === '';
		this.button.disabled = items.length === 0;
		if (focused !== null)
			this.all().find((i) => i.dataset.value === focused)?.focus();
	}

	all() {
		return [...this.items.querySelectorAll('.menu-item')];
	}

	toggle() {
		if (this.open)
			this.hide(true);
		else
			this.show();
	}

	show() {
		if (this.button.disabled)
			return;
		this.box.hidden = false;
		this.button.setAttribute('aria-expanded', 'true');
		(this.all().find((i) => i.getAttribute('aria-checked') === 'true') ?? this.all()[0])?.focus();
	}

	hide(giveBack) {
		this.box.hidden = true;
		this.button.setAttribute('aria-expanded', 'false');
		if (giveBack)
			this.button.focus();
	}

	pick(value) {
		this.hide(true);
		this.choose(value);
	}

	key(event) {
		const items = this.all();
		const at = items.indexOf(document.activeElement);
		const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
		if (event.key in moves) {
			event.preventDefault();
			items.at(moves[event.key] % items.length)?.focus();
		} else if (event.key === 'Escape' || event.key === this.letter) {
			event.preventDefault();
			event.stopPropagation();
			this.hide(true);
		} else if (event.key === 'Tab') {
			this.hide(false);
		} else {
			const item = items.find((i) => event.key !== ''
				&& i.querySelector('.menu-key').textContent.toLowerCase() === event.key);
			if (item)
				this.pick(item.dataset.value);
		}
	}
}
