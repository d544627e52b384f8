import test from 'ava';
import fc from 'fast-check';

import { canonicalJson, checksumOf, isEqualJson } from '../../core/configuration/canonical-json.ts';
import { applyPatch, diff, type Patch } from '../../core/configuration/json-patch.ts';
import { stepsOf, toPointer } from '../../core/configuration/json-pointer.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { jsonOfConfiguration } from './arbitrary.ts';

test('what makes one value of another makes exactly that of it', (t) => {
	fc.assert(
		fc.property(jsonOfConfiguration, jsonOfConfiguration, (from, to) => {
			t.true(isEqualJson(applyPatch(from, diff(from, to)), to));
		}),
	);
});

test('equal values need no patch and have one checksum, whatever the order of their keys', (t) => {
	const reversed = (value: JsonValue): JsonValue =>
		typeof value === 'object' && value !== null && !Array.isArray(value)
			? Object.fromEntries(
					Object.entries(value)
						.toReversed()
						.map(([key, child]: [string, JsonValue]) => [key, reversed(child)]),
				)
			: value;
	fc.assert(
		fc.property(jsonOfConfiguration, (value) => {
			t.deepEqual(diff(value, reversed(value)), []);
			t.is(checksumOf(value), checksumOf(reversed(value)));
		}),
	);
});

test('the canonical text is that of RFC 8785', (t) => {
	t.is(
		canonicalJson({ b: [true, null, 1e21], a: { '€': 'ö', '': 0.5 } }),
		'{"a":{"":0.5,"€":"ö"},"b":[true,null,1e+21]}',
	);
});

test('a pointer names what its steps name', (t) => {
	fc.assert(
		fc.property(fc.array(fc.string({ maxLength: 8 }), { maxLength: 6 }), (steps) =>
			t.deepEqual(stepsOf(toPointer(steps)), steps),
		),
	);
	for (const wrong of ['a', '/~2', '/~', `/${'x'.repeat(2_000)}`])
		t.throws(() => stepsOf(wrong), { message: /no JSON pointer/ });
});

interface Case {
	readonly name: string;
	readonly document: JsonValue;
	readonly patch: Patch;
	readonly result: JsonValue;
}

/** The examples of RFC 6902, appendix A, that end well. */
const examples: readonly Case[] = [
	{
		name: 'A.1',
		document: { foo: 'bar' },
		patch: [{ op: 'add', path: '/baz', value: 'qux' }],
		result: { baz: 'qux', foo: 'bar' },
	},
	{
		name: 'A.2',
		document: { foo: ['bar', 'baz'] },
		patch: [{ op: 'add', path: '/foo/1', value: 'qux' }],
		result: { foo: ['bar', 'qux', 'baz'] },
	},
	{
		name: 'A.3',
		document: { baz: 'qux', foo: 'bar' },
		patch: [{ op: 'remove', path: '/baz' }],
		result: { foo: 'bar' },
	},
	{
		name: 'A.4',
		document: { foo: ['bar', 'qux', 'baz'] },
		patch: [{ op: 'remove', path: '/foo/1' }],
		result: { foo: ['bar', 'baz'] },
	},
	{
		name: 'A.5',
		document: { baz: 'qux', foo: 'bar' },
		patch: [{ op: 'replace', path: '/baz', value: 'boo' }],
		result: { baz: 'boo', foo: 'bar' },
	},
	{
		name: 'A.6',
		document: { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
		patch: [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
		result: { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
	},
	{
		name: 'A.7',
		document: { foo: ['all', 'grass', 'cows', 'eat'] },
		patch: [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
		result: { foo: ['all', 'cows', 'eat', 'grass'] },
	},
	{
		name: 'A.8',
		document: { baz: 'qux' },
		patch: [{ op: 'test', path: '/baz', value: 'qux' }],
		result: { baz: 'qux' },
	},
	{
		name: 'A.10',
		document: { foo: 'bar' },
		patch: [{ op: 'add', path: '/child', value: { grandchild: {} } }],
		result: { foo: 'bar', child: { grandchild: {} } },
	},
	{
		name: 'A.14',
		document: { '/': 9, '~1': 10 },
		patch: [{ op: 'test', path: '/~01', value: 10 }],
		result: { '/': 9, '~1': 10 },
	},
	{
		name: 'A.16',
		document: { foo: ['bar'] },
		patch: [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }],
		result: { foo: ['bar', ['abc', 'def']] },
	},
	{
		name: 'copy',
		document: { a: { b: 1 } },
		patch: [{ op: 'copy', from: '/a', path: '/c' }],
		result: { a: { b: 1 }, c: { b: 1 } },
	},
];

for (const { name, document, patch, result } of examples)
	test(`a patch does what RFC 6902 shows in ${name}`, (t) => {
		t.deepEqual(applyPatch(document, patch), result);
	});

/** Those of appendix A that have to fail, and the neighbours. */
const failures: readonly (readonly [string, JsonValue, Patch])[] = [
	['A.9: another value is there', { baz: 'qux' }, [{ op: 'test', path: '/baz', value: 'bar' }]],
	['A.12: no parent', { foo: 'bar' }, [{ op: 'add', path: '/baz/bat', value: 'qux' }]],
	['A.15: a number is no text', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: '10' }]],
	['nothing to replace', {}, [{ op: 'replace', path: '/a', value: 1 }]],
	['nothing to remove', {}, [{ op: 'remove', path: '/a' }]],
	['behind the end of a list', [1], [{ op: 'add', path: '/2', value: 1 }]],
	['no index', [1], [{ op: 'add', path: '/01', value: 1 }]],
	['into itself', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/a/b' }]],
	['what is inherited is not there', {}, [{ op: 'test', path: '/constructor', value: {} }]],
];

for (const [name, document, patch] of failures)
	test(`a patch is refused: ${name}`, (t) => {
		t.throws(() => applyPatch(document, patch), { name: 'Fault' });
	});

test('a member named __proto__ is a member like any other', (t) => {
	const patched = applyPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }]);
	t.deepEqual(Object.keys(patched ?? {}), ['__proto__']);
	t.false('polluted' in {});
	t.is(Object.getPrototypeOf(patched), Object.prototype);
});

