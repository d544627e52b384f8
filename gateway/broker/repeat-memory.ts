import { crc32 } from 'node:zlib';

import type { MqttMessage } from '../../core/mqtt/mqtt.ts';

/**
 * Recognises messages that a device sends again because their acknowledgement was lost: same packet identifier, topic and
 * payload, with the DUP flag (3.1.1 section 3.3.1.1). Lives as long as the process; QoS 0 is never repeated.
 */
export interface RepeatMemory {
	/**
	 * Takes a message once: `take` runs for a new one; a repetition waits until the first is through. Answers whether it was one. Rejects
	 * as `take` does, and then the message is new again.
	 */
	once(device: string, message: MqttMessage, take: () => Promise<void>): Promise<'new' | 'repeated'>;
}

/** Messages remembered for each device, those that are being taken included. */
const REMEMBERED = 64;

/** A device that makes two messages look alike only deceives itself, so a checksum is enough. */
const identityOf = ({ messageId, topic, payload }: MqttMessage): string =>
	`${messageId}:${payload.length}:${crc32(payload)}:${topic}`;

export function createRepeatMemory(): RepeatMemory {
	const byDevice = new Map<string, Map<string, Promise<void>>>();

	function memoryOf(device: string): Map<string, Promise<void>> {
		let known = byDevice.get(device);
		if (known === undefined) byDevice.set(device, (known = new Map<string, Promise<void>>()));
		return known;
	}

	return {
		async once(device, message, take) {
			const known = memoryOf(device);
			const identity = message.qos === 0 ? null : identityOf(message);
			const first = identity === null || !message.dup ? undefined : known.get(identity);
			if (first !== undefined) {
				await first;
				return 'repeated';
			}
			const taking = take();
			if (identity === null) {
				await taking;
				return 'new';
			}
			// Put in again, so that the memory stays in the order of arrival.
			known.delete(identity);
			known.set(identity, taking);
			const [oldest] = known.keys();
			if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
			try {
				await taking;
			} catch (error) {
				if (known.get(identity) === taking) known.delete(identity);
				throw error;
			}
			return 'new';
		},
	};
}
