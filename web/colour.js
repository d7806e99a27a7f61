// web/colour.js - makes a configured colour usable: readable upon it, readable as text. Only numbers.
// SPDX-License-Identifier: BSD-2-Clause

// "rgb(1, 2, 3)" or "rgba(...)", as browsers print a colour, to [r, g, b]; null for anything else.
export function parseRgb(text) {
	const match = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)/.exec(text ?? '');
	return match ? match.slice(1, 4).map(Number) : null;
}

// WCAG 2 relative luminance, 0 to 1.
export function luminance(rgb) {
	const [r, g, b] = rgb.map((v) => {
		const c = v / 255;
		return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a, b) {
	const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
	return (high + 0.05) / (low + 0.05);
}

// Black or white, whichever is easier to read upon `rgb`.
export function textUpon(rgb) {
	const white = [255, 255, 255];
	const black = [10, 12, 16];
	return contrast(rgb, white) >= contrast(rgb, black) ? white : black;
}

// `rgb` made lighter, or upon a light ground darker, until it can be read as text upon `ground`.
export function readable(rgb, ground, wanted = 4.5) {
	const end = textUpon(ground);
	let colour = rgb;
	for (let i = 0; i < 20 && contrast(colour, ground) < wanted; i++)
		colour = colour.map((v, at) => Math.round(v + (end[at] - v) * 0.12));
	return colour;
}

export function css(rgb) {
	return `rgb(${rgb.map(Math.round).join(' ')})`;
}
