/** Latencies kept: enough for a 99th percentile, small enough to sort when somebody asks. */
const WINDOW = 256;

/** The newest latencies of a line or a device, ms. */
export interface LatencyWindow {
	add(latencyMs: number): void;
	/** The latency that this share (0 to 1) of the window stays within; `null` before the first answer. */
	percentileMs(share: number): number | null;
}

export function createLatencyWindow(): LatencyWindow {
	const kept = new Float64Array(WINDOW);
	let count = 0;
	let next = 0;
	let sorted: Float64Array | null = null;
	return {
		add(latencyMs) {
			kept[next] = latencyMs;
			next = (next + 1) % WINDOW;
			count = Math.min(count + 1, WINDOW);
			sorted = null;
		},
		percentileMs(share) {
			if (count === 0) return null;
			sorted ??= kept.slice(0, count).toSorted();
			return sorted[Math.min(count - 1, Math.floor(share * count))] ?? null;
		},
	};
}
