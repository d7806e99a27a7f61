// web/theme.js - the site's colour and logo from the page's head, before the first paint.
// SPDX-License-Identifier: BSD-2-Clause
import { css, parseRgb, readable, textUpon } from './colour.js';

// A colour in any way of CSS, as numbers.
function rgbOf(text) {
	const probe = document.createElement('span');
	probe.style.color = text;
	document.documentElement.append(probe);
	const rgb = parseRgb(getComputedStyle(probe).color);
	probe.remove();
	return rgb;
}

// The configured colour, as it can be read upon the page's ground.
function paint() {
	const wanted = document.querySelector('meta[name="theme-color"]')?.content ?? '';
	if (!CSS.supports('color', wanted))
		return;
	const { style } = document.documentElement;
	const rgb = rgbOf(wanted);
	style.setProperty('--accent', css(rgb));
	style.setProperty('--on-accent', css(textUpon(rgb)));
	style.setProperty('--accent-text', css(readable(rgb, rgbOf('var(--ground)'))));
}

// The configured picture, or our mark where there is none or it does not load.
function showLogo(place, address) {
	const image = new Image();
	image.alt = '';
	image.decoding = 'async';
	image.referrerPolicy = 'no-referrer';
	const mark = document.querySelector('link[rel="icon"]').href;
	image.addEventListener('error', () => {
		if (image.src !== mark)
			image.src = mark;
	});
	image.src = address || mark;
	place.append(image);
}

function showBrand() {
	const { siteName, siteLogo } = document.documentElement.dataset;
	for (const place of document.querySelectorAll('.brand-logo'))
		showLogo(place, siteLogo);
	for (const brand of document.querySelectorAll('.brand'))
		brand.setAttribute('aria-label', `${siteName}: all channels`);
}

paint();
matchMedia('(prefers-color-scheme: light)').addEventListener('change', paint);
if (document.readyState === 'loading')
	document.addEventListener('DOMContentLoaded', showBrand);
else
	showBrand();
