import { connect, type Socket } from 'node:net';

import { epochMs } from '../../core/kernel/clock.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { createBroker } from '../../core/mqtt/broker.ts';
import type { Broker, BrokerDeps, MqttAccount } from '../../core/mqtt/mqtt.ts';
import { DEFAULT_MQTT_LIMITS, type MqttLimits } from '../../core/mqtt/mqtt-limits.ts';
import { openMqttPort } from './mqtt-port.ts';

/** A broker on a loopback port whose accounts all have the password `right`. */
export async function startBroker(
	rules: Partial<Omit<BrokerDeps<MqttAccount>, 'limits'>> & { readonly limits?: Partial<MqttLimits> } = {},
): Promise<{ readonly broker: Broker; readonly port: number; readonly stop: () => Promise<void> }> {
	const broker = await createBroker<MqttAccount>({
		log: silentLog,
		clock: { now: () => epochMs(1_767_225_600_000), monotonicMs: () => 0 },
		authenticate: async ({ username, password }) => (password.toString() === 'right' ? { name: username } : null),
		authorizePublish: () => true,
		authorizeSubscribe: () => true,
		onPublish: async () => 'deliver',
		...rules,
		limits: { ...DEFAULT_MQTT_LIMITS, ...rules.limits },
	});
	const listener = await openMqttPort({ ...broker });
	return {
		broker,
		port: listener.port,
		stop: async () => {
			await listener.stop();
			await broker.stop();
		},
	};
}

/** A length-prefixed string of the protocol (3.1.1 section 1.5.3). */
export const text = (value: string): Buffer => {
	const bytes = Buffer.from(value);
	return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

/** One MQTT packet: type byte, remaining length, body. */
export function packet(type: number, ...body: readonly Buffer[]): Buffer {
	const content = Buffer.concat(body);
	const length: number[] = [];
	let rest = content.length;
	do {
		length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
		rest >>= 7;
	} while (rest > 0);
	return Buffer.concat([Buffer.from([type, ...length]), content]);
}

export const connectPacket = (username: string, password = 'right', clientId = 'c'): Buffer =>
	packet(0x10, text('MQTT'), Buffer.from([4, 0xc2, 0, 0]), text(clientId), text(username), text(password));

export const subscribePacket = (filter: string): Buffer =>
	packet(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([0]));

export const publishPacket = (topic: string, payload: string | Buffer, messageId = 0): Buffer =>
	messageId === 0
		? packet(0x30, text(topic), Buffer.from(payload))
		: packet(0x32, text(topic), Buffer.from([messageId >> 8, messageId & 0xff]), Buffer.from(payload));

const nothing = (): void => undefined;

/** A bare connection that speaks bytes and keeps what it hears. */
export interface RawPeer {
	readonly socket: Socket;
	send(bytes: Uint8Array): void;
	heard(): Buffer;
	/** Resolves once the bytes heard satisfy the condition or the connection is closed. */
	until(done: (heard: Buffer) => boolean): Promise<void>;
	closed(): Promise<void>;
}

/** @param localAddress where it seems to come from, of 127.0.0.0/8 */
export function rawPeer(port: number, localAddress = '127.0.0.1'): RawPeer {
	const socket = connect({ port, host: '127.0.0.1', localAddress });
	let heard = Buffer.alloc(0);
	let isClosed = false;
	const waiting = new Set<() => void>();
	const wake = (): void => {
		for (const check of waiting) check();
	};
	socket.on('data', (chunk) => {
		heard = Buffer.concat([heard, chunk]);
		wake();
	});
	socket.on('error', nothing);
	socket.on('close', () => {
		isClosed = true;
		wake();
	});
	const until = (done: (bytes: Buffer) => boolean): Promise<void> =>
		new Promise((resolve) => {
			const check = (): void => {
				if (!isClosed && !done(heard)) return;
				waiting.delete(check);
				resolve();
			};
			waiting.add(check);
			check();
		});
	return {
		socket,
		send: (bytes) => void socket.write(bytes),
		heard: () => heard,
		until,
		closed: () => until(() => false),
	};
}
