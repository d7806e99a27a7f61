// web/player.js - the watch page: puts picture, controls, menu, keyboard and memory together.
// SPDX-License-Identifier: BSD-2-Clause
import { liveChannels } from './api.js';
import { makeCard } from './card.js';
import { Controls } from './controls.js';
import { HlsEngine, loadHls } from './engine.js';
import { fillHelp } from './help.js';
import { install } from './install.js';
import { helpRows, listen } from './keyboard.js';
import { Menu } from './menu.js';
import { canPlayHls, NativeEngine } from './native.js';
import { Playback } from './playback.js';
import { AUTO, buttonText, menuItems } from './quality.js';
import { openStore } from './store.js';
import { tellSystem } from './system.js';
import { View } from './view.js';

const rail_size = 24;
const $ = (id) => document.getElementById(id);
const { id, hls: hlsAddress, siteName, title } = document.documentElement.dataset;

const video = $('video');
const store = openStore();
const view = new View();
const script = loadHls(hlsAddress);	// on its way while the service is asked

async function engine(events) {
	const Hls = await script;
	if (Hls)
		return new HlsEngine(Hls, video, events);
	return canPlayHls(video) ? new NativeEngine(video, events) : null;
}

const playback = new Playback({ id, video, view, store, engine }, drawChoice);
const controls = new Controls(video, store, { play: () => playback.toggle(), live: () => playback.goLive() });
const menu = new Menu('quality', 'q', (choice) => playback.choose(choice));

// ---- drawing what changed

let drawn = null;

function drawChoice() {
	const { channel, rungs, active, playing } = playback;
	if (channel && channel !== drawn) {
		drawn = channel;
		drawRail();
		const name = channel.name || title || id;
		view.channel({ ...channel, name }, siteName);
		tellSystem({ title: name, artist: siteName, picture: channel.logo },
			{ play: () => playback.play(), pause: () => video.pause() });
	}
	menu.fill(menuItems({ rungs, choice: active, playing }), menuNote());
	$('quality-now').textContent = buttonText(active ?? AUTO, playing);
}

function menuNote() {
	const limit = playback.active === AUTO ? playback.limit() : null;
	if (limit === null)
		return '';
	return playback.most === limit ? `Data saver is on: up to ${limit}`
		: `Up to ${limit} while the connection is slow`;
}

// ---- keyboard and help

const keys = {
	play: () => playback.toggle(),
	mute: () => controls.mute(),
	volume: (by) => controls.louder(by),
	full: () => controls.full(),
	pip: () => controls.pip(),
	live: () => playback.goLive(),
	menu: () => menu.show(),
	quality: (choice) => playback.chooseKind(choice),
	rung: (index) => playback.chooseRung(index),
	help: () => $('help-box').showModal(),
};

// ---- other channels

let listed = [];

// All but this one, whose address may name it by less than its whole id.
function drawRail() {
	const own = `${playback.channel?.streamId ?? id}`;
	const others = listed.filter((c) => c.id !== own && `${c.streamId}` !== own);
	$('rail-list').replaceChildren(...others.map(makeCard));
	$('rail').hidden = others.length === 0;
}

async function fillRail() {
	try {
		listed = (await liveChannels({ limit: rail_size })).channels;
	} catch {
		listed = [];	// the picture matters, not the list below it
	}
	drawRail();
}

fillHelp($('help-list'), helpRows());
$('help').addEventListener('click', keys.help);
$('bigplay').addEventListener('click', () => playback.play());
listen(document, () => menu.open || $('help-box').open, (name, value) => keys[name](value));
setInterval(() => controls.showLive(playback.isLive()), 500);
addEventListener('pagehide', () => playback.stop());
addEventListener('pageshow', (event) => {
	if (event.persisted)
		playback.start();
});
if (title)
	view.channel({ name: title, logo: null, now: null }, siteName);
drawChoice();
playback.start();
fillRail();
install();
