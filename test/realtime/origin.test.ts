import { once } from 'node:events';
import { createServer } from 'node:http';

import test from 'ava';

import { epochMs, systemClock } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createRealtimeServer, DEFAULT_REALTIME_LIMITS } from '../../core/realtime/realtime-server.ts';
import { systemTimer } from '../../core/journal/set-timer.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';

const PANEL = 'https://panel.example.com';

test('a page of an origin that nobody named opens no connection', async (t) => {
	const listener = createServer();
	const realtime = createRealtimeServer({
		listener,
		tokens: { verify: () => actorOfRole('viewer'), expiresAt: () => epochMs(systemClock.now() + 3_600_000) },
		audit: { refused: () => undefined },
		clock: systemClock,
		setTimer: systemTimer,
		log: silentLog,
		limits: DEFAULT_REALTIME_LIMITS,
		origins: [PANEL],
	});
	listener.listen({ host: '127.0.0.1', port: 0 });
	await once(listener, 'listening');
	t.teardown(async () => {
		await realtime.stop();
		listener.close();
	});
	const address = listener.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	const statusFor = async (headers: Readonly<Record<string, string>>) =>
		(await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`, { headers })).status;
	t.is(await statusFor({}), 200);
	t.is(await statusFor({ origin: PANEL }), 200);
	t.is(await statusFor({ origin: `http://127.0.0.1:${port}` }), 200);
	t.is(await statusFor({ origin: 'https://evil.example' }), 403);
});
