import { type ByteReader, malformed } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** The two parts of a block's body: `plain` is deflated; what no compressor makes smaller is kept apart from it. */
export interface BlockStreams<T> {
	readonly plain: T;
	readonly noise: T;
}

/** In place of a number of bits: the lane is in the first stream, as it is. */
const FOR_DEFLATE = 9;
/** Bits a byte by which packing may miss what its values tell; beyond that deflate does better. */
const MOST_LOST_BITS = 1.2;

/** How often each byte was met; all zero between two lanes. */
const met = new Uint32Array(256);

/** Bits that a byte of the lane tells, by how many pairs of them are alike (Rényi entropy of order 2). */
function toldBits(lane: Uint8Array): number {
	let alike = 0;
	for (let index = 0; index < lane.length; index += 1) {
		const byte = lane[index] ?? 0;
		const before = met[byte] ?? 0;
		alike += before;
		met[byte] = before + 1;
	}
	for (let index = 0; index < lane.length; index += 1) met[lane[index] ?? 0] = 0;
	return alike === 0 ? 8 : Math.log2((lane.length * (lane.length - 1)) / 2 / alike);
}

/** The bits of `value - least`, behind each other; `bits` 1 to 7. */
function pack(lane: Uint8Array, least: number, bits: number): Uint8Array {
	const packed = new Uint8Array(Math.ceil((lane.length * bits) / 8));
	let held = 0;
	let heldBits = 0;
	let at = 0;
	for (let index = 0; index < lane.length; index += 1) {
		held |= ((lane[index] ?? 0) - least) << heldBits;
		heldBits += bits;
		if (heldBits >= 8) {
			packed[at++] = held;
			held >>>= 8;
			heldBits -= 8;
		}
	}
	if (heldBits > 0) packed[at] = held;
	return packed;
}

function writeLane({ plain, noise }: BlockStreams<ByteWriter>, lane: Uint8Array): void {
	let least = 255;
	let most = 0;
	for (let index = 0; index < lane.length; index += 1) {
		const byte = lane[index] ?? 0;
		if (byte < least) least = byte;
		if (byte > most) most = byte;
	}
	const bits = 32 - Math.clz32(Math.max(0, most - least));
	if (bits > 0 && bits - toldBits(lane) > MOST_LOST_BITS) {
		plain.u8(FOR_DEFLATE);
		plain.raw(lane);
		return;
	}
	plain.u8(bits);
	if (bits === 8) noise.raw(lane);
	else {
		plain.u8(least);
		if (bits > 0) noise.raw(pack(lane, least, bits));
	}
}

/**
 * HOT: writes fixed-width numbers lane by lane, because exponents resemble exponents. A lane of noise takes as many bits a byte as its range
 * needs and stays away from deflate, which would waste its time.
 */
export function writePackedLanes(streams: BlockStreams<ByteWriter>, bytes: Uint8Array, width: number): void {
	const lane = new Uint8Array(bytes.length / width);
	for (let first = 0; first < width; first += 1) {
		for (let from = first, to = 0; from < bytes.length; from += width) lane[to++] = bytes[from] ?? 0;
		writeLane(streams, lane);
	}
}

function readPlainLane(lane: ArrayLike<number>, into: Uint8Array, first: number, width: number): void {
	let at = 0;
	for (let to = first; to < into.length; to += width) into[to] = lane[at++] ?? 0;
}

function readLane({ plain, noise }: BlockStreams<ByteReader>, into: Uint8Array, first: number, width: number): void {
	const bits = plain.u8();
	const count = into.length / width;
	if (bits === 8 || bits === FOR_DEFLATE) {
		readPlainLane((bits === 8 ? noise : plain).raw(count), into, first, width);
		return;
	}
	if (bits > FOR_DEFLATE) throw malformed(`holds a lane of ${bits} bits`);
	const least = plain.u8();
	const packed = noise.raw(Math.ceil((count * bits) / 8));
	const mask = (1 << bits) - 1;
	let held = 0;
	let heldBits = 0;
	let at = 0;
	for (let to = first; to < into.length; to += width) {
		if (heldBits < bits) {
			held |= (packed[at++] ?? 0) << heldBits;
			heldBits += 8;
		}
		into[to] = least + (held & mask);
		held >>>= bits;
		heldBits -= bits;
	}
}

/** Reads what `writePackedLanes` wrote of `count` numbers; the caller has made sure that so many may be made. */
export function readPackedLanes(
	streams: BlockStreams<ByteReader>,
	count: number,
	width: number,
): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(count * width);
	for (let first = 0; first < width; first += 1) readLane(streams, bytes, first, width);
	return bytes;
}
