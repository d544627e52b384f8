import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';

import { atLine, ImportFault, NOWHERE, type Place } from './imported.ts';
import { MAX_DEPTH, MAX_VALUES, type PlacedValue } from './placed-value.ts';

/** Most characters: the parser takes its time. */
const MAX_CHARACTERS = 128 * 1024;

/** Nesting of brackets and of dashes in one line, beyond which a text is not given to the parser at all. */
const MAX_BRACKETS = 200;

/** Stops what would nest a parser too deep before it starts. Brackets within texts count too: no real file has that many. */
function assertShallow(text: string): void {
	let depth = 0;
	let line = 1;
	for (const character of text) {
		if (character === '\n') line += 1;
		else if (character === '[' || character === '{') depth += 1;
		else if ((character === ']' || character === '}') && depth > 0) depth -= 1;
		if (depth > MAX_BRACKETS) throw new ImportFault(atLine(line), `must not be nested deeper than ${MAX_DEPTH} levels`);
	}
	const dashes = /^[ \t]*(?:(?:-|\?|[\w"']{0,40}:)[ \t]+){65}/m.exec(text);
	if (dashes !== null)
		throw new ImportFault(
			atLine(text.slice(0, dashes.index).split('\n').length),
			`must not be nested deeper than ${MAX_DEPTH} levels`,
		);
}

const toScalar = (value: unknown): string | number | boolean | null => {
	if (typeof value === 'bigint') return value.toString();
	return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
};

/** Makes values with places of the parser's nodes. Aliases are refused: they make much out of little. */
function createPlacer(lines: LineCounter) {
	let left = MAX_VALUES;

	function placeOf(node: unknown): Place {
		const range: unknown = typeof node === 'object' && node !== null ? Reflect.get(node, 'range') : null;
		const start: unknown = Array.isArray(range) ? range[0] : null;
		if (typeof start !== 'number') return NOWHERE;
		const { line, col } = lines.linePos(start);
		return atLine(line, col);
	}

	function placed(node: unknown, depth: number): PlacedValue {
		const place = placeOf(node);
		left -= 1;
		if (left < 0) throw new ImportFault(place, `a file holds at most ${MAX_VALUES} values`);
		if (depth > MAX_DEPTH) throw new ImportFault(place, `must not be nested deeper than ${MAX_DEPTH} levels`);
		if (isAlias(node))
			throw new ImportFault(place, 'anchors and aliases are not read: write the value out', node.source);
		if (isScalar(node)) return { kind: 'scalar', place, value: toScalar(node.value) };
		if (isSeq(node)) return { kind: 'list', place, items: node.items.map((item) => placed(item, depth + 1)) };
		if (!isMap(node)) return { kind: 'scalar', place, value: null };
		const entries = new Map<string, PlacedValue>();
		for (const { key, value } of node.items) {
			if (isAlias(key)) throw new ImportFault(placeOf(key), 'anchors and aliases are not read: write the value out');
			const absent = { kind: 'scalar', place: placeOf(key), value: null } as const;
			entries.set(isScalar(key) ? String(key.value) : '', value === null ? absent : placed(value, depth + 1));
		}
		return { kind: 'map', place, entries };
	}
	return placed;
}

/**
 * A YAML text as values with their lines. Tags of other programs (`!secret`) leave the text behind them.
 * @throws ImportFault with the place: the text is not of the form, too deep, too large, or has aliases
 */
export function yamlTree(text: string): PlacedValue {
	if (text.length > MAX_CHARACTERS)
		throw new ImportFault(NOWHERE, `a file of this kind has at most ${MAX_CHARACTERS} characters`, String(text.length));
	assertShallow(text);
	const lineCounter = new LineCounter();
	try {
		const document = parseDocument(text, {
			lineCounter,
			// Each would search the whole text for its line.
			prettyErrors: false,
			schema: 'core',
			logLevel: 'silent',
			merge: false,
			uniqueKeys: false,
		});
		const [error] = document.errors;
		if (error !== undefined) {
			const { line, col } = lineCounter.linePos(error.pos[0]);
			throw new ImportFault(atLine(line, col), error.message.split('\n')[0] ?? 'is not valid YAML');
		}
		return createPlacer(lineCounter)(document.contents, 0);
	} catch (error) {
		if (error instanceof ImportFault) throw error;
		throw new ImportFault(NOWHERE, 'is not valid YAML');
	}
}
