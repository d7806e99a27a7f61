// web/theme.js - the site's colour and logo from the page's head, before the first paint.
// SPDX-License-Identifier: BSD-2-Clause
import { css, parseRgb, readable, textUpon } from './colour.js';

const ground = [11, 13, 18];

function configuredColour() {
	const wanted = document.querySelector('meta[name="theme-color"]')?.content ?? '';
	if (!CSS.supports('color', wanted))
		return null;
	const probe = document.createElement('span');
	probe.style.color = wanted;
	document.documentElement.append(probe);
	const rgb = parseRgb(getComputedStyle(probe).color);
	probe.remove();
	return rgb;
}

function paint(rgb) {
	const style = document.documentElement.style;
	style.setProperty('--accent', css(rgb));
	style.setProperty('--on-accent', css(textUpon(rgb)));
	style.setProperty('--accent-text', css(readable(rgb, ground)));
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

const rgb = configuredColour();
if (rgb)
	paint(rgb);
if (document.readyState === 'loading')
	document.addEventListener('DOMContentLoaded', showBrand);
else
	showBrand();
