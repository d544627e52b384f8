/** Transaction id, protocol id and length (Messaging on TCP/IP V1.0b, 3.1.3). */
export const MBAP_BYTES = 6;
/** Unit, function and one more byte at least; unit and a PDU of 253 bytes at most. */
const LEAST_LENGTH = 3;
const MOST_LENGTH = 254;
/** Longest frame of Modbus TCP. */
export const MOST_ADU_BYTES = MBAP_BYTES + MOST_LENGTH;

export interface MbapListener {
	/** A whole frame. Unit and PDU are `bytes[start, end)`, valid during the call. */
	frame(transactionId: number, bytes: Buffer, start: number, end: number): void;
	/** What came is no header: where the next frame begins is unknown from here on. Called once; nothing is read after it. */
	garbage(): void;
}

/** Cuts the byte stream of a Modbus TCP connection into frames. Keeps less than one frame between two arrivals. */
export interface MbapReader {
	/** Keeps a copy of what is not a whole frame yet. */
	read(chunk: Buffer): void;
}

const word = (bytes: Buffer, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** Length of the frame that begins at `start`, 0 when none can. */
function lengthAt(bytes: Buffer, start: number): number {
	const length = word(bytes, start + 4);
	const isHeader = word(bytes, start + 2) === 0 && length >= LEAST_LENGTH && length <= MOST_LENGTH;
	return isHeader ? MBAP_BYTES + length : 0;
}

export function createMbapReader(listener: MbapListener): MbapReader {
	/** The beginning of a frame whose rest has not arrived. */
	const rest = Buffer.alloc(MOST_ADU_BYTES);
	let restLength = 0;
	let isLost = false;

	function lose(): void {
		isLost = true;
		listener.garbage();
	}

	const hand = (bytes: Buffer, start: number, length: number): void =>
		listener.frame(word(bytes, start), bytes, start + MBAP_BYTES, start + length);

	/** Appends to the rest until it is `length` bytes long. @returns where the bytes that were not needed begin */
	function fill(bytes: Buffer, start: number, end: number, length: number): number {
		const taken = Math.max(0, Math.min(length - restLength, end - start));
		bytes.copy(rest, restLength, start, start + taken);
		restLength += taken;
		return start + taken;
	}

	/** Completes the frame that an earlier arrival began. @returns where the next one begins */
	function complete(bytes: Buffer, end: number): number {
		let start = fill(bytes, 0, end, MBAP_BYTES);
		if (restLength < MBAP_BYTES) return start;
		const length = lengthAt(rest, 0);
		if (length === 0) {
			lose();
			return start;
		}
		start = fill(bytes, start, end, length);
		if (restLength === length) {
			restLength = 0;
			hand(rest, 0, length);
		}
		return start;
	}

	return {
		read(chunk) {
			if (isLost) return;
			const end = chunk.length;
			let start = restLength === 0 ? 0 : complete(chunk, end);
			while (!isLost && end - start >= MBAP_BYTES) {
				const length = lengthAt(chunk, start);
				if (length === 0) {
					lose();
					return;
				}
				if (start + length > end) break;
				hand(chunk, start, length);
				start += length;
			}
			if (!isLost && start < end) fill(chunk, start, end, MOST_ADU_BYTES);
		},
	};
}
