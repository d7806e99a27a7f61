// web/tracks.js - sounds, subtitles and speeds: their names, and which of them to begin with.
// SPDX-License-Identifier: BSD-2-Clause

export const OFF = -1;
export const speeds = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

// "deu" -> "German"; what nobody knows stays as it is.
export function languageName(code) {
	if (!code || code === 'und')
		return '';
	try {
		return new Intl.DisplayNames(['en'], { type: 'language' }).of(code) ?? code;
	} catch {
		return code;
	}
}

// What each of `tracks` ({language, title}) is called; no two are called the same.
export function trackNames(tracks, noun) {
	const names = tracks.map(({ language, title }, i) => {
		const spoken = languageName(language);
		if (title && spoken && !title.toLowerCase().includes(spoken.toLowerCase()))
			return `${spoken} – ${title}`;
		return title || spoken || `${noun} ${i + 1}`;
	});
	return names.map((name, i) => {
		const before = names.slice(0, i).filter((other) => other === name).length;
		return before > 0 ? `${name} (${before + 1})` : name;
	});
}

// The entries of a menu of tracks; `off` is what the entry for none is called, "" for no such entry.
export function trackItems({ tracks, noun, chosen, off = '' }) {
	const items = trackNames(tracks, noun).map((label, i) =>
		({ value: String(i), label, detail: '', key: '', checked: chosen === i }));
	if (off !== '' && items.length > 0)
		items.unshift({ value: String(OFF), label: off, detail: '', key: '', checked: chosen === OFF });
	return items;
}

// The first track in that language, or `otherwise`.
export function trackFor(tracks, language, otherwise) {
	const at = language ? tracks.findIndex((track) => track.language === language) : -1;
	return at < 0 ? otherwise : at;
}

export function speedItems(chosen) {
	return speeds.map((speed) => ({ value: String(speed), label: speed === 1 ? 'Normal' : speedText(speed),
		detail: '', key: '', checked: speed === chosen }));
}

export function speedText(speed) {
	return `${speed}×`;
}

// The next speed up (by > 0) or down.
export function nextSpeed(speed, by) {
	return by > 0 ? speeds.find((s) => s > speed) ?? speed : speeds.findLast((s) => s < speed) ?? speed;
}
