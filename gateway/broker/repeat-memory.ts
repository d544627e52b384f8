import { crc32 } from 'node:zlib';

import type { MqttMessage } from '../../core/mqtt/mqtt.ts';

/**
 * Recognises messages that a device sends again because their acknowledgement was lost: same packet identifier, topic and
 * payload, with the DUP flag (3.1.1 section 3.3.1.1). Lives as long as the process; QoS 0 is never repeated.
 */
export interface RepeatMemory {
	/** The taking of the message that this one repeats; `null`: it is new. */
	first(device: string, message: MqttMessage): Promise<unknown> | null;
	/** A new message is being taken. */
	note(device: string, message: MqttMessage, taking: Promise<unknown>): void;
	/** It could not be taken: the same message is new again. */
	forget(device: string, message: MqttMessage): void;
}

/** Messages remembered for each device, those that are being taken included; the oldest gives way. */
const REMEMBERED = 64;

/** One device's messages; both lists have a place for each. */
interface Remembered {
	readonly identities: Float64Array;
	readonly takings: (Promise<unknown> | null)[];
	next: number;
}

/**
 * Packet identifier and checksum in one whole number; the topics of a device differ in length. One that makes two messages look alike only
 * deceives itself.
 */
const identityOf = ({ messageId, topic, payload }: MqttMessage): number =>
	(messageId ?? 0) * 2 ** 32 + crc32(payload, topic.length);

function drop({ identities }: Remembered, identity: number): void {
	const at = identities.indexOf(identity);
	if (at >= 0) identities[at] = Number.NaN;
}

export function createRepeatMemory(): RepeatMemory {
	const byDevice = new Map<string, Remembered>();

	function memoryOf(device: string): Remembered {
		let known = byDevice.get(device);
		if (known === undefined) {
			known = {
				identities: new Float64Array(REMEMBERED).fill(Number.NaN),
				takings: Array.from({ length: REMEMBERED }, () => null),
				next: 0,
			};
			byDevice.set(device, known);
		}
		return known;
	}

	return {
		first(device, message) {
			const known = message.dup ? byDevice.get(device) : undefined;
			const at = known?.identities.indexOf(identityOf(message)) ?? -1;
			return known?.takings[at] ?? null;
		},
		note(device, message, taking) {
			if (message.qos === 0) return;
			const known = memoryOf(device);
			const identity = identityOf(message);
			// A repetition waits for the last one that looked like it.
			drop(known, identity);
			known.identities[known.next] = identity;
			known.takings[known.next] = taking;
			known.next = (known.next + 1) % REMEMBERED;
		},
		forget(device, message) {
			const known = byDevice.get(device);
			if (known !== undefined) drop(known, identityOf(message));
		},
	};
}
