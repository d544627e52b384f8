import { plainPoint } from '../../config/template/plain-point.ts';
import { isScalable, orderLengths } from '../../config/template/register-types.ts';
import type { ByteOrder, ReadFunction, RegisterType } from '../../config/template/template.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';
import { createReadDecoder } from '../driver/modbus/codec/register-decoder.ts';
import type { AddressNotation, AddressPlace } from './address-meanings.ts';
import { scaledBy, valueHint } from './value-hint.ts';

/** One way to read what a device holds at a register number. */
export interface Decoding {
	readonly notation: AddressNotation;
	/** Protocol address, 0-based. */
	readonly address: number;
	readonly count: number;
	readonly type: RegisterType;
	readonly byteOrder: ByteOrder;
	/** What a template with this type and order shows; `null` when the bytes hold no such value. */
	readonly value: SampleValue;
	/** The factor that `hint` and `matches` suppose; 1 mostly. */
	readonly scale: number;
	/** 0 to 1. */
	readonly plausibility: number;
	/** e.g. `230.1 looks like a phase voltage in V` */
	readonly hint: string | null;
	/** Whether it is the value that was expected; `null` when none was named. */
	readonly matches: boolean | null;
}

/** What was read, and what is looked for. */
export interface DecodingQuestion {
	readonly functionCode: ReadFunction;
	/** The meanings of the register number that was asked for. */
	readonly places: readonly AddressPlace[];
	/** Registers (functions 3 and 4) or bits from each place on. */
	readonly count: number;
	/** The registers (or bits, as 0 and 1) that are known, by protocol address. */
	readonly words: ReadonlyMap<number, number>;
	/** The number on the display of the device; absent: not known. */
	readonly expect?: number | undefined;
}

interface Shape {
	readonly type: RegisterType;
	readonly registers: number;
	/** How usual the type is in field devices, 0 to 1. */
	readonly isUsual: number;
}

const shape = (type: RegisterType, registers: number, isUsual: number): Shape => ({ type, registers, isUsual });

const SHAPES: readonly Shape[] = [
	shape('uint16', 1, 1),
	shape('int16', 1, 0.99),
	shape('float32', 2, 1),
	shape('uint32', 2, 0.98),
	shape('int32', 2, 0.97),
	shape('float64', 4, 0.95),
	shape('uint64', 4, 0.9),
	shape('int64', 4, 0.89),
	shape('bcd16', 1, 0.6),
	shape('bcd32', 2, 0.6),
	shape('bcd64', 4, 0.6),
	shape('float16', 1, 0.4),
	shape('bits', 1, 0.3),
	shape('time_unix32', 2, 0.9),
	shape('time_unix64', 4, 0.8),
	shape('time_unix64ms', 4, 0.8),
	shape('time_bytes', 3, 0.9),
	shape('time_bcd', 3, 0.9),
	shape('time_registers', 6, 0.9),
	shape('time_iec', 4, 0.9),
];

/** How usual the orders of the bytes of a number are, by their count. */
const ORDERS: Readonly<Record<number, readonly (readonly [ByteOrder, number])[]>> = {
	2: [
		['AB', 1],
		['BA', 0.8],
	],
	4: [
		['ABCD', 1],
		['CDAB', 0.96],
		['BADC', 0.8],
		['DCBA', 0.78],
	],
	8: [
		['ABCDEFGH', 1],
		['GHEFCDAB', 0.96],
		['BADCFEHG', 0.8],
		['HGFEDCBA', 0.78],
	],
};

/** Texts and clocks of several registers: each register by itself. */
const BLOCK_ORDERS = ORDERS[2] ?? [];

function ordersOf({ type, registers }: Shape): readonly (readonly [ByteOrder, number])[] {
	return orderLengths({ type, count: registers }).includes(2) ? BLOCK_ORDERS : (ORDERS[2 * registers] ?? []);
}

/** A display and a register are read a moment apart; mains voltage and load move meanwhile. */
const EXPECT_SHARE = 0.02;

/** Factors between a register and a display: decimals, and kilo. */
const EXPECT_SCALES: readonly number[] = [1, 0.1, 0.01, 0.001, 10, 100, 1000];
const NO_SCALE: readonly number[] = [1];

/** The registers from an address on as the device sent them; `null` when one of them is not known. */
function bytesFrom(words: ReadonlyMap<number, number>, address: number, registers: number): Buffer | null {
	const bytes = Buffer.alloc(2 * registers);
	for (let k = 0; k < registers; k += 1) {
		const word = words.get(address + k);
		if (word === undefined) return null;
		bytes.writeUInt16BE(word, 2 * k);
	}
	return bytes;
}

