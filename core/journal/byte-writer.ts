/** Lone surrogates have no UTF-8 form; such a text is written as UTF-16. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A growing buffer with the number and text forms of the block format. Integers take 1 byte per 7 bits. */
export interface ByteWriter {
	u8(value: number): void;
	/** A whole number from 0 to 2^53 - 1. */
	varint(value: number): void;
	/** A whole number from -(2^53 - 1) to 2^53 - 1. */
	signed(value: number): void;
	f64(value: number): void;
	text(value: string): void;
	raw(bytes: ArrayLike<number>): void;
	/** What was written so far; valid until the next write. */
	bytes(): Buffer;
}

export function createByteWriter(initialBytes = 4096): ByteWriter {
	let buffer = Buffer.allocUnsafe(initialBytes);
	let length = 0;

	function reserve(more: number): void {
		if (length + more <= buffer.length) return;
		const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + more));
		larger.set(buffer.subarray(0, length));
		buffer = larger;
	}

	function put(byte: number): void {
		buffer[length] = byte;
		length += 1;
	}

	function varint(value: number): void {
		reserve(8);
		let rest = value;
		while (rest > 0x7fff_ffff) {
			put((rest % 128) | 0x80);
			rest = Math.floor(rest / 128);
		}
		while (rest > 0x7f) {
			put((rest & 0x7f) | 0x80);
			rest >>>= 7;
		}
		put(rest);
	}

	function raw(bytes: ArrayLike<number>): void {
		reserve(bytes.length);
		buffer.set(bytes, length);
		length += bytes.length;
	}

	return {
		u8(value) {
			reserve(1);
			put(value);
		},
		varint,
		signed(value) {
			reserve(1);
			const magnitude = Math.abs(value);
			const sign = value < 0 ? 0x40 : 0;
			if (magnitude < 0x40) {
				put(magnitude | sign);
				return;
			}
			put((magnitude % 64) | sign | 0x80);
			varint(Math.floor(magnitude / 64));
		},
		f64(value) {
			reserve(8);
			buffer.writeDoubleLE(value, length);
			length += 8;
		},
		text(value) {
			const isWide = LONE_SURROGATE.test(value);
			const bytes = Buffer.from(value, isWide ? 'utf16le' : 'utf8');
			varint(bytes.length * 2 + (isWide ? 1 : 0));
			raw(bytes);
		},
		raw,
		bytes: () => buffer.subarray(0, length),
	};
}
