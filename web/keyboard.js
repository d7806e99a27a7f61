// web/keyboard.js - which key does what on the players' pages, and the list for the help box.
// SPDX-License-Identifier: BSD-2-Clause

// [keys as the browser names them, action, argument, how the help writes the keys, what it says]
const both = [
	[[' ', 'k'], 'play', null, 'Space or K', 'Play or pause'],
	[['m'], 'mute', null, 'M', 'Sound on or off'],
	[['ArrowUp'], 'volume', +0.05, '↑ ↓', 'Louder, quieter'],
	[['ArrowDown'], 'volume', -0.05, null, null],
	[['f'], 'full', null, 'F', 'Full screen'],
	[['i'], 'pip', null, 'I', 'Picture in picture'],
	[['q'], 'menu', null, 'Q', 'Quality menu'],
	[['0'], 'quality', 'auto', '0', 'Automatic quality'],
	[['1', '2', '3', '4', '5', '6', '7', '8', '9'], 'rung', null, '1 2 3 …', 'Best quality, next lower …'],
	[['a'], 'quality', 'audio', 'A', 'Audio only'],
	[['?'], 'help', null, '?', 'This list'],
];

export const liveKeys = [[['l', 'End'], 'live', null, 'L', 'Back to live'], ...both];

export const filmKeys = [
	[['ArrowLeft', 'j'], 'skip', -10, '← →', 'Back, forward 10 seconds'],
	[['ArrowRight', 'l'], 'skip', +10, null, null],
	[['Home'], 'seek', 0, 'Home', 'From the start'],
	[['c'], 'texts', null, 'C', 'Subtitles'],
	[['t'], 'sounds', null, 'T', 'Sound tracks'],
	[['s'], 'speeds', null, 'S', 'Speed'],
	[['n'], 'next', null, 'N', 'Next episode'],
	[['<'], 'faster', -1, '< >', 'Slower, faster'],
	[['>'], 'faster', +1, null, null],
	...both,
];

const repeating = new Set(['volume', 'skip']);

const typing = new Set(['INPUT', 'TEXTAREA', 'SELECT']);
const pressing = new Set(['BUTTON', 'A', 'SUMMARY']);

// {name, value} for a key press, or null where it belongs to somebody else. `press` is
// {key, tag (of the focused element), inputType, modified}.
export function actionFor({ key, tag = '', inputType = '', modified = false }, table = liveKeys) {
	if (modified)
		return null;
	const slider = tag === 'INPUT' && inputType === 'range';
	if (typing.has(tag) && !slider)
		return null;
	if (slider && /^(Arrow|Home|End|Page)/.test(key))
		return null;
	if (pressing.has(tag) && key === ' ')
		return null;
	const wanted = key.length === 1 ? key.toLowerCase() : key;
	const row = table.find(([keys]) => keys.includes(wanted));
	if (!row)
		return null;
	return { name: row[1], value: row[1] === 'rung' ? Number(wanted) - 1 : row[2] };
}

export function helpRows(table = liveKeys) {
	return table.filter((row) => row[3] !== null).map((row) => ({ keys: row[3], text: row[4] }));
}

// Calls act(name, value) for every key press that is ours, unless `busy()` says that a menu or a
// dialog has the keyboard.
export function listen(target, busy, act, table = liveKeys) {
	target.addEventListener('keydown', (event) => {
		const at = event.target;
		const action = actionFor({ key: event.key, tag: at?.tagName, inputType: at?.type,
			modified: event.ctrlKey || event.metaKey || event.altKey }, table);
		if (!action || event.defaultPrevented || busy())
			return;
		if (event.repeat && !repeating.has(action.name))
			return;
		event.preventDefault();
		act(action.name, action.value);
	});
}