/** How far a value is from the expected one, as a share of it, under the factor that brings it nearest. */
function distance(
	value: SampleValue,
	type: RegisterType,
	expect: number,
): { readonly scale: number; readonly share: number } | null {
	if (typeof value !== 'number' && typeof value !== 'bigint') return null;
	let best: { readonly scale: number; readonly share: number } | null = null;
	for (const scale of isScalable(type) ? EXPECT_SCALES : NO_SCALE) {
		const scaled = scaledBy(Number(value), scale);
		const share = Math.abs(scaled - expect) / Math.max(Math.abs(expect), Number.MIN_VALUE);
		if (best === null || share < best.share) best = { scale, share };
		// Every factor leaves zero as it is.
		if (scaled === 0) break;
	}
	return best;
}

interface Ranked extends Decoding {
	/** 0 for what is expected exactly, 1 for what does not match. */
	readonly miss: number;
}

/** What the value looks like, and how near it is to what is expected. */
function judged(
	base: Omit<Decoding, 'scale' | 'plausibility' | 'hint' | 'matches'>,
	isUsual: number,
	expect: number | undefined,
): Ranked {
	const { plausibility, scale, sentence } = valueHint(base.value, base.type);
	const plain = { ...base, scale, plausibility: Number((plausibility * isUsual).toFixed(3)), hint: sentence };
	if (expect === undefined) return { ...plain, matches: null, miss: 0 };
	const near = distance(base.value, base.type, expect);
	if (near === null || near.share > EXPECT_SHARE) return { ...plain, matches: false, miss: 1 };
	// A factor is one more thing that would have to be so.
	const miss = near.share + (near.scale === 1 ? 0 : EXPECT_SHARE / 2);
	return { ...plain, scale: near.scale, matches: true, miss: Math.min(miss, 0.99) };
}

function decodeAt(
	question: DecodingQuestion,
	{ notation, address }: AddressPlace,
	each: Shape,
	byteOrder: ByteOrder,
	isUsual: number,
): readonly Ranked[] {
	const { functionCode, words, expect } = question;
	const bytes = bytesFrom(words, address, each.registers);
	if (bytes === null) return [];
	const point = plainPoint({ functionCode, address, count: each.registers, type: each.type, byteOrder });
	const decode = createReadDecoder({
		functionCode,
		address,
		count: each.registers,
		points: [point],
		keys: [point.key],
	});
	const value = decode(bytes).values[0] ?? null;
	const base = { notation, address, count: each.registers, type: each.type, byteOrder, value };
	return [judged(base, each.isUsual * isUsual, expect)];
}

function registerDecodings(question: DecodingQuestion, place: AddressPlace): readonly Ranked[] {
	const { count } = question;
	const numbers = SHAPES.filter(({ registers }) => registers <= count).flatMap((each) =>
		ordersOf(each).flatMap(([order, isUsual]) => decodeAt(question, place, each, order, isUsual)),
	);
	const text = BLOCK_ORDERS.flatMap(([order, isUsual]) =>
		decodeAt(question, place, shape('string', count, 1), order, isUsual),
	);
	return [...numbers, ...text];
}

/** Coils and discrete inputs have one meaning for each address. */
function bitDecodings({ words, expect }: DecodingQuestion, { notation, address }: AddressPlace): readonly Ranked[] {
	const bit = words.get(address);
	if (bit === undefined) return [];
	const matches = expect === undefined ? null : bit === expect;
	const base = { notation, address, count: 1, type: 'bool', byteOrder: 'AB', value: bit === 1, scale: 1 } as const;
	return [{ ...base, plausibility: 0.5, hint: null, matches, miss: matches === false ? 1 : 0 }];
}

const byRank = (one: Ranked, other: Ranked): number => one.miss - other.miss || other.plausibility - one.plausibility;

/**
 * Every plausible meaning of what was read, the likeliest first: all notations of the address, types and byte orders side by side.
 * With an expected value those that have it come first, the nearest before the others, and the rest is left out when there are any.
 */
export function everyDecoding(question: DecodingQuestion): readonly Decoding[] {
	const decode = question.functionCode <= 2 ? bitDecodings : registerDecodings;
	const all = question.places.flatMap((place) => decode(question, place)).toSorted(byRank);
	const matching = all.filter(({ matches }) => matches === true);
	return (matching.length > 0 ? matching : all).map(({ miss: _miss, ...decoding }) => decoding);
}
