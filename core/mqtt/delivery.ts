import type { Client } from 'aedes';

import { deliverTo } from './aedes-client.ts';
import type { DeliveryResult } from './mqtt.ts';
import type { OutboundWindow } from './outbound-window.ts';

/** A connection that a message is to be delivered to. */
export interface DeliveryTarget {
	readonly client: Client;
	readonly window: OutboundWindow;
	/** Of the filter that matches. */
	readonly qos: 0 | 1 | 2;
	/** Resolves when the connection is gone. */
	readonly gone: Promise<void>;
}

type Outcome = Exclude<DeliveryResult, 'not-subscribed'>;

/** Sends to one connection: QoS 1 as far as it asked for it. `timeout`: it is gone, or takes no more. */
async function sendTo({ client, window, qos, gone }: DeliveryTarget, topic: string, payload: Buffer): Promise<Outcome> {
	const message = {
		cmd: 'publish',
		topic,
		payload,
		retain: false,
		dup: false,
		brokerId: '',
		brokerCounter: 0,
	} as const;
	const cut = gone.then((): Outcome => 'timeout');
	if (qos === 0) {
		const written = deliverTo(client, { ...message, qos: 0 }).then((): Outcome => 'acknowledged');
		return Promise.race([written, cut]);
	}
	const acknowledged = new Promise<Outcome>((resolve) => {
		const messageId = window.take(() => resolve('acknowledged'));
		if (messageId === null) resolve('timeout');
		else void deliverTo(client, { ...message, qos: 1, messageId });
	});
	return Promise.race([acknowledged, cut]);
}

/** Resolves with the first acknowledgement; with `timeout` when the time is up or no connection can acknowledge any more. */
export async function deliverToAny(
	targets: readonly DeliveryTarget[],
	topic: string,
	payload: Buffer,
	timeoutMs: number,
): Promise<DeliveryResult> {
	if (targets.length === 0) return 'not-subscribed';
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, timeoutMs, 'timeout');
		const settle = (result: Outcome): void => {
			clearTimeout(timer);
			resolve(result);
		};
		const attempts = targets.map(async (target) => {
			if ((await sendTo(target, topic, payload)) === 'acknowledged') settle('acknowledged');
		});
		void Promise.all(attempts).then(() => settle('timeout'));
	});
}
