import { Fault } from '../kernel/fault.ts';

export const malformed = (what: string): Fault => new Fault('rule-violation', `telemetry block: ${what}`);

/** Reads what a `ByteWriter` wrote. Bytes that cannot be right end in a Fault `rule-violation`, never in a crash. */
export interface ByteReader {
	u8(): number;
	varint(): number;
	signed(): number;
	f64(): number;
	text(): string;
	/** The next bytes, not copied. */
	raw(count: number): Buffer;
	/** A number of things of which each takes at least `bytesEach` of the bytes that are left. */
	count(bytesEach: number): number;
	remaining(): number;
}

export function createByteReader(bytes: Buffer): ByteReader {
	let offset = 0;

	function raw(count: number): Buffer {
		if (count > bytes.length - offset) throw malformed(`ends ${count - (bytes.length - offset)} bytes too early`);
		offset += count;
		return bytes.subarray(offset - count, offset);
	}

	function u8(): number {
		const byte = bytes[offset];
		if (byte === undefined) throw malformed('ends too early');
		offset += 1;
		return byte;
	}

	function varint(): number {
		let value = 0;
		for (let scale = 1; ; scale *= 128) {
			const byte = u8();
			value += (byte & 0x7f) * scale;
			if (!Number.isSafeInteger(value)) throw malformed('holds a number beyond 2^53');
			if (byte < 0x80) return value;
			if (scale > 2 ** 53) throw malformed('holds an overlong number');
		}
	}

	return {
		u8,
		varint,
		signed() {
			const first = u8();
			const high = first < 0x80 ? 0 : varint();
			const magnitude = high * 64 + (first & 0x3f);
			if (!Number.isSafeInteger(magnitude)) throw malformed('holds a number beyond 2^53');
			return (first & 0x40) === 0 || magnitude === 0 ? magnitude : -magnitude;
		},
		f64: () => raw(8).readDoubleLE(0),
		text() {
			const length = varint();
			return raw(Math.floor(length / 2)).toString(length % 2 === 1 ? 'utf16le' : 'utf8');
		},
		raw,
		count(bytesEach) {
			const declared = varint();
			if (declared * bytesEach > bytes.length - offset) throw malformed(`declares ${declared} entries it cannot hold`);
			return declared;
		},
		remaining: () => bytes.length - offset,
	};
}
