/** How often something may happen: `burst` times at once after a rest, `perSecond` times in the long run. */
export interface TokenRate {
	readonly burst: number;
	readonly perSecond: number;
}

/** What a bucket held at a monotonic instant; below 0: what it owes. */
export interface TokenBucket {
	readonly tokens: number;
	readonly atMs: number;
}

/** The bucket at a later instant. */
export const refilled = (
	{ burst, perSecond }: TokenRate,
	{ tokens, atMs }: TokenBucket,
	nowMs: number,
): TokenBucket => ({
	tokens: Math.min(burst, tokens + ((nowMs - atMs) / 1_000) * perSecond),
	atMs: nowMs,
});

/** Milliseconds until a bucket holds `wanted` tokens; 0: it does. */
export const waitMs = ({ perSecond }: TokenRate, { tokens }: TokenBucket, wanted: number): number =>
	tokens >= wanted ? 0 : ((wanted - tokens) / perSecond) * 1_000;
