// web/system.js - the system's own display of what plays: lock screen, media keys, headphones.
// SPDX-License-Identifier: BSD-2-Clause
import { ownPicture } from './face.js';

// acts: {play, pause, …} by the names of the Media Session API; those that a browser does not know are left out.
export function tellSystem({ title, artist, picture }, acts) {
	const session = navigator.mediaSession;
	if (!session)
		return;
	const own = ownPicture(picture);
	const artwork = own === '' ? [] : [{ src: own }];
	session.metadata = new MediaMetadata({ title, artist, artwork });
	for (const [name, act] of Object.entries(acts)) {
		try {
			session.setActionHandler(name, act);
		} catch {
			// an older browser
		}
	}
}

export function tellPosition({ duration, position, playbackRate }) {
	if (navigator.mediaSession?.setPositionState && duration > 0)
		navigator.mediaSession.setPositionState({ duration, position: Math.min(position, duration), playbackRate });
}
