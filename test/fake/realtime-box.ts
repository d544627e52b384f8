import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { connect, type Socket } from 'socket.io-client';

import type { AuditEvent } from '../../core/audit/audit.ts';
import type { Actor, Role } from '../../core/identity/role.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import { type Clock, type EpochMs, epochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import {
	createRealtimeServer,
	DEFAULT_REALTIME_LIMITS,
	type RealtimeLimits,
	type RealtimeServer,
} from '../../core/realtime/realtime-server.ts';
import { actorOfRole } from './actor-of-role.ts';
import { userIdOf } from './bare-server.ts';
import { createManualTimer } from './manual-timer.ts';

/** Whose token it is, and until when; `null`: for ever. */
interface Pass {
	readonly actor: Actor;
	readonly endsAt?: EpochMs;
}

/** What the server takes for time. */
interface BoxTime {
	readonly clock: Clock;
	readonly setTimer: SetTimer;
}

export interface RealtimeBox {
	readonly realtime: RealtimeServer;
	readonly port: number;
	/** Tokens that are valid now. */
	readonly passes: Map<string, Pass>;
	/** What the audit log was told of. */
	readonly refusals: readonly AuditEvent[];
	readonly client: (token: string | null, namespace: string, transport?: 'websocket' | 'polling') => Socket;
	readonly close: () => Promise<void>;
}

/** A machine that is busy answers late; one that does not answer at all is what a test is to notice. */
const ANSWER_WITHIN_MS = 30_000;
const FOR_EVER = epochMs(Date.UTC(2100, 0, 1));

/** For ever somebody of this level. */
export const passOf = (role: Role): Pass => ({ actor: actorOfRole(role, userIdOf(role)) });

/** The realtime server on a port of loopback, with tokens of the test; its time stands still unless another one is handed in. */
export async function realtimeBox(
	limits: Partial<RealtimeLimits> = {},
	{ clock, setTimer }: BoxTime = createManualTimer(),
): Promise<RealtimeBox> {
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
				if ((pass.endsAt ?? FOR_EVER) <= clock.now()) throw new Fault('token-expired', 'the token has expired');
				return pass.actor;
			},
			expiresAt: (token) => passes.get(token)?.endsAt ?? FOR_EVER,
		},
		audit: { refused: (event) => void refusals.push(event) },
		clock,
		setTimer,
		log: silentLog,
		limits: { ...DEFAULT_REALTIME_LIMITS, ...limits },
	});
	const clients: Socket[] = [];
	return {
		realtime,
		port,
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
	socket.timeout(ANSWER_WITHIN_MS).emitWithAck(event, ...payload);
