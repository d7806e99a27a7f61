// web/film.js - the page of a film: puts picture, bar, menus, keyboard and memory together.
// SPDX-License-Identifier: BSD-2-Clause
import { film, movies } from './api.js';
import { makeFilmCard, pageOf } from './card.js';
import { Controls } from './controls.js';
import { loadHls } from './engine.js';
import { Episodes } from './episodes.js';
import { FilmEngine } from './film-engine.js';
import { DirectEngine, NativeFilmEngine } from './film-native.js';
import { FilmPlayback } from './film-playback.js';
import { FilmPlayer } from './film-player.js';
import { fillHelp } from './help.js';
import { install } from './install.js';
import { filmKeys, helpRows, listen } from './keyboard.js';
import { Menu } from './menu.js';
import { describeFilm, soundAlone } from './messages.js';
import { canPlayHls } from './native.js';
import { playsOf } from './plays.js';
import { AUTO, buttonText, menuItems } from './quality.js';
import { Resume } from './resume.js';
import { SeekBar } from './seekbar.js';
import { openStore } from './store.js';
import { tellPosition, tellSystem } from './system.js';
import { Taps } from './taps.js';
import { lengthText } from './time.js';
import { nextSpeed, OFF, speedItems, speedText, trackItems } from './tracks.js';
import { View } from './view.js';

const rail_size = 24;
const skip_s = 10;
const $ = (id) => document.getElementById(id);
const { id: first, hls: hlsAddress, siteName, title } = document.documentElement.dataset;

const video = $('video');
const store = openStore(globalThis, 'film.quality');
const resume = new Resume(store);
const view = new View();
const script = loadHls(hlsAddress);	// on its way while the service is asked

async function engine(events) {
	const Hls = await script;
	const native = canPlayHls(video) ? new NativeFilmEngine(video, events) : null;
	return new FilmPlayer(new DirectEngine(video, events), Hls ? new FilmEngine(Hls, video, events) : native);
}

const playback = new FilmPlayback({ id: first, video, view, store, engine, resume, ask,
	describe: describeFilm, noPicture: soundAlone, moved: drawPlace, over: () => episodes.ended() }, draw);
const episodes = new Episodes(resume, (next) => {
	history.pushState(null, '', pageOf(next));
	turnTo(next.id, next.title);
});
const controls = new Controls(video, store, { play: () => playback.toggle() });
const bar = new SeekBar({ seek: (to) => playback.seek(to), hold: (on) => {
	controls.held = on;
	controls.wake();
} });

const menus = {
	quality: new Menu('quality', 'q', (choice) => playback.choose(choice)),
	texts: new Menu('texts', 'c', (n) => playback.pickText(Number(n))),
	sounds: new Menu('sounds', 't', (n) => playback.pickSound(Number(n))),
	speeds: new Menu('speeds', 's', (speed) => setSpeed(Number(speed))),
};

// ---- drawing what changed

let drawn = null;

function draw() {
	const { channel: now } = playback;
	if (now && now !== drawn)
		drawFilm(now);
	drawn = now;
	drawQuality();
	drawTracks(now);
}

function drawFilm(now) {
	const name = now.title || now.id;
	const line = [now.year, lengthText(now.duration)].filter(Boolean).join(' · ');
	view.heading({ name, logo: now.poster, line: line || 'Film' }, siteName);
	$('plot').textContent = now.plot ?? '';
	$('plot').hidden = !now.plot;
	bar.pictures(now.thumbnails);
	if (now.id !== drawn?.id)
		fillRail(now);
	tellSystem({ title: name, artist: siteName, picture: now.poster }, {
		play: () => playback.play(),
		pause: () => video.pause(),
		seekbackward: ({ seekOffset }) => playback.skip(-(seekOffset ?? skip_s)),
		seekforward: ({ seekOffset }) => playback.skip(seekOffset ?? skip_s),
		seekto: ({ seekTime }) => playback.seek(seekTime),
		nexttrack: now.series ? () => episodes.goOn() : null,
	});
}

function drawQuality() {
	const { rungs, active, playing, most } = playback;
	menus.quality.fill(menuItems({ rungs, choice: active, playing }),
		active === AUTO && most && playback.limit() === most ? `Data saver is on: up to ${most}` : '');
	$('quality-now').textContent = buttonText(active ?? AUTO, playing);
}

