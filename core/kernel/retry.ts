/**
 * Waiting time before attempt `attempt` (1-based): doubles from `firstMs` up to `mostMs`, with ±25 % of jitter so that a
 * fleet does not return all at once.
 */
export function backoffMs(
	attempt: number,
	firstMs: number,
	mostMs: number,
	random: () => number = Math.random,
): number {
	const plain = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 30));
	return Math.round(plain * (0.75 + random() * 0.5));
}
