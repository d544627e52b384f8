import { type ByteReader, malformed } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** A lane in which more than one of so many bytes is like the one before it is left as it is, for deflate. */
const REPEATS_FOR_DEFLATE = 4;
/** Packed to so few bits a value, repeats are cheap as well. */
const FEW_BITS = 2;

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

function writeLane(writer: ByteWriter, lane: Uint8Array): number {
	let least = 255;
	let most = 0;
	let repeats = 0;
	let previous = -1;
	for (let index = 0; index < lane.length; index += 1) {
		const byte = lane[index] ?? 0;
		if (byte < least) least = byte;
		if (byte > most) most = byte;
		if (byte === previous) repeats += 1;
		previous = byte;
	}
	const needed = 32 - Math.clz32(Math.max(0, most - least));
	const isForDeflate = needed > FEW_BITS && repeats * REPEATS_FOR_DEFLATE > lane.length;
	const bits = isForDeflate ? 8 : needed;
	writer.u8(bits);
	if (bits === 8) {
		writer.raw(lane);
		return isForDeflate ? 0 : lane.length;
	}
	writer.u8(least);
	if (bits === 0) return 0;
	const packed = pack(lane, least, bits);
	writer.raw(packed);
	return packed.length;
}

/**
 * HOT: writes fixed-width numbers lane by lane, because exponents resemble exponents; a lane takes as many bits a byte as its range needs.
 * Answers how many of the written bytes are noise, on which deflate would waste its time.
 */
export function writePackedLanes(writer: ByteWriter, bytes: Uint8Array, width: number): number {
	const lane = new Uint8Array(bytes.length / width);
	let noise = 0;
	for (let first = 0; first < width; first += 1) {
		for (let from = first, to = 0; from < bytes.length; from += width) lane[to++] = bytes[from] ?? 0;
		noise += writeLane(writer, lane);
	}
	return noise;
}

function readLane(reader: ByteReader, into: Uint8Array, first: number, width: number): void {
	const bits = reader.u8();
	if (bits > 8) throw malformed(`a lane of ${bits} bits`);
	const least = bits === 8 ? 0 : reader.u8();
	const packed = reader.raw(Math.ceil(((into.length / width) * bits) / 8));
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
export function readPackedLanes(reader: ByteReader, count: number, width: number): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(count * width);
	for (let first = 0; first < width; first += 1) readLane(reader, bytes, first, width);
	return bytes;
}