function drawTracks(now) {
	const { sound, text } = playback;
	const sounds = now?.audioTracks ?? [];
	const texts = now?.subtitles ?? [];
	menus.sounds.fill(trackItems({ tracks: sounds, noun: 'Sound', chosen: sound ?? 0 }));
	menus.texts.fill(trackItems({ tracks: texts, noun: 'Subtitles', chosen: text, off: 'Off' }));
	$('sounds').hidden = sounds.length < 2;
	$('texts').hidden = texts.length === 0;
	$('texts').classList.toggle('on', text !== OFF);
}

function drawPlace() {
	const { second, length } = playback;
	bar.show(second, length, video.buffered);
}

function drawSpeed() {
	menus.speeds.fill(speedItems(video.playbackRate));
	$('speed-now').textContent = speedText(video.playbackRate);
}

function tellPlace() {
	const { second, length } = playback;
	tellPosition({ duration: length, position: second, playbackRate: video.playbackRate });
}

// ---- what the viewer does

function setSpeed(speed) {
	video.defaultPlaybackRate = speed;	// what it goes back to with another source
	video.playbackRate = speed;
	view.toast(`Speed: ${speedText(speed)}`);
}

// Off, or what it was last.
let lastText = OFF;

function toggleTexts() {
	const { text, channel: now } = playback;
	const count = now?.subtitles?.length ?? 0;
	if (count === 0)
		return;
	if (text !== OFF)
		lastText = text;
	if (count > 1 && text === OFF && lastText === OFF)
		menus.texts.show();
	else
		playback.pickText(text === OFF ? Math.max(0, lastText) : OFF);
}

function skip(by) {
	playback.skip(by);
	controls.wake();
}

const keys = {
	play: () => playback.toggle(),
	mute: () => controls.mute(),
	volume: (by) => controls.louder(by),
	full: () => controls.full(),
	pip: () => controls.pip(),
	skip,
	seek: (to) => playback.seek(to),
	faster: (by) => setSpeed(nextSpeed(video.playbackRate, by)),
	texts: toggleTexts,
	sounds: () => !$('sounds').hidden && menus.sounds.show(),
	speeds: () => menus.speeds.show(),
	next: () => episodes.goOn(),
	menu: () => menus.quality.show(),
	quality: (choice) => playback.chooseKind(choice),
	rung: (index) => playback.chooseRung(index),
	help: () => $('help-box').showModal(),
};

// ---- what else there is

async function ask(name) {
	try {
		return await film(name, playsOf(video));
	} catch (fault) {
		if (fault.kind === 'unknown')
			fillRail(null);
		throw fault;
	}
}

// Of an episode its season; of a film, or where there is none (null), other films.
async function fillRail(now) {
	try {
		if ((now && await episodes.show(now)) || now !== playback.channel)
			return;
		const { movies: list } = await movies({ limit: rail_size });
		const others = list.filter((other) => other.id !== now?.id);
		$('rail-list').replaceChildren(...others.map((other) => makeFilmCard(other, resume)));
		$('rail').hidden = others.length === 0;
	} catch {
		$('rail').hidden = true;	// the picture matters, not the list below it
	}
}

// Another title on this page.
function turnTo(id, name) {
	bar.pictures(null);
	if (name)
		view.heading({ name, logo: null, line: 'Film' }, siteName);
	playback.turnTo(id);
}

addEventListener('popstate', () => {
	const id = /^\/watch\/([\w.-]+)$/.exec(location.pathname)?.[1];
	if (id && id !== playback.id)
		turnTo(id, '');
});
for (const name of ['play', 'seeking'])
	video.addEventListener(name, () => episodes.stay());
fillHelp($('help-list'), helpRows(filmKeys));
$('help').addEventListener('click', keys.help);
$('bigplay').addEventListener('click', () => playback.play());
$('back').addEventListener('click', () => skip(-skip_s));
$('forward').addEventListener('click', () => skip(skip_s));
new Taps($('stage'), [video, $('card')], (side) => skip(side * skip_s));
listen(document, () => Object.values(menus).some((menu) => menu.open) || $('help-box').open,
	(name, value) => keys[name](value), filmKeys);
for (const name of ['timeupdate', 'progress', 'durationchange', 'seeking'])
	video.addEventListener(name, drawPlace);
for (const name of ['ratechange', 'seeked', 'durationchange', 'play'])
	video.addEventListener(name, tellPlace);
video.addEventListener('ratechange', drawSpeed);
addEventListener('pagehide', () => playback.keep());
document.addEventListener('visibilitychange', () => playback.keep());
if (title)
	view.heading({ name: title, logo: null, line: 'Film' }, siteName);
draw();
drawSpeed();
playback.start();
install();
