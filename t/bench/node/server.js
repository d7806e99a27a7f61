// t/bench/node/server.js - what the bench compares with: JSON by Express out of Redis.
// SPDX-License-Identifier: BSD-2-Clause
//
// As such a server is usually written: what is cached is sent, what is not is asked of the gateway
// and cached. No entity tags and no banner, which Sluice does not make either.
import express from 'express';
import { createClient } from 'redis';

const LIFE_S = 300;
const redis = createClient({ socket: { path: process.env.REDIS_SOCKET } });
const app = express();

app.disable('etag');
app.disable('x-powered-by');

app.get('/health', (request, response) => response.json({ status: 'healthy' }));

app.get('/api/live', async (request, response) => {
	const body = await redis.get('/api/live');
	if (body === null) return response.status(404).json({ error: 'nothing is here' });
	response.type('json').set('Cache-Control', 'public, max-age=1').send(body);
});

app.get('/api/live/:id', async (request, response) => {
	const key = `/api/live/${request.params.id}`;
	let body = await redis.get(key);
	if (body === null) {
		const asked = await fetch(`${process.env.GATEWAY}/${request.params.id}.ts`, { redirect: 'manual' });
		const location = asked.headers.get('location');
		if (!location) return response.status(502).json({ error: 'the gateway refused' });
		body = JSON.stringify({ streamId: request.params.id, token: new URL(location).pathname.split('/').pop() });
		await redis.set(key, body, { EX: LIFE_S });
	}
	response.type('json').set('Cache-Control', 'public, max-age=1').send(body);
});

await redis.connect();
app.listen(Number(process.env.PORT), '127.0.0.1');
