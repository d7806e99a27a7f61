// web/help.js - the list of keys in the help box.
// SPDX-License-Identifier: BSD-2-Clause

// rows: as keyboard.js gives them.
export function fillHelp(list, rows) {
	for (const { keys: names, text } of rows) {
		const term = document.createElement('dt');
		term.textContent = names;
		const meaning = document.createElement('dd');
		meaning.textContent = text;
		list.append(term, meaning);
	}
}
