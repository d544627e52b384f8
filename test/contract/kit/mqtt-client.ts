import { connectAsync, type IClientOptions } from 'mqtt';

import { createMailbox, type Mailbox } from './mailbox.ts';

/** A message as it arrived; JSON where it is JSON. */
export interface HeardMessage {
	readonly topic: string;
	readonly payload: unknown;
	readonly retain: boolean;
}

export interface MqttPeer {
	/** Publishes at QoS 1; resolves when the broker has acknowledged. Objects are sent as JSON. */
	publish(topic: string, payload: object | string): Promise<void>;
	/** @throws Error when the broker refuses the subscription */
	subscribe(filter: string): Promise<void>;
	readonly heard: Mailbox<HeardMessage>;
	close(): Promise<void>;
}

const CONNECT_WITHIN_MS = 10_000;

function jsonOf(payload: Buffer): unknown {
	try {
		return JSON.parse(payload.toString());
	} catch {
		return payload.toString();
	}
}

/** @throws Error when the broker does not let it in */
export async function connectMqtt(port: number, options: IClientOptions): Promise<MqttPeer> {
	const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
		reconnectPeriod: 0,
		connectTimeout: CONNECT_WITHIN_MS,
		...options,
	});
	const heard = createMailbox<HeardMessage>();
	client.on('message', (topic, payload, { retain }) => heard.put({ topic, payload: jsonOf(payload), retain }));
	client.on('error', () => undefined);
	return {
		heard,
		async publish(topic, payload) {
			await client.publishAsync(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { qos: 1 });
		},
		async subscribe(filter) {
			const granted = await client.subscribeAsync(filter, { qos: 1 });
			if (granted.some(({ qos }) => qos > 2)) throw new Error(`${filter} was refused`);
		},
		close: () => client.endAsync(true),
	};
}
