// web/face.js - a channel's logo, or its initials upon a colour of its own. initials(), hue(), ownPicture() and
// pictureSize() are pure; fillFace() draws.
// SPDX-License-Identifier: BSD-2-Clause

const sizes = [64, 128, 256, 512, 1024, 2048];	// of /cdn/art

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

// The path of a picture of ours, on the host that this page came from; "" for whatever else a server or
// somebody between says.
export function ownPicture(address) {
	const [, own] = /^(?:https?:\/\/[^/]+)?(\/cdn\/art\/[A-Za-z0-9._-]{1,80})$/.exec(address ?? '') ?? [];
	return own ?? '';
}

// The next of the sizes that there are, for so many CSS pixels; 512 where it cannot be told.
export function pictureSize(pixels, density) {
	const wanted = pixels * density || 512;
	return sizes.find((size) => size >= wanted) ?? sizes[sizes.length - 1];
}

// ---- pictures come when they are near the window, and few at once: one that has to be fetched from its source
// first may take seconds, and of a browser's six connections to a host some are for what plays.

const most = 4;
const faces = new WeakMap();	// to the addresses of pictures that were not asked for yet
const wanted = new Map();	// faces near the window, to how large they are, whose turn has not come
let near = null;
let loading = 0;

function load(face, size) {
	const image = new Image();
	const done = () => {
		loading--;
		loadNext();
	};
	image.alt = '';
	image.decoding = 'async';
	image.addEventListener('load', () => {
		if (image.parentNode === face)
			face.classList.add('pictured');
		done();
	});
	image.addEventListener('error', () => {
		image.remove();
		done();
	});
	loading++;
	image.src = `${faces.get(face)}?size=${size}`;
	faces.delete(face);
	face.append(image);
}

function loadNext() {
	for (const [face, size] of wanted) {
		if (loading >= most)
			return;
		leave(face);
		load(face, size);
	}
}

function look(entries) {
	for (const { target, isIntersecting, boundingClientRect: { width, height } } of entries) {
		if (isIntersecting && faces.has(target))
			wanted.set(target, pictureSize(Math.max(width, height), devicePixelRatio));
		else
			wanted.delete(target);
	}
	loadNext();
}

function leave(face) {
	near?.unobserve(face);
	wanted.delete(face);
}

export function fillFace(face, name, picture) {
	const address = ownPicture(picture);
	leave(face);
	faces.delete(face);
	face.replaceChildren(initials(name));
	face.style.setProperty('--hue', String(hue(name)));
	face.classList.remove('pictured');
	if (address === '')
		return;
	faces.set(face, address);
	near ??= new IntersectionObserver(look, { rootMargin: '400px' });
	near.observe(face);
}
