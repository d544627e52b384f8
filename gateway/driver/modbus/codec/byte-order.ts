import type { ByteOrder } from '../../../../config/template/template.ts';

const LETTERS = 'ABCDEFGH';

/**
 * Where the bytes of a value are on the wire: entry k is the wire index of the k-th most significant byte. An order shorter than
 * the value is repeated, as in text, where `BA` swaps the two bytes of every register.
 */
export function wireIndexes(byteOrder: ByteOrder, byteCount: number): readonly number[] {
	const block = byteOrder.length;
	return Array.from({ length: byteCount }, (_, k) => k - (k % block) + byteOrder.indexOf(LETTERS.charAt(k % block)));
}

/** A pattern that is written most significant byte first, as the bytes a device sends. */
export function toWireOrder(pattern: Buffer, byteOrder: ByteOrder): Buffer {
	const wire = Buffer.alloc(pattern.length);
	wireIndexes(byteOrder, pattern.length).forEach((wireIndex, k) => {
		wire.writeUInt8(pattern.readUInt8(k), wireIndex);
	});
	return wire;
}

/** Bytes of an answer, most significant first. What it gives is the answer's own memory or its own: read it at once, keep nothing. */
export type FieldReader = (data: Buffer) => Buffer;

/** Takes `bytes` bytes from `at` on and puts them into order. */
export function fieldReader(byteOrder: ByteOrder, at: number, bytes: number): FieldReader {
	const indexes = wireIndexes(byteOrder, bytes);
	if (indexes.every((wireIndex, k) => wireIndex === k)) return (data) => data.subarray(at, at + bytes);
	const ordered = Buffer.alloc(bytes);
	return (data) => {
		for (let k = 0; k < bytes; k++) ordered[k] = data[at + (indexes[k] ?? 0)] ?? 0;
		return ordered;
	};
}
