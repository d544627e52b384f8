/**
 * Packet identifiers of the messages that one connection has been sent at QoS 1 or 2 and has not yet acknowledged
 * (3.1.1 section 2.3.1): none is given out twice, and their number is bounded.
 */
export interface OutboundWindow {
	/** Takes a free identifier; `null` when the window is full. `onAcknowledged` is called once, or never. */
	take(onAcknowledged?: () => void): number | null;
	/** Takes this identifier, for a message that is sent again. */
	retake(id: number): void;
	/** Frees an identifier; `false` when nothing was sent with it. */
	acknowledge(id: number): boolean;
	readonly size: number;
}

const LAST_ID = 65_535;

/** @param limit unacknowledged messages at once, 1 to 65 534 */
export function createOutboundWindow(limit: number): OutboundWindow {
	const waiting = new Map<number, (() => void) | undefined>();
	let last = 0;
	return {
		take(onAcknowledged) {
			if (waiting.size >= limit) return null;
			do last = last === LAST_ID ? 1 : last + 1;
			while (waiting.has(last));
			waiting.set(last, onAcknowledged);
			return last;
		},
		retake: (id) => void waiting.set(id, undefined),
		acknowledge(id) {
			const onAcknowledged = waiting.get(id);
			if (!waiting.delete(id)) return false;
			onAcknowledged?.();
			return true;
		},
		get size() {
			return waiting.size;
		},
	};
}
