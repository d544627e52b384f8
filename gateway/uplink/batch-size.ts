/** Samples of the first block of a session: small on any line. */
const FIRST_SAMPLES = 4_000;
const FEWEST_SAMPLES = 100;
const MOST_SAMPLES = 20_000;
/** One block takes about so long on the line: live values that come behind it wait no longer. */
const TARGET_MS = 1_000;
/** Encoding holds up everything else of this box. */
const MOST_ENCODE_MS = 60;

/** What sending one block took. */
export interface BlockCost {
	readonly samples: number;
	readonly encodeMs: number;
	/** From handing it to the line to the word that it has arrived. */
	readonly lineMs: number;
}

/** How many samples the next block of history takes: more while the line is quick, fewer when it is slow. */
export interface BatchSize {
	samples(): number;
	note(cost: BlockCost): void;
}

const clamp = (samples: number): number => Math.round(Math.min(MOST_SAMPLES, Math.max(FEWEST_SAMPLES, samples)));

export function createBatchSize(): BatchSize {
	let size = FIRST_SAMPLES;
	return {
		samples: () => size,
		note({ samples, encodeMs, lineMs }) {
			const isSlow = lineMs > TARGET_MS * 1.5 || encodeMs > MOST_ENCODE_MS;
			if (isSlow) {
				const share = Math.min(TARGET_MS / Math.max(1, lineMs), MOST_ENCODE_MS / Math.max(1, encodeMs), 1);
				// Not to nothing because of one hiccup of the line.
				size = clamp(Math.max(size / 8, samples * share));
				return;
			}
			// A block that was not full says nothing about a larger one.
			const isQuick = lineMs < TARGET_MS / 2 && encodeMs < MOST_ENCODE_MS / 2;
			if (isQuick && samples >= size * 0.8) size = clamp(size * 1.5);
		},
	};
}
