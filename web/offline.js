// web/offline.js - goes on to the page that was wanted as soon as the service answers.
// SPDX-License-Identifier: BSD-2-Clause
import { probe } from './api.js';
import { retryDelayS } from './backoff.js';
import { countdown } from './messages.js';

const $ = (id) => document.getElementById(id);
let attempt = 0;
let left = 0;

async function look() {
	left = Infinity;		// one at a time
	$('wait').textContent = countdown(0);
	try {
		await probe('/health/live');
		location.reload();
	} catch {
		left = retryDelayS(attempt++);
	}
}

function tick() {
	if (!navigator.onLine || !Number.isFinite(left)) {
		$('wait').textContent = navigator.onLine ? countdown(0) : '';
		return;
	}
	left--;
	$('wait').textContent = countdown(left);
	if (left <= 0)
		look();
}

left = retryDelayS(attempt);
$('again').addEventListener('click', look);
addEventListener('online', look);
setInterval(tick, 1000);
