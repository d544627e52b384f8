import type { Socket } from 'socket.io';

import type { AccessTokens } from '../identity/access-token.ts';
import type { Actor } from '../identity/role.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault, messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';

export interface AdmissionsDeps {
	readonly tokens: Pick<AccessTokens, 'verify' | 'expiresAt'>;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
	/** The person behind a connection may do something else than before. */
	readonly rightsChanged: (socket: Socket) => void;
}

interface Admission {
	token: string;
	/** As at the last look. */
	actor: Actor;
	cancelEnd: () => void;
}

const BEARER = /^Bearer +(\S+)$/i;
/** Longest wait a timer takes. */
const MOST_TIMER_MS = 2 ** 31 - 1;

const notAuthenticated = (): Fault => new Fault('not-authenticated', 'a valid access token is required');

/** The token of a handshake: `auth.token`, or the Authorization header (contract rule R7). */
function tokenOf({ handshake }: Socket): string {
	const token: unknown = handshake.auth['token'];
	const given = typeof token === 'string' ? token : BEARER.exec(handshake.headers.authorization ?? '')?.[1];
	if (given === undefined || given === '') throw notAuthenticated();
	return given;
}

function haveSameRights(one: Actor, other: Actor): boolean {
	if (one.role !== other.role || one.tenantId !== other.tenantId) return false;
	if (one.permissions === other.permissions) return true;
	return (
		one.permissions.size === other.permissions.size && [...one.permissions].every((each) => other.permissions.has(each))
	);
}

/** Who is behind which connection, by which token, and until when. */
export function createAdmissions({ tokens, clock, setTimer, log, rightsChanged }: AdmissionsDeps) {
	const admissions = new Map<Socket, Admission>();

	function remove(socket: Socket): void {
		admissions.get(socket)?.cancelEnd();
		admissions.delete(socket);
	}

	function end(socket: Socket, why: unknown): void {
		log.debug('realtime-token-ended', { user: admissions.get(socket)?.actor.userId, reason: messageOf(why) });
		remove(socket);
		socket.disconnect(true);
	}

	function armEnd(socket: Socket, admission: Admission): void {
		admission.cancelEnd();
		const waitMs = Math.max(0, tokens.expiresAt(admission.token) - clock.now());
		admission.cancelEnd = setTimer(() => check(socket, admission), Math.min(waitMs, MOST_TIMER_MS));
	}

	function look(socket: Socket, admission: Admission): Actor {
		const before = admission.actor;
		admission.actor = tokens.verify(admission.token);
		if (!haveSameRights(before, admission.actor)) rightsChanged(socket);
		return admission.actor;
	}

	/** Ends the connection when its token has; else looks again when it will. */
	function check(socket: Socket, admission: Admission): void {
		try {
			look(socket, admission);
			armEnd(socket, admission);
		} catch (error) {
			end(socket, error);
		}
	}

	return {
		/** Lets a connection in. @throws Fault `not-authenticated`, `token-expired`, `bad-credentials` */
		admit(socket: Socket): void {
			const token = tokenOf(socket);
			const admission: Admission = { token, actor: tokens.verify(token), cancelEnd: () => undefined };
			admissions.set(socket, admission);
			socket.once('disconnect', () => remove(socket));
			armEnd(socket, admission);
		},
		/** Whoever is behind the connection, with the rights of this moment. @throws Fault when the token has ended meanwhile */
		actorOf(socket: Socket): Actor {
			const admission = admissions.get(socket);
			if (admission === undefined) throw notAuthenticated();
			return look(socket, admission);
		},
		/** Who was behind the connection at the last look; `null` when it was not let in. */
		personOf: (socket: Socket): Actor | null => admissions.get(socket)?.actor ?? null,
		/** Goes on with another token, in all namespaces of the connection. @throws Fault `forbidden` for one of another user */
		renew(socket: Socket, token: string): void {
			const renewed = tokens.verify(token);
			if (admissions.get(socket)?.actor.userId !== renewed.userId)
				throw new Fault('forbidden', 'token: it belongs to another user than the connection');
			for (const [other, admission] of admissions) {
				if (other.conn !== socket.conn || admission.actor.userId !== renewed.userId) continue;
				admission.token = token;
				check(other, admission);
			}
		},
		/** Looks at the connections of a user at once: the account has changed, or is gone. */
		checkUser(userId: string): void {
			for (const [socket, admission] of admissions) if (admission.actor.userId === userId) check(socket, admission);
		},
		/** Ends every connection whose token was revoked, and looks at the rights of the others. */
		checkAll(): void {
			for (const [socket, admission] of admissions) {
				// One that went between its admission and its first event never says goodbye.
				if (socket.conn.readyState === 'closed') remove(socket);
				else check(socket, admission);
			}
		},
		/** Ends the waiting for the end of tokens. */
		stop(): void {
			for (const { cancelEnd } of admissions.values()) cancelEnd();
		},
	};
}
