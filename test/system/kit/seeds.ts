/** Asks for a seed that nobody has tried yet. */
const RANDOM = 'random';
const MOST_SEEDS = 1_000_000;

function seedOf(text: string): number {
	if (text === RANDOM) return Date.now() % MOST_SEEDS;
	const seed = Number(text);
	if (!Number.isInteger(seed) || seed < 0 || seed > 0x7fff_ffff)
		throw new RangeError(
			`DRAWBRIDGE_SYSTEM_SEED takes whole numbers, separated by commas, and "${RANDOM}", not "${text}"`,
		);
	return seed;
}

/**
 * The seeds of a run: those of the test itself, so that a run can be repeated and none fails by dice, unless `DRAWBRIDGE_SYSTEM_SEED` names others: numbers,
 * or `random`, which draws one. @throws RangeError when it names neither
 */
export function systemSeeds(fixed: readonly [number, ...number[]]): readonly [number, ...number[]] {
	// oxlint-disable-next-line node/no-process-env -- how a test run is told which worlds to make
	const asked = process.env['DRAWBRIDGE_SYSTEM_SEED'];
	if (asked === undefined || asked === '') return fixed;
	const [first, ...others] = asked.split(',').map((text) => seedOf(text.trim()));
	return first === undefined ? fixed : [first, ...others];
}
