/** Most steps that a pattern may take on one frame: a tenth of a second at worst. */
const MOST_STEPS = 5_000_000;

const TOKEN =
	/\\k<|\\[1-9]|\\x[0-9A-Fa-f]{2}|\\.|\[(?:\\.|[^\]\\])*\]|\(\?<[A-Za-z]\w*>|\(\?:|\(\?|\(|\)|\||[*+?]\??|\{\d+(?:,\d*)?\}\??|[^]/g;

const QUANTIFIER = /^(?:([*+?])|\{(\d+)(,)?(\d*)\})/;

/** What a quantifier allows. */
interface Repeats {
	/** How many lengths. */
	readonly lengths: number;
	readonly least: number;
}

/** `null`: the token is no quantifier. */
function repeatsOf(token: string, mostBytes: number): Repeats | null {
	const found = token.length > 1 || '*+?'.includes(token) ? QUANTIFIER.exec(token) : null;
	if (found === null) return null;
	const [, sign, least = '0', comma, most] = found;
	if (sign !== undefined) return { lengths: sign === '?' ? 2 : mostBytes + 1, least: 0 };
	if (comma === undefined) return { lengths: 1, least: Number(least) };
	return { lengths: (most === '' ? mostBytes : Number(most)) - Number(least) + 1, least: Number(least) };
}

const REFUSED: readonly (readonly [token: RegExp, sentence: string])[] = [
	[/^\\(?:k<|[1-9])$/, 'must not refer back to a group'],
	[/^\(\?$/, 'must not look ahead or behind, or set flags'],
	[/^\($/, 'must name its groups (?<name>...) or make them (?:...)'],
];

/** Whether a quantifier behind a group repeats the group: `?` does not. */
const repeats = (token: string): boolean => !token.startsWith('?');

function buildFlaw(pattern: string): string | null {
	try {
		// oxlint-disable-next-line no-new -- only whether it can be built is asked
		new RegExp(`^(?:${pattern})$`, 's');
		return null;
	} catch (error) {
		return `is no regular expression: ${error instanceof Error ? error.message : String(error)}`;
	}
}

/**
 * Why a pattern may not be used on frames; `null`: it may. Groups are not repeated, and the product of all choices, each as long as
 * what it has to fit, is bounded: with it is bounded what any frame can make the pattern cost, since it is only ever tried from the start.
 * @param mostBytes length of the longest frame
 */
export function patternFlaw(pattern: string, mostBytes: number): string | null {
	let ways = 1;
	let fixed = 1;
	let before = '';
	for (const [token] of pattern.matchAll(TOKEN)) {
		const refusal = REFUSED.find(([sort]) => sort.test(token));
		if (refusal !== undefined) return refusal[1];
		const found = repeatsOf(token, mostBytes);
		if (found !== null && before === ')' && repeats(token))
			return `must not repeat a group, which nests quantifiers; found )${token}`;
		ways *= token === '|' ? 2 : Math.max(1, found?.lengths ?? 1);
		fixed += found?.least ?? 1;
		before = token;
	}
	if (ways * fixed > MOST_STEPS)
		return `leaves too many choices for frames of ${mostBytes} bytes: give its repeats a limit {1,8}, or lower framing.max`;
	return buildFlaw(pattern);
}

/** Names of the groups of a pattern. */
export const groupsOf = (pattern: string): ReadonlySet<string> =>
	new Set([...pattern.matchAll(/\(\?<([A-Za-z]\w*)>/g)].map(([, name = '']) => name));
