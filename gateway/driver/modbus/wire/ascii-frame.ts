import type { ModbusExchange } from './modbus-line.ts';
import { encodeRequest, MOST_PDU_BYTES } from './request-pdu.ts';

/** Unit, PDU and check sum of the longest frame, as bytes. */
const MOST_BYTES = 1 + MOST_PDU_BYTES + 1;
/** Characters of a frame around its unit and PDU: colon, check sum, carriage return, line feed. */
export const ASCII_OVERHEAD_CHARS = 5;
/** Characters of the longest frame (Modbus over Serial Line V1.02, 2.5.2.1). */
export const MOST_ASCII_CHARS = ASCII_OVERHEAD_CHARS + 2 * (1 + MOST_PDU_BYTES);

const COLON = 0x3a;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** Value of each hexadecimal digit, in either case; -1 for all other characters. */
const digits = Int8Array.from({ length: 256 }, (_, code) => {
	const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
	return digit;
});

/** What makes the sum of all bytes zero (2.5.2.2). */
export function lrc(bytes: Uint8Array, end: number): number {
	let sum = 0;
	for (let at = 0; at < end; at += 1) sum += bytes[at] ?? 0;
	return -sum & 0xff;
}

/** Unit and PDU of a request, and the characters that carry them: colon, hexadecimal digits, check sum, carriage return, line feed. */
export function encodeAscii(exchange: ModbusExchange): { readonly body: Buffer; readonly characters: Buffer } {
	const bytes = Buffer.allocUnsafe(MOST_BYTES);
	bytes[0] = exchange.unitId;
	const end = encodeRequest(exchange, bytes, 1);
	bytes[end] = lrc(bytes, end);
	const characters = Buffer.from(`:${bytes.toString('hex', 0, end + 1).toUpperCase()}\r\n`, 'latin1');
	return { body: bytes.subarray(0, end), characters };
}

export interface AsciiListener {
	/** A frame came to its end. @param bytes unit and PDU, valid during the call @param isSound its digits and its check sum are right */
	frame(bytes: Buffer, isSound: boolean): void;
	/** Characters outside of a frame, or of a frame that never came to its end. @param isFirst they do not continue a run that was told */
	noise(count: number, isFirst: boolean): void;
}

/** Cuts the characters of a line into frames. A colon begins a new frame wherever it stands; a frame ends with the line feed. */
export interface AsciiReader {
	read(chunk: Buffer): void;
	/** Forgets the beginning of a frame: too long a silence came after it, or nobody wants it. */
	drop(): void;
}

export function createAsciiReader(listener: AsciiListener): AsciiReader {
	const bytes = Buffer.alloc(MOST_BYTES);
	let isInFrame = false;
	let isNoisy = false;
	/** Digits read; two make a byte. */
	let count = 0;
	let isDamaged = false;

	function cutShort(): void {
		if (isInFrame) listener.noise(1 + count, true);
	}

	function begin(): void {
		cutShort();
		isInFrame = true;
		isNoisy = false;
		isDamaged = false;
		count = 0;
	}

	function finish(): void {
		isInFrame = false;
		const end = (count >> 1) - 1;
		// Unit and function at least.
		const isSound = !isDamaged && count % 2 === 0 && end >= 2 && bytes[end] === lrc(bytes, end);
		listener.frame(bytes.subarray(0, Math.max(0, end)), isSound);
	}

	function digit(character: number): void {
		const value = digits[character] ?? -1;
		const at = count >> 1;
		if (value < 0 || at >= MOST_BYTES) {
			isDamaged = true;
			return;
		}
		bytes[at] = count % 2 === 0 ? value << 4 : (bytes[at] ?? 0) | value;
		count += 1;
	}

	function stray(character: number): void {
		if (character === CARRIAGE_RETURN || character === LINE_FEED) return;
		listener.noise(1, !isNoisy);
		isNoisy = true;
	}

	return {
		read(chunk) {
			for (const character of chunk) {
				if (character === COLON) begin();
				else if (!isInFrame) stray(character);
				else if (character === LINE_FEED) finish();
				else if (character !== CARRIAGE_RETURN) digit(character);
			}
		},
		drop() {
			cutShort();
			isInFrame = false;
			isNoisy = false;
		},
	};
}
