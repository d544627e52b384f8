/** How much of anything is taken from a repository before it is trusted (endless data, TUF 1.0.34, 1.5.2). */
export interface TrustLimits {
	/** Bytes of one file, by its role; any delegated role is as `targets`. */
	readonly rootBytes: number;
	readonly timestampBytes: number;
	readonly snapshotBytes: number;
	readonly targetsBytes: number;
	/** Bytes of all delegated roles together: the set is read whole at each start. */
	readonly delegatedBytes: number;
	/** Roots that one refresh follows (TUF 5.3.3); the next one goes on. */
	readonly roots: number;
	/** Delegated roles of one set (TUF 5.6.7.1). */
	readonly roles: number;
	/** One metadata file has to arrive within this time, ms. */
	readonly fileMs: number;
	/** All files of one refresh together, ms: each of them may come just in time. */
	readonly refreshMs: number;
}

export const TRUST_LIMITS: TrustLimits = {
	rootBytes: 512_000,
	timestampBytes: 16_384,
	snapshotBytes: 2_000_000,
	targetsBytes: 5_000_000,
	delegatedBytes: 16_000_000,
	roots: 64,
	roles: 32,
	fileMs: 60_000,
	refreshMs: 15 * 60_000,
};
