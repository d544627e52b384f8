import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { connect, type Socket } from 'socket.io-client';

import type { AuditEvent } from '../../core/audit/audit.ts';
import type { Actor } from '../../core/identity/role.ts';
import { type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import {
	createRealtimeServer,
	DEFAULT_REALTIME_LIMITS,
	type RealtimeLimits,
	type RealtimeServer,
} from '../../core/realtime/realtime-server.ts';
import { createManualTimer, type ManualTimer } from './manual-timer.ts';

/** Whose token it is, and until when; `null`: for ever. */
interface Pass {
	readonly actor: Actor;
	readonly endsAt?: EpochMs;
}

export interface RealtimeBox {
	readonly realtime: RealtimeServer;
	readonly port: number;
	readonly timer: ManualTimer;
	/** Tokens that are valid now. */
	readonly passes: Map<string, Pass>;
	/** What the audit log was told of. */
	readonly refusals: readonly AuditEvent[];
	readonly client: (token: string | null, namespace: string, transport?: 'websocket' | 'polling') => Socket;
	readonly close: () => Promise<void>;
}

const FOR_EVER = epochMs(Date.UTC(2100, 0, 1));

/** The realtime server on a port of loopback, with tokens and a clock of the test. */
export async function realtimeBox(limits: Partial<RealtimeLimits> = {}): Promise<RealtimeBox> {
	const timer = createManualTimer();
	const passes = new Map<string, Pass>();
	const refusals: AuditEvent[] = [];
	const http = createServer((_request, response) => response.writeHead(404).end('rest'));
	await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
	const address: AddressInfo | string | null = http.address();
	const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
	const realtime = createRealtimeServer({
		listener: http,
		tokens: {
			verify(token) {
				const pass = passes.get(token);
				if (pass === undefined) throw new Fault('bad-credentials', 'the token is not valid');
				if ((pass.endsAt ?? FOR_EVER) <= timer.clock.now()) throw new Fault('token-expired', 'the token has expired');
				return pass.actor;
			},
			expiresAt: (token) => passes.get(token)?.endsAt ?? FOR_EVER,
		},
		audit: { refused: (event) => void refusals.push(event) },
		clock: timer.clock,
		setTimer: timer.setTimer,
		log: silentLog,
		limits: { ...DEFAULT_REALTIME_LIMITS, ...limits },
	});
	const clients: Socket[] = [];
	return {
		realtime,
		port,
		timer,
		passes,
		refusals,
		client(token, namespace, transport = 'websocket') {
			const socket = connect(`http://127.0.0.1:${port}${namespace}`, {
				transports: [transport],
				forceNew: true,
				reconnection: false,
				...(token === null ? {} : { auth: { token } }),
			});
			clients.push(socket);
			return socket;
		},
		close: async () => {
			for (const one of clients) one.disconnect();
			await realtime.stop();
			await new Promise((resolve) => {
				http.closeAllConnections();
				http.close(resolve);
			});
		},
	};
}

/** The next event of this name. */
export const heard = <T = unknown>(socket: Socket, event: string): Promise<T> =>
	new Promise((resolve) => socket.once(event, resolve));

/** Sends an event and waits for its acknowledgement. */
export const ask = (socket: Socket, event: string, ...payload: readonly unknown[]): Promise<unknown> =>
	socket.timeout(5_000).emitWithAck(event, ...payload);
