import { type ByteReader, malformed } from '../journal/byte-reader.ts';
import type { ByteWriter } from '../journal/byte-writer.ts';

/** Numbers that share one width. Short enough that a spike costs little, long enough that their head does. */
const BLOCK = 128;
/** Second differences of numbers up to here are still exact. */
const EXACT_LIMIT = 2 ** 50;
/** How often differences are taken before the rest is packed; then the form of numbers that are packed not at all. */
const ORDERS = [0, 1, 2] as const;
const PLAIN = 3;
/** Bits moved at once: with seven that wait they fit 32. */
const STEP_BITS = 24;
const STEP = 2 ** STEP_BITS;
const MAX_WIDTH = 53;

const widthOf = (range: number): number =>
	range < 2 ** 32 ? 32 - Math.clz32(range) : 64 - Math.clz32(Math.floor(range / 2 ** 32));

const isPackable = (numbers: Float64Array): boolean => {
	for (const number of numbers) if (!(Math.abs(number) <= EXACT_LIMIT)) return false;
	return true;
};

function differences(numbers: Float64Array): Float64Array {
	const rest = new Float64Array(Math.max(0, numbers.length - 1));
	for (let index = 0; index < rest.length; index += 1) rest[index] = (numbers[index + 1] ?? 0) - (numbers[index] ?? 0);
	return rest;
}

/** Least and greatest of a block. */
function boundsOf(numbers: Float64Array, from: number, to: number): readonly [number, number] {
	let least = numbers[from] ?? 0;
	let most = least;
	for (let index = from + 1; index < to; index += 1) {
		const number = numbers[index] ?? 0;
		if (number < least) least = number;
		else if (number > most) most = number;
	}
	return [least, most];
}

/** Bits that the numbers take, heads left out. */
function costOf(numbers: Float64Array): number {
	let bits = 0;
	for (let from = 0; from < numbers.length; from += BLOCK) {
		const to = Math.min(from + BLOCK, numbers.length);
		const [least, most] = boundsOf(numbers, from, to);
		bits += (to - from) * widthOf(most - least);
	}
	return bits;
}

const scratch = new Uint8Array((BLOCK * MAX_WIDTH) / 8 + 8);

function pack(writer: ByteWriter, numbers: Float64Array, from: number, to: number): void {
	const [least, most] = boundsOf(numbers, from, to);
	const width = widthOf(most - least);
	writer.u8(width);
	writer.signed(least);
	let waiting = 0;
	let bits = 0;
	let at = 0;
	for (let index = from; index < to; index += 1) {
		let rest = (numbers[index] ?? 0) - least;
		for (let left = width; left > 0; left -= STEP_BITS) {
			const step = Math.min(left, STEP_BITS);
			waiting |= (rest % STEP) << bits;
			rest = Math.floor(rest / STEP);
			bits += step;
			while (bits >= 8) {
				scratch[at++] = waiting;
				waiting >>>= 8;
				bits -= 8;
			}
		}
	}
	if (bits > 0) scratch[at++] = waiting;
	writer.raw(scratch.subarray(0, at));
}

function unpack(reader: ByteReader, into: Float64Array, from: number, to: number): void {
	const width = reader.u8();
	if (width > MAX_WIDTH) throw malformed(`packs numbers of ${width} bits`);
	const least = reader.signed();
	const bytes = reader.raw(Math.ceil(((to - from) * width) / 8));
	let waiting = 0;
	let bits = 0;
	let at = 0;
	for (let index = from; index < to; index += 1) {
		let number = 0;
		let scale = 1;
		for (let left = width; left > 0; left -= STEP_BITS) {
			const step = left < STEP_BITS ? left : STEP_BITS;
			while (bits < step) {
				waiting |= (bytes[at++] ?? 0) << bits;
				bits += 8;
			}
			number += (waiting & ((1 << step) - 1)) * scale;
			waiting >>>= step;
			bits -= step;
			scale *= STEP;
		}
		into[index] = least + number;
	}
}

/**
 * Whole numbers, exactly: as they are, as differences or as differences of differences, whichever takes least, in blocks of one width
 * each. When one of them is beyond 2^50, all are written as doubles.
 */
export function writeIntegers(writer: ByteWriter, numbers: Float64Array): void {
	if (!isPackable(numbers)) {
		writer.u8(PLAIN);
		for (const number of numbers) writer.f64(number);
		return;
	}
	let rest = numbers;
	let best: { readonly order: number; readonly rest: Float64Array; readonly cost: number } | null = null;
	const seeds: number[] = [];
	for (const order of ORDERS) {
		if (order > 0) {
			seeds.push(rest[0] ?? 0);
			rest = differences(rest);
		}
		const cost = costOf(rest);
		if (best === null || cost < best.cost) best = { order, rest, cost };
	}
	if (best === null) return;
	writer.u8(best.order);
	for (const seed of seeds.slice(0, best.order)) writer.signed(seed);
	for (let from = 0; from < best.rest.length; from += BLOCK) {
		pack(writer, best.rest, from, Math.min(from + BLOCK, best.rest.length));
	}
}

/** Reads what `writeIntegers` wrote. */
export function readIntegers(reader: ByteReader, count: number): Float64Array {
	const numbers = new Float64Array(count);
	const order = reader.u8();
	if (order === PLAIN) {
		for (let index = 0; index < count; index += 1) numbers[index] = reader.f64();
		return numbers;
	}
	if (order > PLAIN) throw malformed(`packs numbers in form ${order}`);
	const seeds: number[] = [];
	for (let left = order; left > 0; left -= 1) seeds.push(reader.signed());
	for (let from = order; from < count; from += BLOCK) unpack(reader, numbers, from, Math.min(from + BLOCK, count));
	// Differences stand at the end of the array, behind the places of the seeds; summing up from the innermost gives the numbers back.
	for (let level = order; level > 0; level -= 1) {
		let sum = seeds[level - 1] ?? 0;
		if (level - 1 < count) numbers[level - 1] = sum;
		for (let index = level; index < count; index += 1) {
			sum += numbers[index] ?? 0;
			numbers[index] = sum;
		}
	}
	return numbers;
}
