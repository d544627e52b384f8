const SLICES = 10;
const SLICE_MS = 1000;

/** How much of the last 10 s a line was in use. Instants are monotonic, ms. */
export interface Utilisation {
	busy(fromMs: number, toMs: number): void;
	/** 0 to 1 over the 10 s before `nowMs`. */
	share(nowMs: number): number;
}

export function createUtilisation(startMs: number): Utilisation {
	const busyMs = new Float64Array(SLICES + 1);
	const sliceOf = new Float64Array(SLICES + 1).fill(-1);

	function add(slice: number, ms: number): void {
		const at = slice % busyMs.length;
		busyMs[at] = (sliceOf[at] === slice ? (busyMs[at] ?? 0) : 0) + ms;
		sliceOf[at] = slice;
	}

	return {
		busy(fromMs, toMs) {
			// Only what the window can still show: a wait of minutes must not walk through every second of it.
			let at = Math.max(fromMs, toMs - SLICES * SLICE_MS);
			while (at < toMs) {
				const slice = Math.floor(at / SLICE_MS);
				const end = Math.min(toMs, (slice + 1) * SLICE_MS);
				add(slice, end - at);
				at = end;
			}
		},
		share(nowMs) {
			const slice = Math.floor(nowMs / SLICE_MS);
			const spanMs = Math.min(nowMs - startMs, (SLICES - 1) * SLICE_MS + (nowMs % SLICE_MS));
			if (spanMs <= 0) return 0;
			let sumMs = 0;
			for (let i = 0; i < busyMs.length; i += 1) {
				if ((sliceOf[i] ?? -1) > slice - SLICES) sumMs += busyMs[i] ?? 0;
			}
			return Math.min(1, sumMs / spanMs);
		},
	};
}
