import { withCrc } from './crc.ts';

/** A request as it came out of its frame. */
export interface FramedRequest {
	readonly unitId: number;
	readonly pdu: Buffer;
	/** What the answer has to carry too. */
	readonly tag: Buffer;
}

/** How requests and answers lie on the wire, from the side of a device; written from the specifications, apart from the product. */
export interface Framing {
	/** Takes the first whole request out of `bytes`; the rest is what comes after it. `null`: there is none yet. */
	cut(bytes: Buffer): (FramedRequest & { readonly rest: Buffer }) | null;
	/** @param tag what `cut` gave with the request */
	wrap(unitId: number, pdu: Buffer, tag: Buffer): Buffer;
}

const NO_TAG = Buffer.alloc(0);

/** Modbus TCP; the tag is the transaction id. */
export const mbap: Framing = {
	cut(bytes) {
		if (bytes.length < 8) return null;
		const end = 6 + bytes.readUInt16BE(4);
		if (bytes.length < end) return null;
		return {
			unitId: bytes.readUInt8(6),
			pdu: bytes.subarray(7, end),
			tag: bytes.subarray(0, 2),
			rest: bytes.subarray(end),
		};
	},
	wrap(unitId, pdu, tag) {
		const head = Buffer.from([0, 0, 0, 0, 0, 0, unitId]);
		tag.copy(head, 0);
		head.writeUInt16BE(pdu.length + 1, 4);
		return Buffer.concat([head, pdu]);
	},
};

/** Length of a request PDU, by its function. */
function requestLength(pdu: Buffer): number {
	const functionCode = pdu.readUInt8(0);
	if (functionCode === 17) return 1;
	if (functionCode === 43) return 4;
	if (functionCode === 22) return 7;
	if (functionCode === 15 || functionCode === 16) return pdu.length < 6 ? Infinity : 6 + pdu.readUInt8(5);
	if (functionCode === 23) return pdu.length < 10 ? Infinity : 10 + pdu.readUInt8(9);
	return 5;
}

/** RTU with CRC. What is no request is skipped byte by byte. */
export const rtu: Framing = {
	cut(bytes) {
		for (let start = 0; start + 4 <= bytes.length; start += 1) {
			const end = start + 1 + requestLength(bytes.subarray(start + 1)) + 2;
			if (end > bytes.length) return null;
			const frame = bytes.subarray(start, end - 2);
			if (!withCrc(frame).equals(bytes.subarray(start, end))) continue;
			return { unitId: frame.readUInt8(0), pdu: frame.subarray(1), tag: NO_TAG, rest: bytes.subarray(end) };
		}
		return null;
	},
	wrap: (unitId, pdu) => withCrc(Buffer.concat([Buffer.from([unitId]), pdu])),
};

/** Longitudinal check: the two's complement of the sum. */
const lrcOf = (bytes: Buffer): number => (0x100 - (bytes.reduce((sum, byte) => sum + byte, 0) & 0xff)) & 0xff;

export const ascii: Framing = {
	cut(bytes) {
		const text = bytes.toString('latin1');
		const match = /:([0-9A-F]{6,})\r\n/.exec(text);
		if (match === null) return null;
		const rest = bytes.subarray(match.index + match[0].length);
		const frame = Buffer.from(match[1] ?? '', 'hex');
		if (lrcOf(frame.subarray(0, -1)) !== frame.at(-1)) return ascii.cut(rest);
		return { unitId: frame.readUInt8(0), pdu: frame.subarray(1, -1), tag: NO_TAG, rest };
	},
	wrap(unitId, pdu) {
		const body = Buffer.concat([Buffer.from([unitId]), pdu]);
		return Buffer.from(
			`:${Buffer.concat([body, Buffer.from([lrcOf(body)])])
				.toString('hex')
				.toUpperCase()}\r\n`,
		);
	},
};
