// web/face.js - a channel's logo, or its initials upon a colour of its own. initials() and hue() are
// pure; fillFace() draws.
// SPDX-License-Identifier: BSD-2-Clause

// "BBC One HD" -> "BO": the first letters of the first two words that say something; a number at the
// end tells more: "Test picture 2" -> "T2".
export function initials(name) {
	const words = String(name ?? '').replace(/[|:()[\]{}·•_-]+/g, ' ').split(/\s+/)
		.filter((w) => /[\p{L}\p{N}]/u.test(w))
		.filter((w, i) => i === 0 || !/^(tv|hd|fhd|uhd|sd|4k|the)$/i.test(w));
	if (words.length === 0)
		return '?';
	const last = words[words.length - 1];
	if (words.length > 1 && /^\d{1,2}$/.test(last))
		return Array.from(words[0])[0].toUpperCase() + last;
	const letters = words.length === 1 ? Array.from(words[0]).slice(0, 2)
		: words.slice(0, 2).map((w) => Array.from(w)[0]);
	return letters.join('').toUpperCase();
}

// 0 to 359, the same for the same name for ever.
export function hue(name) {
	let sum = 7;
	for (const character of String(name ?? ''))
		sum = (sum * 31 + character.codePointAt(0)) % 9973;
	return sum % 360;
}

// Only what an <img> may show without asking anybody else for anything but the picture.
export function safePicture(address) {
	const text = String(address ?? '').trim();
	return /^(https?:\/\/|\/(?!\/)|data:image\/(png|jpeg|gif|webp|svg\+xml)[;,])/i.test(text) ? text : '';
}

export function fillFace(place, name, logo) {
	place.replaceChildren(initials(name));
	place.style.setProperty('--hue', String(hue(name)));
	place.classList.remove('pictured');
	const address = safePicture(logo);
	if (address === '')
		return;
	const image = new Image();
	image.alt = '';
	image.loading = 'lazy';
	image.decoding = 'async';
	image.referrerPolicy = 'no-referrer';
	image.addEventListener('load', () => place.classList.add('pictured'));
	image.addEventListener('error', () => image.remove());
	image.src = address;
	place.append(image);
}
