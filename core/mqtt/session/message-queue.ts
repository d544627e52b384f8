import type { ForwardPacket } from '../aedes-client.ts';

/** A message of a session that its client has not acknowledged. */
export interface QueuedMessage {
	readonly packet: ForwardPacket;
	/** QoS of this delivery: the lower one of the message's and the subscription's. */
	readonly qos: 1 | 2;
	/** Set once it was sent; it keeps its identifier when it is sent again [MQTT-4.4.0-1]. */
	messageId: number | null;
	/** The client has said PUBREC: from here on PUBREL is repeated, not the message. */
	isReceived: boolean;
}

export interface QueueLimits {
	readonly messages: number;
	/** Topics and payloads together. */
	readonly bytes: number;
}

/** Bytes that all queues together may hold. */
export interface ByteBudget {
	/** `false`: there is no room, nothing was taken. */
	take(bytes: number): boolean;
	give(bytes: number): void;
}

export function createByteBudget(limit: number): ByteBudget {
	let used = 0;
	return {
		take(bytes) {
			if (used + bytes > limit) return false;
			used += bytes;
			return true;
		},
		give: (bytes) => void (used -= bytes),
	};
}

/** What a session owes its client, in the order of arrival. Where there is no room the oldest message gives way. */
export interface MessageQueue {
	push(packet: ForwardPacket, qos: 1 | 2): void;
	/** The message with this broker counter, as far as it is still there. */
	find(brokerCounter: number): QueuedMessage | undefined;
	all(): readonly QueuedMessage[];
	received(messageId: number): void;
	acknowledge(messageId: number): void;
	clear(): void;
	readonly size: number;
	readonly bytes: number;
}

const bytesOf = ({ topic, payload }: ForwardPacket): number => topic.length + payload.length;

/** @param dropped called for each message that gave way before it was ever sent */
export function createMessageQueue(limits: QueueLimits, budget: ByteBudget, dropped: () => void): MessageQueue {
	const messages = new Map<number, QueuedMessage>();
	let bytes = 0;

	function remove(counter: number, message: QueuedMessage): void {
		messages.delete(counter);
		bytes -= bytesOf(message.packet);
		budget.give(bytesOf(message.packet));
	}

	function dropOldest(): boolean {
		for (const [counter, message] of messages) {
			remove(counter, message);
			if (message.messageId === null) dropped();
			return true;
		}
		return false;
	}

	function byId(messageId: number): [number, QueuedMessage] | null {
		for (const entry of messages) if (entry[1].messageId === messageId) return entry;
		return null;
	}

	/** Makes room for this much; `false`: there is none, even in an empty queue. */
	function makeRoom(size: number): boolean {
		while (messages.size >= limits.messages || bytes + size > limits.bytes || !budget.take(size))
			if (!dropOldest()) return false;
		return true;
	}

	return {
		push(packet, qos) {
			const size = bytesOf(packet);
			if (!makeRoom(size)) return dropped();
			bytes += size;
			messages.set(packet.brokerCounter, { packet, qos, messageId: null, isReceived: false });
		},
		find: (brokerCounter) => messages.get(brokerCounter),
		all: () => [...messages.values()],
		received(messageId) {
			const found = byId(messageId);
			if (found !== null) found[1].isReceived = true;
		},
		acknowledge(messageId) {
			const found = byId(messageId);
			if (found !== null) remove(...found);
		},
		clear() {
			budget.give(bytes);
			bytes = 0;
			messages.clear();
		},
		get size() {
			return messages.size;
		},
		get bytes() {
			return bytes;
		},
	};
}
