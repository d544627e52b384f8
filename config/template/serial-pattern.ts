/** Most ways in which a pattern may be tried on one frame: milliseconds at worst. */
const MOST_WAYS = 1_000_000;

const TOKEN =
	/\\k<|\\[1-9]|\\x[0-9A-Fa-f]{2}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?<[A-Za-z]\w*>|\(\?:|\(\?|\(|\)|\||[*+?]\??|\{\d+(?:,\d*)?\}\??|[^]/g;

const QUANTIFIER = /^(?:([*+?])|\{(\d+)(,)?(\d*)\})/;

/** How many lengths a quantifier allows; `null`: the token is none. */
function lengthsOf(token: string, mostBytes: number): number | null {
	const found = token.length > 1 || '*+?'.includes(token) ? QUANTIFIER.exec(token) : null;
	if (found === null) return null;
	const [, sign, least = '0', comma, most] = found;
	if (sign !== undefined) return sign === '?' ? 2 : mostBytes + 1;
	if (comma === undefined) return 1;
	return (most === '' ? mostBytes : Number(most)) - Number(least) + 1;
}

const REFUSED: readonly (readonly [token: RegExp, sentence: string])[] = [
	[/^\\(?:k<|[1-9])$/, 'must not refer back to a group'],
	[/^\(\?$/, 'must not look ahead or behind, or set flags'],
	[/^\($/, 'must name its groups (?<name>...) or make them (?:...)'],
];

/** Whether a quantifier behind a group repeats the group: `?` does not. */
const repeats = (token: string): boolean => !token.startsWith('?');

/**
 * Why a pattern may not be used on frames; `null`: it may. Groups are not repeated, and the product of all choices is bounded: with
 * it is bounded what any frame can make the pattern cost, since it is only ever tried from the start of the frame.
 * @param mostBytes length of the longest frame
 */
export function patternFlaw(pattern: string, mostBytes: number): string | null {
	let ways = 1;
	let before = '';
	for (const [token] of pattern.matchAll(TOKEN)) {
		const refusal = REFUSED.find(([sort]) => sort.test(token));
		if (refusal !== undefined) return refusal[1];
		const lengths = lengthsOf(token, mostBytes);
		if (lengths !== null && before === ')' && repeats(token))
			return `must not repeat a group, which nests quantifiers; found )${token}`;
		ways *= token === '|' ? 2 : Math.max(1, lengths ?? 1);
		before = token;
	}
	if (ways > MOST_WAYS)
		return `leaves too many choices for frames of ${mostBytes} bytes: give its repeats a limit {1,8}, or lower framing.max`;
	try {
		// oxlint-disable-next-line no-new -- only whether it can be built is asked
		new RegExp(`^(?:${pattern})$`, 's');
	} catch (error) {
		return `is no regular expression: ${error instanceof Error ? error.message : String(error)}`;
	}
	return null;
}

/** Names of the groups of a pattern. */
export const groupsOf = (pattern: string): ReadonlySet<string> =>
	new Set([...pattern.matchAll(/\(\?<([A-Za-z]\w*)>/g)].map(([, name = '']) => name));
