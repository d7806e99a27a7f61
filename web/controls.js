// web/controls.js - the bar under the picture: play, sound, live, full screen, and when it hides.
// SPDX-License-Identifier: BSD-2-Clause

const hide_ms = 3000;
const $ = (id) => document.getElementById(id);

export class Controls {
	// acts: {play(), live()} · store: remembers the sound
	constructor(video, store, acts) {
		this.video = video;
		this.store = store;
		this.acts = acts;
		this.stage = $('stage');
		this.hideTimer = 0;
		this.held = false;	// a finger is on the bar
		this.bindSound();
		this.bindScreens();
		this.bindHiding();
		$('play').addEventListener('click', () => acts.play());
		$('live')?.addEventListener('click', () => acts.live());	// a film is not live
		for (const name of ['play', 'playing', 'pause', 'emptied'])
			video.addEventListener(name, () => this.showPlaying());
		this.showPlaying();
	}

	showPlaying() {
		const playing = !this.video.paused;
		this.stage.classList.toggle('playing', playing);
		$('play').setAttribute('aria-label', playing ? 'Pause' : 'Play');
		this.wake();
	}

	showLive(live) {
		$('live').classList.toggle('at-edge', live);
		$('live').setAttribute('aria-label', live ? 'Playing live' : 'Go to live');
	}

	// ---- sound

	bindSound() {
		const { video, store } = this;
		video.volume = store.volume;
		video.muted = store.muted;
		// some phones keep the volume to themselves: no slider there
		this.stage.classList.toggle('fixed-volume', Math.abs(video.volume - store.volume) > 0.01);
		$('mute').addEventListener('click', () => this.mute());
		$('volume').addEventListener('input', () => this.setVolume($('volume').valueAsNumber / 100));
		video.addEventListener('volumechange', () => this.showSound());
		this.showSound();
	}

	showSound() {
		const { video } = this;
		const loud = video.muted ? 0 : video.volume;
		$('volume').value = String(Math.round(loud * 100));
		$('volume').setAttribute('aria-valuetext', video.muted ? 'muted' : `${Math.round(loud * 100)} %`);
		$('volume').style.setProperty('--filled', `${Math.round(loud * 100)}%`);
		$('mute').dataset.level = loud === 0 ? 'off' : loud < 0.5 ? 'low' : 'high';
		$('mute').setAttribute('aria-label', loud === 0 ? 'Sound on' : 'Mute');
	}

	setVolume(volume) {
		const { video, store } = this;
		video.volume = Math.min(1, Math.max(0, volume));
		video.muted = video.volume === 0;
		store.volume = video.volume || store.volume;
		store.muted = video.muted;
	}

	louder(by) {
		const { video } = this;
		this.setVolume(Math.round(((video.muted ? 0 : video.volume) + by) * 100) / 100);
		this.wake();
	}

	mute() {
		const { video, store } = this;
		video.muted = !video.muted;
		if (!video.muted && video.volume === 0)
			video.volume = store.volume || 1;
		store.muted = video.muted;
		this.wake();
	}

	// ---- full screen and picture in picture

	bindScreens() {
		const { video, stage } = this;
		$('full').addEventListener('click', () => this.full());
		document.addEventListener('fullscreenchange', () => this.showFull());
		stage.addEventListener('dblclick', (event) => {
			if (event.target === video)
				this.full();
		});
		$('full').hidden = !stage.requestFullscreen && !video.webkitEnterFullscreen;
		$('pip').hidden = !document.pictureInPictureEnabled;
		$('pip').addEventListener('click', () => this.pip());
	}

	showFull() {
		const full = document.fullscreenElement === this.stage;
		this.stage.classList.toggle('full', full);
		$('full').setAttribute('aria-label', full ? 'Leave full screen' : 'Full screen');
	}

	full() {
		const { video, stage } = this;
		if (document.fullscreenElement)
			document.exitFullscreen();
		else if (stage.requestFullscreen)
			stage.requestFullscreen().catch(() => {});
		else
			video.webkitEnterFullscreen?.();	// phones that can show only the video itself
	}

	async pip() {
		try {
			if (document.pictureInPictureElement)
				await document.exitPictureInPicture();
			else
				await this.video.requestPictureInPicture();
		} catch {
			// refused without a picture; the button does no harm
		}
	}

	// ---- hiding

	bindHiding() {
		const { stage, video } = this;
		stage.addEventListener('pointermove', (event) => {
			if (event.pointerType !== 'touch')
				this.wake();
		});
		stage.addEventListener('pointerleave', () => this.sleep());
		stage.addEventListener('focusin', () => this.wake());
		document.addEventListener('keydown', () => this.wake());
		// a finger shows and hides the bar, a mouse plays and pauses
		for (const surface of [video, $('card')])
			surface.addEventListener('pointerup', (event) => {
				if (event.pointerType === 'mouse' && event.button === 0)
					this.acts.play();
				else if (stage.classList.contains('awake') && !video.paused)
					this.sleep();
				else
					this.wake();
			});
	}

	wake() {
		this.stage.classList.add('awake');
		clearTimeout(this.hideTimer);
		this.hideTimer = setTimeout(() => this.sleep(), hide_ms);
	}

	// Stays while paused, while the keyboard is in the bar, and while the menu is open.
	sleep() {
		const keyboardHere = $('controls').querySelector(':focus-visible') !== null;
		const menuOpen = this.stage.querySelector('.menu:not([hidden])') !== null;
		if (this.video.paused || keyboardHere || menuOpen || this.held)
			return;
		clearTimeout(this.hideTimer);
		this.stage.classList.remove('awake');
	}
}
