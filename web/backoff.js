// web/backoff.js - when to try again: the server's word first, else twice as long each time.
// SPDX-License-Identifier: BSD-2-Clause

const first_s = 1;
const longest_s = 30;

// Seconds before attempt number `attempt` (0 is the first retry). A little chance keeps a thousand
// viewers of one server from coming back in the same second; `random` is for tests.
export function retryDelayS(attempt, retryAfterS = null, random = Math.random) {
	if (retryAfterS !== null)
		return retryAfterS;
	const delay = Math.min(longest_s, first_s * 2 ** Math.min(attempt, 10));
	return Math.max(1, Math.round(delay * (0.75 + random() / 2)));
}
