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
