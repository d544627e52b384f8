import type { ForwardPacket } from './aedes-client.ts';
import { createTopicTree } from './topic-tree.ts';

/** Retained messages, in memory; their number and the bytes of their payloads stay bounded. */
export interface RetainedStore {
	/** Keeps the message of its topic; an empty payload removes it (3.1.1 section 3.3.1.3). `false`: no room, the earlier one stays. */
	put(packet: ForwardPacket): boolean;
	/** Those that a filter matches. */
	below(filter: string): IterableIterator<ForwardPacket>;
	readonly size: number;
}

export function createRetainedStore(maxMessages: number, maxBytes: number): RetainedStore {
	const tree = createTopicTree<ForwardPacket>();
	let messages = 0;
	let bytes = 0;
	return {
		put(packet) {
			const { topic, payload } = packet;
			const before = tree.get(topic);
			const after = bytes - (before?.payload.length ?? 0) + payload.length;
			if (payload.length === 0) {
				tree.delete(topic);
				messages -= before === undefined ? 0 : 1;
			} else {
				if (after > maxBytes || (before === undefined && messages >= maxMessages)) return false;
				tree.set(topic, { ...packet });
				messages += before === undefined ? 1 : 0;
			}
			bytes = after;
			return true;
		},
		below: (filter) => tree.below(filter),
		get size() {
			return messages;
		},
	};
}
