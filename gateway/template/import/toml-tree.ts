import { atLine, ImportFault, type Place, shownValue } from './imported.ts';
import { MAX_DEPTH, MAX_VALUES, type PlacedMap, type PlacedValue } from './placed-value.ts';

/** A table that is still being filled. */
interface OpenTable {
	readonly kind: 'map';
	readonly place: Place;
	readonly entries: Map<string, OpenValue>;
}

interface OpenList {
	readonly kind: 'list';
	readonly place: Place;
	readonly items: OpenValue[];
}

type OpenValue = OpenTable | OpenList | Extract<PlacedValue, { kind: 'scalar' }>;

const escapes: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', '"': '"', '\\': '\\' };

const BARE = /[\w-]+/y;
const NUMBER = /[+-]?(?:0x[\da-f_]+|0o[0-7_]+|0b[01_]+|(?:\d[\d_]*)(?:\.\d[\d_]*)?(?:e[+-]?\d[\d_]*)?)/iy;
/** Dates and the like, kept as text. */
const WORD = /[\w.:+-]+/y;
const BLANKS = /[ \t]*/y;
const LAYOUT = /(?:[ \t\r\n]+|#[^\n]*)*/y;

/** Walks over a text; knows at which line it is. */
function createCursor(text: string) {
	let at = 0;
	let line = 1;
	let lineStart = 0;

	function advance(count: number): void {
		for (let end = at + count; at < end; at += 1) {
			if (text[at] !== '\n') continue;
			line += 1;
			lineStart = at + 1;
		}
	}

	/** What the (sticky) pattern finds here; the cursor is behind it. */
	function take(pattern: RegExp): string {
		pattern.lastIndex = at;
		const found = pattern.exec(text)?.[0] ?? '';
		advance(found.length);
		return found;
	}

	const place = (): Place => atLine(line, at - lineStart + 1);

	return {
		take,
		place,
		isAtEnd: (): boolean => at >= text.length,
		sees: (token: string): boolean => text.startsWith(token, at),
		/** Steps over the token if it is here. */
		skips(token: string): boolean {
			if (!text.startsWith(token, at)) return false;
			advance(token.length);
			return true;
		},
		/** Up to the token, which has to come; the cursor is behind it. */
		until(token: string): string {
			const end = text.indexOf(token, at);
			if (end < 0) throw new ImportFault(place(), `${token} is missing`);
			const found = text.slice(at, end);
			advance(found.length + token.length);
			return found;
		},
		next(): string {
			const character = text[at] ?? '';
			advance(1);
			return character;
		},
		fault: (rule: string): ImportFault =>
			new ImportFault(place(), rule, shownValue(text.slice(at, at + 20).split('\n')[0])),
	};
}

type Cursor = ReturnType<typeof createCursor>;

function basicString(cursor: Cursor): string {
	let found = '';
	for (;;) {
		if (cursor.isAtEnd() || cursor.sees('\n')) throw cursor.fault('a text ends with " in its line');
		const character = cursor.next();
		if (character === '"') return found;
		if (character !== '\\') {
			found += character;
			continue;
		}
		const escape = cursor.next();
		if (escape === 'u' || escape === 'U') {
			const digits = Array.from({ length: escape === 'u' ? 4 : 8 }, () => cursor.next()).join('');
			const code = /^[\da-f]+$/i.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
			if (!(code <= 0x10_ffff)) throw cursor.fault('must be hexadecimal digits of a character');
			found += String.fromCodePoint(code);
			continue;
		}
		const meant = escapes[escape];
		if (meant === undefined) throw cursor.fault(`\\${escape} is no escape`);
		found += meant;
	}
}

function toNumber(token: string): number {
	const plain = token.replaceAll('_', '');
	return plain.startsWith('+') ? Number(plain.slice(1)) : Number(plain);
}

/** Reads the values of a text, counting them. */
function createValues(cursor: Cursor) {
	let left = MAX_VALUES;

	function key(): string {
		if (cursor.skips('"')) return basicString(cursor);
		if (cursor.skips("'")) return cursor.until("'");
		const bare = cursor.take(BARE);
		if (bare === '') throw cursor.fault('must be a key');
		return bare;
	}

	/** `a.b.c` */
	function path(): readonly string[] {
		const steps = [key()];
		cursor.take(BLANKS);
		while (cursor.skips('.')) {
			cursor.take(BLANKS);
			steps.push(key());
			cursor.take(BLANKS);
			if (steps.length > MAX_DEPTH) throw cursor.fault(`must not be nested deeper than ${MAX_DEPTH} levels`);
		}
		return steps;
	}

	function text(): string | null {
		if (cursor.skips('"""')) return cursor.until('"""').replace(/^\r?\n/, '');
		if (cursor.skips("'''")) return cursor.until("'''").replace(/^\r?\n/, '');
		if (cursor.skips('"')) return basicString(cursor);
		return cursor.skips("'") ? cursor.until("'") : null;
	}

	function list(place: Place, depth: number): OpenList {
		const items: OpenValue[] = [];
		cursor.take(LAYOUT);
		while (!cursor.skips(']')) {
			items.push(value(depth + 1));
			cursor.take(LAYOUT);
			if (cursor.skips(',')) cursor.take(LAYOUT);
			else if (!cursor.sees(']')) throw cursor.fault('must be , or ]');
		}
		return { kind: 'list', place, items };
	}

	function inlineTable(place: Place, depth: number): OpenTable {
		const table: OpenTable = { kind: 'map', place, entries: new Map() };
		cursor.take(LAYOUT);
		while (!cursor.skips('}')) {
			assign(table, depth + 1);
			cursor.take(LAYOUT);
			if (cursor.skips(',')) cursor.take(LAYOUT);
			else if (!cursor.sees('}')) throw cursor.fault('must be , or }');
		}
		return table;
	}

	function plain(place: Place): OpenValue {
		if (cursor.skips('true')) return { kind: 'scalar', place, value: true };
		if (cursor.skips('false')) return { kind: 'scalar', place, value: false };
		const number = cursor.take(NUMBER);
		const rest = cursor.take(WORD);
		if (number + rest === '') throw cursor.fault('must be a value');
		return { kind: 'scalar', place, value: rest === '' ? toNumber(number) : number + rest };
	}

	function value(depth: number): OpenValue {
		left -= 1;
		if (left < 0) throw cursor.fault(`a file holds at most ${MAX_VALUES} values`);
		if (depth > MAX_DEPTH) throw cursor.fault(`must not be nested deeper than ${MAX_DEPTH} levels`);
		const place = cursor.place();
		const written = text();
		if (written !== null) return { kind: 'scalar', place, value: written };
		if (cursor.skips('[')) return list(place, depth);
		return cursor.skips('{') ? inlineTable(place, depth) : plain(place);
	}

	/** `key = value` */
	function assign(into: OpenTable, depth: number): void {
		const place = cursor.place();
		const steps = path();
		if (!cursor.skips('=')) throw cursor.fault('must be = after a key');
		cursor.take(BLANKS);
		const table = tableAt(into, steps.slice(0, -1), place, false);
		const name = steps.at(-1) ?? '';
		if (table.entries.has(name)) throw new ImportFault(place, 'must not be there twice', name);
		table.entries.set(name, value(depth));
	}
	return { path, assign };
}

/** The table under a path; of a list of tables its last one. @param isFresh a new one at the end of such a list */
function tableAt(root: OpenTable, steps: readonly string[], place: Place, isFresh: boolean): OpenTable {
	let table = root;
	for (const [index, step] of steps.entries()) {
		const isNew = isFresh && index === steps.length - 1;
		let found = table.entries.get(step);
		if (found === undefined) {
			found = isNew ? { kind: 'list', place, items: [] } : { kind: 'map', place, entries: new Map() };
			table.entries.set(step, found);
		}
		if (isNew && found.kind === 'list') found.items.push({ kind: 'map', place, entries: new Map() });
		const next = found.kind === 'list' ? found.items.at(-1) : found;
		if (next?.kind !== 'map') throw new ImportFault(place, 'is a value already, and no table', step);
		table = next;
	}
	return table;
}

/**
 * The part of TOML 1.0 that settings files use: tables, lists of tables, inline tables, lists, texts, numbers, booleans. Dates stay text.
 * @throws ImportFault with line and column
 */
export function tomlTree(text: string): PlacedMap {
	const cursor = createCursor(text);
	const values = createValues(cursor);
	const root: OpenTable = { kind: 'map', place: atLine(1, 1), entries: new Map() };
	let table = root;
	for (cursor.take(LAYOUT); !cursor.isAtEnd(); cursor.take(LAYOUT)) {
		const place = cursor.place();
		if (cursor.skips('[')) {
			const isList = cursor.skips('[');
			cursor.take(BLANKS);
			table = tableAt(root, values.path(), place, isList);
			if (!cursor.skips(isList ? ']]' : ']')) throw cursor.fault(`must be ${isList ? ']]' : ']'}`);
		} else values.assign(table, 0);
		cursor.take(BLANKS);
		if (!cursor.isAtEnd() && !cursor.sees('\n') && !cursor.sees('\r') && !cursor.sees('#'))
			throw cursor.fault('must be the end of the line');
	}
	return root;
}
