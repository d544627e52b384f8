import { atLine, ImportFault, type Place, shownValue } from './imported.ts';
import { MAX_DEPTH, MAX_VALUES, type PlacedValue } from './placed-value.ts';

const BLANKS = /[ \t\r\n]*/y;
// oxlint-disable-next-line no-control-regex -- the characters that a JSON text may not hold
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

/** Finds the line of a position; positions may only grow. */
function createLines(text: string) {
	let line = 1;
	let lineStart = 0;
	let next = text.indexOf('\n');
	return (at: number): Place => {
		while (next >= 0 && next < at) {
			line += 1;
			lineStart = next + 1;
			next = text.indexOf('\n', lineStart);
		}
		return atLine(line, at - lineStart + 1);
	};
}

/**
 * A JSON text (RFC 8259) as values with their lines.
 * @throws ImportFault with the place: it is no JSON, too deep, or too large
 */
export function jsonTree(text: string): PlacedValue {
	const placeAt = createLines(text);
	let at = text.startsWith('\uFEFF') ? 1 : 0;
	let left = MAX_VALUES;

	const fault = (rule: string): ImportFault =>
		new ImportFault(
			placeAt(at),
			rule,
			at < text.length ? shownValue(text.slice(at, at + 20).split('\n')[0]) : 'the end',
		);

	function take(pattern: RegExp): string {
		pattern.lastIndex = at;
		const found = pattern.exec(text)?.[0] ?? '';
		at += found.length;
		return found;
	}

	function skips(token: string): boolean {
		take(BLANKS);
		if (text[at] !== token) return false;
		at += 1;
		return true;
	}

	function string(): string | null {
		const found = take(STRING);
		return found === '' ? null : String(JSON.parse(found));
	}

	/** Things with commas between them, up to the closing token. */
	function separated(closing: string, read: () => void): void {
		if (skips(closing)) return;
		do {
			take(BLANKS);
			read();
		} while (skips(','));
		if (!skips(closing)) throw fault(`must be , or ${closing}`);
	}

	function map(place: Place, depth: number): PlacedValue {
		const entries = new Map<string, PlacedValue>();
		separated('}', () => {
			const key = string();
			if (key === null) throw fault('must be a key in quotes');
			if (!skips(':')) throw fault('must be : after a key');
			entries.set(key, value(depth + 1));
		});
		return { kind: 'map', place, entries };
	}

	function list(place: Place, depth: number): PlacedValue {
		const items: PlacedValue[] = [];
		separated(']', () => items.push(value(depth + 1)));
		return { kind: 'list', place, items };
	}

	function scalar(place: Place): PlacedValue {
		const quoted = string();
		if (quoted !== null) return { kind: 'scalar', place, value: quoted };
		const word = Object.keys(WORDS).find((each) => text.startsWith(each, at));
		if (word !== undefined) {
			at += word.length;
			return { kind: 'scalar', place, value: WORDS[word] ?? null };
		}
		const number = take(NUMBER);
		if (number === '') throw fault('must be a JSON value');
		return { kind: 'scalar', place, value: Number(number) };
	}

	function value(depth: number): PlacedValue {
		take(BLANKS);
		const place = placeAt(at);
		left -= 1;
		if (left < 0) throw fault(`a file holds at most ${MAX_VALUES} values`);
		if (depth > MAX_DEPTH) throw fault(`must not be nested deeper than ${MAX_DEPTH} levels`);
		if (skips('{')) return map(place, depth);
		return skips('[') ? list(place, depth) : scalar(place);
	}

	const root = value(0);
	take(BLANKS);
	if (at < text.length) throw fault('must be the end of the file');
	return root;
}
