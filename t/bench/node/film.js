// t/bench/node/film.js - what the bench compares films with: Express and an ffmpeg for each segment.
// SPDX-License-Identifier: BSD-2-Clause
//
// As such a server is usually written: ffprobe says how long the film is, the list is cut every six
// seconds, and each segment is what an ffmpeg of its own writes into the answer.
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import express from 'express';

const SEGMENT_S = 6;
const RATES = { '240p': 350, '360p': 600, '480p': 1000, '720p': 2500, '1080p': 4500 };
const run = promisify(execFile);
const app = express();

app.disable('etag');
app.disable('x-powered-by');

app.get('/health', (request, response) => response.json({ status: 'healthy' }));

app.get('/:film/index.m3u8', async (request, response) => {
	const path = `${process.env.FILMS}/${request.params.film}`;
	const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', path]);
	const lines = ['#EXTM3U', '#EXT-X-VERSION:3', `#EXT-X-TARGETDURATION:${SEGMENT_S}`, '#EXT-X-PLAYLIST-TYPE:VOD'];
	for (let n = 0; n * SEGMENT_S < Number(stdout); n++)
		lines.push(`#EXTINF:${Math.min(SEGMENT_S, Number(stdout) - n * SEGMENT_S).toFixed(3)},`, `${n}.ts`);
	response.type('application/vnd.apple.mpegurl').send(`${lines.join('\n')}\n#EXT-X-ENDLIST\n`);
});

const picture = (rung) => (rung === 'source' ? ['-c:v', 'copy'] : [
	'-vf', `scale=-2:${Number.parseInt(rung, 10)}`, '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23',
	'-maxrate', `${RATES[rung]}k`, '-bufsize', `${RATES[rung]}k`]);

app.get('/:film/:rung/:n.ts', (request, response) => {
	const { film, rung, n } = request.params;
	const seconds = request.query.s ?? SEGMENT_S;
	const child = spawn('ffmpeg', ['-v', 'error', '-ss', String(n * SEGMENT_S), '-i', `${process.env.FILMS}/${film}`,
		'-t', String(seconds), '-map', '0:v:0', ...picture(rung), '-output_ts_offset', String(n * SEGMENT_S), '-muxdelay', '0',
		'-f', 'mpegts', 'pipe:1'],
		{ stdio: ['ignore', 'pipe', 'ignore'] });
	response.type('video/mp2t');
	child.stdout.pipe(response);
	request.on('close', () => child.kill('SIGKILL'));
});

app.listen(Number(process.env.PORT), '127.0.0.1');
