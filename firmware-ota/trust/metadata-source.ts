/**
 * Where metadata comes from: a hub, a mirror, a folder on a stick. It is not believed in anything; it has to keep the bounds.
 */
export interface MetadataSource {
	/** For sentences and logs. */
	readonly name: string;
	/**
	 * A whole file of the metadata folder, e.g. `3.root.json`; `null`: there is none.
	 *
	 * @throws TrustFault `too-large` as soon as there are more than `mostBytes`, `too-slow` when it takes longer than `withinMs`, `unreachable`
	 */
	file(name: string, bounds: FetchBounds): Promise<Uint8Array | null>;
}

export interface FetchBounds {
	readonly mostBytes: number;
	readonly withinMs: number;
	readonly signal: AbortSignal;
}

/** Part of a target as a source gives it. */
export interface TargetPart {
	/** Where the chunks begin; 0 when the source cannot go on where it was asked to. */
	readonly fromByte: number;
	readonly chunks: AsyncIterable<Uint8Array>;
}

/** Where the bytes of targets come from. */
export interface TargetSource {
	readonly name: string;
	/**
	 * The bytes of a file of the targets folder (`HASH.name` in its folder, TUF 5.7.3) from `fromByte` on. The chunks end, or fail with
	 * TrustFault `unreachable` or `too-slow`.
	 *
	 * @throws TrustFault `missing`, `unreachable`, `too-slow`
	 */
	open(name: string, from: TargetStart): Promise<TargetPart>;
}

export interface TargetStart {
	readonly fromByte: number;
	/** SHA-256 of the whole file: a source with another file under this name has to begin anew. */
	readonly sha256: string;
	readonly pace: Pace;
	readonly signal: AbortSignal;
}

/** How slow is too slow (slow retrieval, TUF 1.5.2). */
export interface Pace {
	/** Over each such time at least `leastBytes` have to come. */
	readonly withinMs: number;
	readonly leastBytes: number;
}

/** 1 KiB a second over half a minute: a bad GPRS link is faster. */
export const TARGET_PACE: Pace = { withinMs: 30_000, leastBytes: 30 * 1024 };
