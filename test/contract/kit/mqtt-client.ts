import { connectAsync, type IClientOptions } from 'mqtt';

import { createMailbox, type Mailbox } from './mailbox.ts';

/** A message as it arrived; JSON where it is JSON. */
export interface HeardMessage {
	readonly topic: string;
	readonly payload: unknown;
	readonly retain: boolean;
}

export interface MqttPeer {
	/** Publishes at QoS 1 and waits for the PUBACK. Objects are sent as JSON. @throws Error when the broker hangs up instead */
	publish(topic: string, payload: object | string): Promise<void>;
	/** @throws Error when the broker refuses the subscription */
	subscribe(filter: string): Promise<void>;
	readonly heard: Mailbox<HeardMessage>;
	close(): Promise<void>;
}

const CONNECT_WITHIN_MS = 30_000;

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
	const closed = new Promise<never>((_resolve, reject) => {
		client.once('close', () => reject(new Error('the broker has closed the connection')));
	});
	// Nobody may be waiting when it ends.
	closed.catch(() => undefined);
	return {
		heard,
		async publish(topic, payload) {
			const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
			await Promise.race([client.publishAsync(topic, text, { qos: 1 }), closed]);
		},
		async subscribe(filter) {
			const granted = await client.subscribeAsync(filter, { qos: 1 });
			if (granted.some(({ qos }) => qos > 2)) throw new Error(`${filter} was refused`);
		},
		close: () => client.endAsync(true),
	};
}
