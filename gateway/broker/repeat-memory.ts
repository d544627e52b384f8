import { createHash } from 'node:crypto';

import type { MqttMessage } from '../../core/mqtt/mqtt.ts';

/**
 * Recognises messages that a device sends again because their acknowledgement was lost: same packet identifier, topic and
 * payload, with the DUP flag (3.1.1 section 3.3.1.1). Lives as long as the process; QoS 0 is never repeated.
 */
export interface RepeatMemory {
	isRepeated(device: string, message: MqttMessage): boolean;
	remember(device: string, message: MqttMessage): void;
}

/** Accepted messages remembered for each device. */
const REMEMBERED = 64;

const identityOf = ({ messageId, topic, payload }: MqttMessage): string =>
	`${messageId}:${createHash('sha256').update(topic).update(payload).digest('base64')}`;

export function createRepeatMemory(): RepeatMemory {
	const byDevice = new Map<string, Set<string>>();
	return {
		isRepeated: (device, message) => message.dup && (byDevice.get(device)?.has(identityOf(message)) ?? false),
		remember(device, message) {
			if (message.qos === 0) return;
			let known = byDevice.get(device);
			if (known === undefined) byDevice.set(device, (known = new Set()));
			const identity = identityOf(message);
			known.delete(identity);
			known.add(identity);
			const [oldest] = known;
			if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
		},
	};
}
