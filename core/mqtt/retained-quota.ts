/** Counts retained messages, so that their number and their bytes stay bounded; the broker itself keeps any number. */
export interface RetainedQuota {
	/** Books a retained message of this size; 0 bytes removes the topic's (3.1.1 section 3.3.1.3). `false`: no room, nothing was booked. */
	book(topic: string, bytes: number): boolean;
}

export function createRetainedQuota(maxMessages: number, maxBytes: number): RetainedQuota {
	const sizes = new Map<string, number>();
	let total = 0;
	return {
		book(topic, bytes) {
			const before = sizes.get(topic);
			const after = total - (before ?? 0) + bytes;
			if (bytes > 0 && (after > maxBytes || (before === undefined && sizes.size >= maxMessages))) return false;
			if (bytes === 0) sizes.delete(topic);
			else sizes.set(topic, bytes);
			total = after;
			return true;
		},
	};
}
