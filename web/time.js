// web/time.js - a place in a film, for the eye and for the ear.
// SPDX-License-Identifier: BSD-2-Clause

// 754 -> "12:34"; with hours where the film (`longest`, in seconds) has any: "0:12:34".
export function clock(seconds, longest = seconds) {
	const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
	const two = (n) => String(n).padStart(2, '0');
	const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
	return h > 0 || longest >= 3600 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

// 754 -> "12 minutes 34 seconds"
export function spoken(seconds) {
	const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
	const parts = [['hour', Math.floor(whole / 3600)], ['minute', Math.floor(whole / 60) % 60], ['second', whole % 60]]
		.filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name}${n === 1 ? '' : 's'}`);
	return parts.length > 0 ? parts.join(' ') : '0 seconds';
}

// 5400 -> "1 h 30 min"; "" where it is not known.
export function lengthText(seconds) {
	const minutes = Math.round(seconds / 60);
	if (!(seconds > 0))
		return '';
	if (seconds < 60)
		return `${Math.round(seconds)} s`;
	return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
