import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import type { Client, ConnectPacket } from 'aedes';

import type { Clock } from '../kernel/clock.ts';
import { clientCertificateOf } from './client-certificate.ts';
import type { Connection, ConnectionRegistry } from './connection.ts';
import type { MqttLimits } from './mqtt-limits.ts';
import type { MqttAccount, MqttCredentials } from './mqtt.ts';
import { createOutboundWindow } from './outbound-window.ts';
import type { SessionStore, StoredSession } from './session/session-store.ts';
import { hasControlCharacter } from './topic.ts';

/** A connection that has said CONNECT. */
export interface Applicant {
	readonly client: Client;
	readonly socket: Socket;
	readonly connect: ConnectPacket;
	/** The client identifier it gave itself. */
	readonly givenId: string;
	/** It asks for a session that outlives its connection. */
	readonly wantsSession: boolean;
}

export interface AdmissionDeps<A extends MqttAccount> {
	readonly limits: MqttLimits;
	readonly clock: Clock;
	readonly registry: ConnectionRegistry<A>;
	readonly sessions: SessionStore;
	readonly authenticate: (credentials: MqttCredentials) => Promise<A | null>;
	readonly mayPublish: (account: A, topic: string) => boolean;
	/** A login was wrong. */
	readonly failed: (address: string) => void;
	/** A session that was asked for could not be had: it ends with the connection. */
	readonly sessionRefused: (client: Client, account: A) => void;
}

/** A refused CONNECT with its CONNACK return code (3.1.1 section 3.2.2.3). */
export class Refusal extends Error {
	override readonly name = 'Refusal';
	readonly returnCode: 2 | 3 | 4 | 5;

	constructor(returnCode: 2 | 3 | 4 | 5, reason: string) {
		super(reason);
		this.returnCode = returnCode;
	}
}

const IDENTIFIER_REJECTED = 2;
export const SERVER_UNAVAILABLE = 3;
const BAD_CREDENTIALS = 4;
const NOT_AUTHORIZED = 5;

/** What the TLS layer knows of the peer. */
const encryptionOf = (socket: Socket): Pick<MqttCredentials, 'encrypted' | 'certificate'> =>
	socket instanceof TLSSocket
		? { encrypted: true, certificate: clientCertificateOf(socket) }
		: { encrypted: false, certificate: null };

/** What a connection proves itself with. @throws Refusal when it is nothing */
function credentialsOf(
	{ givenId, socket }: Applicant,
	username: string | undefined,
	password: Buffer | undefined,
): MqttCredentials {
	const encryption = encryptionOf(socket);
	// A certificate proves more than a password does.
	if (!username || (password === undefined && encryption.certificate === null))
		throw new Refusal(NOT_AUTHORIZED, 'no username and password were given');
	return {
		username,
		password: password ?? Buffer.alloc(0),
		clientId: givenId,
		remoteAddress: socket.remoteAddress ?? '',
		...encryption,
	};
}

/** Decides on a CONNECT. */
export function createAdmission<A extends MqttAccount>(deps: AdmissionDeps<A>) {
	const { limits, clock, registry, sessions } = deps;

	function checkIdentifier({ givenId, wantsSession }: Applicant): void {
		if (givenId.length > limits.clientIdLength)
			throw new Refusal(IDENTIFIER_REJECTED, 'the client identifier is too long');
		if (hasControlCharacter(givenId))
			throw new Refusal(IDENTIFIER_REJECTED, 'the client identifier holds control characters');
		// [MQTT-3.1.3-8]
		if (givenId === '' && wantsSession)
			throw new Refusal(IDENTIFIER_REJECTED, 'a session without client identifier cannot be found again');
	}

	function checkAccount(account: A, { client, connect: { will } }: Applicant): void {
		if (will !== undefined && !deps.mayPublish(account, will.topic))
			throw new Refusal(NOT_AUTHORIZED, `the account may not publish its will on ${will.topic}`);
		// One that is about to be taken over is not counted.
		const others = registry.ofAccount(account.name).filter(({ clientId }) => clientId !== client.id);
		if (others.length >= limits.connectionsPerAccount)
			throw new Refusal(SERVER_UNAVAILABLE, `the account has ${limits.connectionsPerAccount} connections already`);
	}

	function sessionOf(account: A, { client, wantsSession }: Applicant): StoredSession | null {
		if (!wantsSession) {
			sessions.endAt(client.id);
			return null;
		}
		const session = sessions.open(client.id, account.name, client);
		if (session === null) deps.sessionRefused(client, account);
		return session;
	}

	function connectionOf(account: A, applicant: Applicant): Connection<A> {
		const { client, socket } = applicant;
		const session = sessionOf(account, applicant);
		const window = createOutboundWindow(limits.unacknowledged);
		for (const { messageId } of session?.queue.all() ?? []) if (messageId !== null) window.retake(messageId);
		return {
			client,
			account,
			socket,
			clientId: client.id,
			connectedAt: clock.now(),
			filters: new Map(),
			window,
			session,
			incoming: session?.incoming ?? new Set(),
			lastCounter: 0,
			isReady: false,
		};
	}

	/** @throws Refusal */
	return async function admit(
		applicant: Applicant,
		username: string | undefined,
		password: Buffer | undefined,
	): Promise<Connection<A>> {
		const credentials = credentialsOf(applicant, username, password);
		checkIdentifier(applicant);
		const account = await deps.authenticate(credentials);
		if (account === null) {
			deps.failed(credentials.remoteAddress);
			throw new Refusal(BAD_CREDENTIALS, 'username or password is wrong');
		}
		if (applicant.socket.destroyed) throw new Refusal(SERVER_UNAVAILABLE, 'the connection is gone');
		checkAccount(account, applicant);
		return connectionOf(account, applicant);
	};
}
