import mqtt, { type MqttClient } from 'mqtt';

import { LINK_SERVER_NAME } from '../../core/link/enrolment.ts';
import { DOWN_KINDS, downFilter, type DownKind, LINK_ROOT, type UpKind, upTopic } from '../../core/link/link-topics.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Stoppable } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { backoffMs } from '../../core/kernel/retry.ts';
import type { Credential } from '../../core/pki/certificate.ts';
import type { Enrolment } from './uplink-store.ts';

/** Seconds between MQTT pings: a black hole is noticed after one and a half of them. */
const KEEPALIVE_S = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 500;
/** Live values are missed at the hub until the next try. A handshake costs a hub about 2 ms: thousands may try in this time. */
const MOST_RETRY_MS = 10_000;
/** A publish that the hub's broker has not taken after this long: the line is a black hole. */
const PUBLISH_TIMEOUT_MS = 15_000;

export interface LinkState {
	readonly state: 'connecting' | 'online' | 'offline';
	readonly since: EpochMs;
	readonly lastError: string | null;
}

/** The link to the hub as the lanes see it. */
export interface Link {
	/** Resolves when the hub's broker has taken it (QoS 1) or it is handed to the socket (QoS 0). */
	publish(kind: UpKind, payload: Uint8Array, qos: 0 | 1): Promise<void>;
	/** Bytes waiting in the socket; the live lane holds back when it grows. */
	waitingBytes(): number;
	/** Ends the connection, which is then made anew: for a line that takes bytes and answers nothing. */
	renew(why: string): void;
	state(): LinkState;
	/** Time from the last message at QoS 1 to the hub's acknowledgement, ms; `null` before the first. */
	roundTripMs(): number | null;
}

export interface LinkEvents {
	/** A fresh connection stands, and this has opened it; nothing was published on it yet. */
	readonly up: (credential: Credential) => void;
	readonly down: () => void;
	readonly message: (kind: DownKind, payload: Uint8Array) => void;
}

export interface LinkConnectionDeps {
	readonly gateway: GatewayId;
	readonly hub: Pick<Enrolment, 'linkHost' | 'linkPort' | 'caPem'>;
	/** What the gateway can prove itself with, the newest first, at least one; when it is refused the next one is tried. Asked at each attempt. */
	readonly credentials: () => readonly Credential[];
	readonly clock: Clock;
	readonly log: Logger;
	readonly events: LinkEvents;
}

const kindOf = (topic: string): DownKind | null => {
	const last = topic.slice(topic.lastIndexOf('/') + 1);
	return DOWN_KINDS.find((kind) => kind === last) ?? null;
};

/**
 * Keeps one MQTT connection over TLS to the hub, with a fresh client object each time: connect, subscribe, say up, and when it ends wait a
 * growing, jittered time. Queues nothing: what is not sent is still in the journal.
 */
export function createLinkConnection(deps: LinkConnectionDeps): Link & Stoppable {
	const { gateway, hub, credentials, clock, log, events } = deps;
	let client: MqttClient | null = null;
	let state: LinkState = { state: 'connecting', since: clock.now(), lastError: null };
	let failures = 0;
	let retryTimer: NodeJS.Timeout | null = null;
	let isStopped = false;
	let roundTripMs: number | null = null;

	function become(next: LinkState['state'], lastError: string | null): void {
		if (next !== state.state) log.info('link-state', { state: next, reason: lastError });
		state = { state: next, since: next === state.state ? state.since : clock.now(), lastError };
	}

	function connect(): void {
		retryTimer = null;
		const known = credentials();
		// The first try after a connection that stood is none that was refused.
		const credential = known[Math.max(0, failures - 1) % known.length];
		if (credential === undefined) throw new Error('a link needs a certificate');
		const fresh = mqtt.connect({
			protocol: 'mqtts',
			host: hub.linkHost,
			port: hub.linkPort,
			servername: LINK_SERVER_NAME,
			ca: hub.caPem,
			cert: credential.certPem,
			key: credential.keyPem,
			rejectUnauthorized: true,
			protocolVersion: 4,
			clientId: gateway,
			username: gateway,
			clean: true,
			keepalive: KEEPALIVE_S,
			connectTimeout: CONNECT_TIMEOUT_MS,
			reconnectPeriod: 0,
			queueQoSZero: false,
			resubscribe: false,
		});
		client = fresh;
		let reason: string | null = null;
		fresh.on('error', (error) => (reason = messageOf(error)));
		fresh.on('message', (topic, payload) => {
			const kind = topic.startsWith(`${LINK_ROOT}/${gateway}/down/`) ? kindOf(topic) : null;
			if (kind !== null) events.message(kind, payload);
		});
		fresh.on('connect', () => {
			fresh.subscribe(downFilter(gateway), { qos: 1 }, (error) => {
				if (client !== fresh) return;
				if (error !== null) {
					reason = messageOf(error);
					fresh.end(true);
					return;
				}
				failures = 0;
				become('online', null);
				events.up(credential);
			});
		});
		fresh.on('close', () => ended(fresh, reason ?? 'the connection was closed'));
	}

	function ended(which: MqttClient, reason: string): void {
		if (client !== which) return;
		client = null;
		which.removeAllListeners();
		// A late error of a client nobody holds any more must not end the process.
		which.on('error', () => undefined);
		which.end(true);
		const wasOnline = state.state === 'online';
		if (isStopped) return;
		failures += 1;
		become('offline', reason);
		if (wasOnline) events.down();
		retryTimer = setTimeout(connect, backoffMs(failures, FIRST_RETRY_MS, MOST_RETRY_MS));
	}

	function publish(kind: UpKind, payload: Uint8Array, qos: 0 | 1): Promise<void> {
		const current = client;
		if (current === null || state.state !== 'online') {
			return Promise.reject(new Fault('unreachable', 'the hub is not connected'));
		}
		const sentMs = clock.monotonicMs();
		return new Promise((resolve, reject) => {
			const timer = setTimeout(
				() => reject(new Fault('timeout', `the hub took no ${kind} for ${PUBLISH_TIMEOUT_MS} ms`)),
				PUBLISH_TIMEOUT_MS,
			);
			current.publish(upTopic(gateway, kind), Buffer.from(payload), { qos }, (error) => {
				clearTimeout(timer);
				if (error === undefined || error === null) {
					if (qos === 1) roundTripMs = clock.monotonicMs() - sentMs;
					resolve();
				} else reject(new Fault('unreachable', messageOf(error), { cause: error }));
			});
		});
	}

	connect();

	return {
		publish,
		waitingBytes: () => client?.stream?.writableLength ?? 0,
		renew(why) {
			log.warn('link-renewed', { reason: why });
			const current = client;
			if (current !== null) ended(current, why);
		},
		state: () => state,
		roundTripMs: () => roundTripMs,
		async stop() {
			isStopped = true;
			if (retryTimer !== null) clearTimeout(retryTimer);
			const current = client;
			client = null;
			if (current === null) return;
			current.removeAllListeners();
			current.on('error', () => undefined);
			await current.endAsync(true);
		},
	};
}
