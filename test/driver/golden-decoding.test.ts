import { readFileSync, readdirSync } from 'node:fs';
import { inspect } from 'node:util';

import test from 'ava';

import type { ReadFunction, RegisterType, TemplatePoint } from '../../config/template/template.ts';
import type { Quality, SampleValue } from '../../core/telemetry/reading.ts';
import { createDeviceDecoder } from '../../gateway/driver/modbus/codec/register-decoder.ts';
import { modbusPoint } from '../fake/modbus-point.ts';

interface Expectation {
	readonly key: string;
	readonly address: number;
	readonly count: number;
	readonly type: RegisterType;
	readonly order?: string;
	readonly scale?: number;
	readonly offset?: number;
	readonly sf_address?: number;
	readonly invalid?: readonly string[];
	readonly bit?: number;
	readonly enum?: Readonly<Record<string, string>>;
	readonly label?: string | null;
	readonly value: string | number | boolean | null | readonly number[];
}

interface Vector {
	readonly id: string;
	readonly function: ReadFunction;
	readonly first_address: number;
	readonly words: readonly string[];
	readonly expect: readonly Expectation[];
}

interface GoldenFile {
	readonly format: string;
	readonly device: string;
	readonly vectors: readonly Vector[];
}

const folder = new URL('../../../test/fixture/golden/', import.meta.url);

const golden = readdirSync(folder)
	.filter((name) => name.endsWith('.json'))
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fixtures of this repository
	.map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as GoldenFile)
	.filter(({ format }) => format === 'golden-1');

const factorKey = (address: number): string => `factor_${address}`;

function pointOf(functionCode: ReadFunction, each: Expectation): TemplatePoint {
	const { key, address, count, type, order, scale, offset, invalid, bit, sf_address: factor } = each;
	return modbusPoint({
		key,
		functionCode,
		address,
		count,
		type,
		byteOrder: order ?? 'AB',
		scale: scale ?? 1,
		offset: offset ?? 0,
		invalid: invalid ?? [],
		enum: each.enum ?? null,
		...(bit === undefined ? {} : { bit }),
		...(factor === undefined ? {} : { scaleFactor: factorKey(factor) }),
	});
}

/** The registers that hold scale factors, as points of their own. */
function factorsOf(functionCode: ReadFunction, expect: readonly Expectation[]): readonly TemplatePoint[] {
	const addresses = new Set(expect.flatMap(({ sf_address: address }) => (address === undefined ? [] : [address])));
	return Array.from(addresses, (address) =>
		modbusPoint({ key: factorKey(address), functionCode, address, type: 'int16' }),
	);
}

function dataOf({ function: functionCode, words }: Vector): Buffer {
	if (functionCode > 2) return Buffer.from(words.join(''), 'hex');
	const data = Buffer.alloc(Math.ceil(words.length / 8));
	words.forEach((word, bit) => {
		if (word === '1') data.writeUInt8(data.readUInt8(bit >> 3) | (1 << (bit & 7)), bit >> 3);
	});
	return data;
}

const slim = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

const texts: ReadonlySet<RegisterType> = new Set(['string', 'raw', 'eui48', 'ipv4', 'ipv6']);

/** The value as the fixture writes it; NaN and the infinities are no value. */
function expectedValue({ type, value }: Expectation): SampleValue {
	if (typeof value === 'object' && value !== null) return slim(value.reduce((sum, bit) => sum + 2n ** BigInt(bit), 0n));
	if (typeof value !== 'string' || texts.has(type)) return value;
	return /^-?\d+$/.test(value) ? BigInt(value) : null;
}

/** Floats agree within 1e-6, everything else exactly. */
function agrees(actual: SampleValue, expected: SampleValue): boolean {
	if (actual === expected) return true;
	if (typeof actual !== 'number' || typeof expected !== 'number' || Number.isInteger(expected)) return false;
	return Math.abs(actual - expected) <= 1e-6 * Math.abs(expected);
}

/** One value of a vector beside what it should be. */
interface Outcome {
	readonly each: Expectation;
	readonly value: SampleValue;
	readonly quality: Quality;
}

function outcomesOf(vector: Vector): readonly Outcome[] {
	const points = [
		...vector.expect.map((each) => pointOf(vector.function, each)),
		...factorsOf(vector.function, vector.expect),
	];
	const request = {
		functionCode: vector.function,
		address: vector.first_address,
		count: vector.words.length,
		points,
		keys: points.map(({ key }) => key),
	};
	const { values, qualities } = createDeviceDecoder({ points, allFfIsAbsent: false }).decode(request, dataOf(vector));
	return vector.expect.map((each, index) => ({
		each,
		value: values[index] ?? null,
		quality: qualities?.[index] ?? 'good',
	}));
}

const FILES = 9;

test('all golden files are here', (t) => {
	t.is(golden.length, FILES);
});

for (const { device, vectors } of golden) {
	test(`every value of "${device}" is decoded`, (t) => {
		for (const vector of vectors) {
			for (const { each, value, quality } of outcomesOf(vector)) {
				const expected = expectedValue(each);
				const about = `${vector.id}: ${each.key} is ${inspect(value)}, not ${inspect(expected)}`;
				t.true(agrees(value, expected), about);
				t.is(quality, expected === null ? 'out_of_range' : 'good', about);
				if (each.label !== undefined) t.is(each.enum?.[inspect(value)] ?? null, each.label, about);
			}
		}
	});
}
