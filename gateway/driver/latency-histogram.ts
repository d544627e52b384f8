/** Buckets double every four: each is 19 % wider than the one before. */
const PER_OCTAVE = 4;
/** Upper edge of the first bucket, ms. */
const FIRST_MS = 0.25;
/** From 0.25 ms to 65.5 s; what takes longer is in the last bucket. */
const OCTAVES = 18;
const BUCKETS = OCTAVES * PER_OCTAVE + 1;

/** How many latencies were at most this long. */
export interface LatencyBucket {
	/** Upper edge, ms; `Infinity` for the last. */
	readonly upToMs: number;
	/** Latencies within it, those of the buckets before it included. */
	readonly count: number;
}

/** All latencies since the start in fixed logarithmic buckets: 292 bytes, whatever comes. */
export interface LatencyHistogram {
	add(latencyMs: number): void;
	readonly count: number;
	readonly sumMs: number;
	/** The latency that this share (0 to 1) stays within, to a fifth of itself; `null` before the first. */
	percentileMs(share: number): number | null;
	/** One bucket for each doubling, 0.25 ms to 65.5 s, and `Infinity`. */
	buckets(): readonly LatencyBucket[];
}

const edgeMs = (bucket: number): number => FIRST_MS * 2 ** (bucket / PER_OCTAVE);

const bucketOf = (latencyMs: number): number =>
	latencyMs <= FIRST_MS ? 0 : Math.min(BUCKETS, Math.ceil(Math.log2(latencyMs / FIRST_MS) * PER_OCTAVE - 1e-9));

export function createLatencyHistogram(): LatencyHistogram {
	const counts = new Uint32Array(BUCKETS + 1);
	let count = 0;
	let sumMs = 0;
	return {
		add(latencyMs) {
			counts[bucketOf(latencyMs)] = (counts[bucketOf(latencyMs)] ?? 0) + 1;
			count += 1;
			sumMs += latencyMs;
		},
		get count() {
			return count;
		},
		get sumMs() {
			return sumMs;
		},
		percentileMs(share) {
			if (count === 0) return null;
			let left = Math.max(1, Math.ceil(share * count));
			const at = counts.findIndex((each) => (left -= each) <= 0);
			return edgeMs(Math.min(at, BUCKETS - 1));
		},
		buckets() {
			let sum = 0;
			const found: LatencyBucket[] = [];
			for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
				sum += counts[bucket] ?? 0;
				if (bucket % PER_OCTAVE === 0) found.push({ upToMs: edgeMs(bucket), count: sum });
			}
			return [...found, { upToMs: Number.POSITIVE_INFINITY, count }];
		},
	};
}