test('a patch of copies of copies is refused before it grows', (t) => {
	const doubling: Patch = [
		{ op: 'add', path: '/a', value: {} },
		...Array.from({ length: 60 }, (_, index) => ({ op: 'copy', from: '', path: `/${index}` }) as const),
	];
	t.throws(() => applyPatch({}, doubling), { message: /more than/ });
	const nesting: Patch = Array.from({ length: 1_000 }, () => ({ op: 'copy', from: '', path: '/a' }) as const);
	t.throws(() => applyPatch({ a: 1 }, nesting), { message: /more than/ });
	const texts: Patch = Array.from(
		{ length: 10_000 },
		(_, index) => ({ op: 'copy', from: '/t', path: `/${index}` }) as const,
	);
	t.throws(() => applyPatch({ t: 'x'.repeat(100_000) }, texts), { message: /more than/ });
});

test('a patch that nests deeper than any configuration is refused', (t) => {
	let deep: JsonValue = 0;
	for (let level = 0; level < 100_000; level += 1) deep = [deep];
	t.throws(() => applyPatch({}, [{ op: 'add', path: '/a', value: deep }]), { message: /levels/ });
});

test('a patch changes neither the document nor its own values', (t) => {
	const document = { list: [1], object: { a: 1 } };
	const patch: Patch = [
		{ op: 'add', path: '/given', value: { b: 1 } },
		{ op: 'replace', path: '/given/b', value: 2 },
		{ op: 'copy', from: '/object', path: '/other' },
		{ op: 'replace', path: '/other/a', value: 2 },
		{ op: 'add', path: '/list/-', value: 2 },
	];
	t.deepEqual(applyPatch(document, patch), { list: [1, 2], object: { a: 1 }, given: { b: 2 }, other: { a: 2 } });
	t.deepEqual(document, { list: [1], object: { a: 1 } });
	t.deepEqual(patch[0], { op: 'add', path: '/given', value: { b: 1 } });
});

test('members named like those of the prototype are members, and nothing else', (t) => {
	const made = applyPatch({}, [
		{ op: 'add', path: '/__proto__', value: {} },
		{ op: 'add', path: '/__proto__/polluted', value: 1 },
	]);
	t.is(JSON.stringify(made), '{"__proto__":{"polluted":1}}');
	t.false('polluted' in {});
	t.throws(() => applyPatch({}, [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }]), {
		message: /nothing at this place/,
	});
});
