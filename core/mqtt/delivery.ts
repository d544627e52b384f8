import { deliverTo } from './aedes-client.ts';
import type { Connection, Qos } from './connection.ts';
import type { DeliveryResult, MqttAccount } from './mqtt.ts';

/** A connection that a message is to be delivered to. */
export interface DeliveryTarget {
	readonly connection: Connection<MqttAccount>;
	/** Of the filter that matches. */
	readonly qos: Qos;
}

type Outcome = Exclude<DeliveryResult, 'not-subscribed'>;

/** Sends to one connection: QoS 1 as far as it asked for it. `timeout`: it takes no more, or was closed. */
function sendTo({ connection, qos }: DeliveryTarget, topic: string, payload: Buffer): Promise<Outcome> {
	const { client, socket, window } = connection;
	const message = {
		cmd: 'publish',
		topic,
		payload,
		retain: false,
		dup: false,
		brokerId: '',
		brokerCounter: 0,
	} as const;
	return new Promise((resolve) => {
		const closed = (): void => resolve('timeout');
		const settle = (outcome: Outcome): void => {
			socket.removeListener('close', closed);
			resolve(outcome);
		};
		socket.once('close', closed);
		if (qos === 0) {
			void deliverTo(client, { ...message, qos: 0, messageId: 0 }).then(() => settle('acknowledged'));
			return;
		}
		const messageId = window.take(() => settle('acknowledged'));
		if (messageId === null) settle('timeout');
		else void deliverTo(client, { ...message, qos: 1, messageId });
	});
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
