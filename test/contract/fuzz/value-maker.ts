import type { Random } from '../../system/kit/random.ts';
import { followed, isTree, type Tree, treeAt } from '../kit/document.ts';

/** Makes values for a schema: fitting ones, and ones that are wrong in a single place. */
export interface ValueMaker {
	/** A value that fits, as far as JSON Schema says what fits. @param name of the field, for what only its name tells */
	fitting(schema: unknown, name?: string): unknown;
	/** The value with one of its parts replaced, removed or added. */
	spoiled(value: unknown): unknown;
	/** Something that nobody expects. */
	hostile(): unknown;
	/** Keeps an identity that was answered, so that later requests find it. */
	remember(id: string): void;
	pick<T>(list: readonly T[]): T;
	chance(share: number): boolean;
}

const KEPT_IDS = 200;
const MAX_DEPTH = 6;

const nested = (depth: number): unknown => {
	let value: unknown = 'deep';
	for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
	return value;
};

/** Values that have broken servers before. */
const HOSTILE: readonly unknown[] = [
	'',
	' ',
	'\u0000',
	'a\u0000b',
	'\ud800',
	'\u202e\u2066',
	'İıĞş',
	'𝕳𝖊𝖑𝖑𝖔 👩‍👩‍👧‍👦',
	'x'.repeat(10_000),
	'a'.repeat(40_000) + '!',
	'a@'.repeat(2_000),
	'1.'.repeat(3_000),
	'../../../../etc/passwd',
	"'; DROP TABLE devices; --",
	'<script>alert(1)</script>',
	'${jndi:ldap://127.0.0.1/x}',
	'{{7*7}}',
	'=1+1',
	'%00%ff%2e%2e',
	'\r\nX-Injected: yes',
	'__proto__',
	'constructor',
	'toString',
	'hasOwnProperty',
	'2024-13-45T99:99:99Z',
	'0000-00-00',
	'+275760-09-13T00:00:00.001Z',
	'9'.repeat(400),
	'NaN',
	'#',
	'+/#',
	0,
	-0,
	-1,
	1.5,
	1e308,
	-1e308,
	5e-324,
	2 ** 53,
	2 ** 63,
	2 ** 31,
	true,
	false,
	null,
	[],
	{},
	[null],
	[[[]]],
	{ length: 1e9 },
	{ toJSON: 1 },
	{ $ref: '#' },
	{ $gt: '' },
	{ '': '' },
	{ constructor: { name: 'x' } },
	nested(20),
	nested(31),
	Array.from({ length: 2_000 }, (_, at) => at),
	Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`k${at}`, at])),
];

/** What a name tells and a schema does not; and everything that would make the box call a stranger. */
const BY_NAME: Readonly<Record<string, readonly unknown[]>> = {
	host: ['127.0.0.1', 'not a host', ''],
	hub_url: ['http://127.0.0.1:9', 'not a url'],
	url: ['http://127.0.0.1:9/x', 'ftp://127.0.0.1'],
	template: ['eastron-sdm630', 'none'],
	path: ['/dev/null-port', '/dev/ttyNONE'],
	points: ['t', 't,v', ''],
	cursor: ['AAAA', 'bm9uZQ'],
	metric: ['t', 'temperature'],
};

const numberOf = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

export function createValueMaker(document: Tree, random: Random): ValueMaker {
	const ids: string[] = [];
	let made = 0;

	const whole = (limit: number): number => Math.floor(random.below(limit));
	const chance = (share: number): boolean => random.below(1) < share;

	function pick<T>(list: readonly T[]): T {
		const value = list[whole(list.length)];
		if (value === undefined) throw new RangeError('nothing to pick from');
		return value;
	}

	const uuid = (): string => 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', () => whole(16).toString(16));

	const texts: Readonly<Record<string, () => string>> = {
		uuid: () => (ids.length > 0 && chance(0.7) ? pick(ids) : uuid()),
		'date-time': () => new Date(1_767_000_000_000 + whole(1e10)).toISOString(),
		email: () => `person-${(made += 1)}@example.com`,
		uri: () => 'http://127.0.0.1:9/x',
		hostname: () => '127.0.0.1',
	};

	function text({ format, minLength, maxLength }: Tree): string {
		const known = texts[String(format)];
		if (known !== undefined) return known();
		if (ids.length > 0 && chance(0.3)) return pick(ids);
		made += 1;
		const word = `word-${made}`;
		return word.padEnd(numberOf(minLength, 0), 'x').slice(0, numberOf(maxLength, 64));
	}

	function number({ type, minimum, maximum, exclusiveMinimum }: Tree): number {
		const least = numberOf(minimum, numberOf(exclusiveMinimum, 0));
		const value = least + random.below(Math.min(numberOf(maximum, least + 100), least + 1_000) - least);
		return type === 'integer' ? Math.ceil(value) : value;
	}

	function object(schema: Tree, depth: number): Tree {
		const required = Array.isArray(schema['required']) ? (schema['required'] as readonly unknown[]) : [];
		const entries = Object.entries(treeAt(schema, 'properties'))
			.filter(([key]) => required.includes(key) || chance(0.5))
			.map(([key, value]) => [key, fitting(value, key, depth + 1)] as const);
		// Maps and free objects get a few metrics.
		const free = entries.length === 0 ? [['t', random.below(100)] as const, ['ok', chance(0.5)] as const] : [];
		return Object.fromEntries([...entries, ...free]);
	}

	const byType: Readonly<Record<string, (schema: Tree, depth: number) => unknown>> = {
		object,
		array: ({ items }, depth) => Array.from({ length: whole(4) }, () => fitting(items, '', depth + 1)),
		string: text,
		number,
		integer: number,
		boolean: () => chance(0.5),
		null: () => null,
	};

	function fitting(given: unknown, name = '', depth = 0): unknown {
		const schema = followed(document, given);
		const named = BY_NAME[name];
		if (named !== undefined) return pick(named);
		if ('const' in schema) return schema['const'];
		if (Array.isArray(schema['enum'])) return pick<unknown>(schema['enum']);
		const branches = schema['anyOf'] ?? schema['oneOf'];
		if (Array.isArray(branches)) return fitting(pick<unknown>(branches), name, depth);
		return ofType(schema, depth);
	}

	function ofType(schema: Tree, depth: number): unknown {
		const { type } = schema;
		const kind: unknown = Array.isArray(type) ? pick<unknown>(type) : type;
		return depth > MAX_DEPTH ? null : (byType[String(kind)]?.(schema, depth) ?? text(schema));
	}

	const hostile = (): unknown => pick(HOSTILE);

	function spoiledTree(tree: Tree): Tree {
		const keys = Object.keys(tree);
		if (keys.length === 0 || chance(0.15)) return { ...tree, [String(hostile())]: hostile() };
		const key = pick(keys);
		if (chance(0.2)) return Object.fromEntries(Object.entries(tree).filter(([name]) => name !== key));
		const old = tree[key];
		// Whatever would make the box call a stranger stays as it was made.
		if (BY_NAME[key] !== undefined) return tree;
		return { ...tree, [key]: isTree(old) && chance(0.6) ? spoiledTree(old) : hostile() };
	}

	return {
		fitting,
		hostile,
		pick,
		chance,
		spoiled: (value) => (isTree(value) ? spoiledTree(value) : hostile()),
		remember(id) {
			if (ids.length < KEPT_IDS) ids.push(id);
			else ids[whole(KEPT_IDS)] = id;
		},
	};
}
