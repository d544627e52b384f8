import { hasValidCrc } from './crc16.ts';
import { identificationLength } from './device-identification.ts';
import { CRC_BYTES } from './rtu-frame.ts';

/** A whole frame that was heard on the line, whoever sent it. */
export interface HeardFrame {
	readonly start: number;
	readonly end: number;
	readonly unitId: number;
	/** Without the bit that marks an exception. */
	readonly functionCode: number;
	readonly isRequest: boolean;
	/** Of a request: length of the frame that will answer it; `null` when it does not tell. */
	readonly replyLength: number | null;
}

export interface Dissection {
	readonly frames: readonly HeardFrame[];
	/** Bytes of no frame. */
	readonly noiseBytes: number;
}

type Length = (bytes: Uint8Array, start: number, end: number) => number;

const UNIT_BYTES = 1;
const EXCEPTION_BIT = 0x80;
const EXCEPTION_LENGTH = 5;
const LEAST_LENGTH = 4;
const MOST_LENGTH = 256;

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const fixed =
	(length: number): Length =>
	() =>
		length;
/** `overhead` bytes and as many as the byte at `at` tells. */
const counted =
	(at: number, overhead: number): Length =>
	(bytes, start) =>
		overhead + byteAt(bytes, start + at);

const identification: Length = (bytes, start, end) =>
	UNIT_BYTES + identificationLength(bytes, start + UNIT_BYTES, end) + CRC_BYTES;

interface Shapes {
	readonly request: Length;
	readonly reply: Length;
}

const read: Shapes = { request: fixed(8), reply: counted(2, 5) };
const echoed: Shapes = { request: fixed(8), reply: fixed(8) };
const several: Shapes = { request: counted(6, 9), reply: fixed(8) };
const counter: Shapes = { request: fixed(4), reply: fixed(8) };

/** Lengths of the frames of each function, with unit and CRC (Application Protocol V1.1b3, 6). */
const shapes: Readonly<Partial<Record<number, Shapes>>> = {
	1: read,
	2: read,
	3: read,
	4: read,
	5: echoed,
	6: echoed,
	7: { request: fixed(4), reply: fixed(5) },
	8: echoed,
	11: counter,
	12: { request: fixed(4), reply: counted(2, 5) },
	15: several,
	16: several,
	17: { request: fixed(4), reply: counted(2, 5) },
	22: { request: fixed(10), reply: fixed(10) },
	23: { request: counted(10, 13), reply: counted(2, 5) },
	43: { request: fixed(7), reply: identification },
};

function isFrame(bytes: Uint8Array, start: number, end: number, length: number): boolean {
	return (
		length >= LEAST_LENGTH &&
		length <= MOST_LENGTH &&
		start + length <= end &&
		hasValidCrc(bytes, start, start + length)
	);
}

/** Length of the answer that a request asks for. */
function answerLength(bytes: Uint8Array, start: number, functionCode: number): number | null {
	const count = (byteAt(bytes, start + 4) << 8) | byteAt(bytes, start + 5);
	if (functionCode <= 2) return 5 + Math.ceil(count / 8);
	if (functionCode <= 4 || functionCode === 23) return 5 + 2 * count;
	const shape = shapes[functionCode];
	return shape === echoed || shape === several ? 8 : functionCode === 22 ? 10 : null;
}

type IsAwaited = (unitId: number, functionCode: number) => boolean;

function frameAt(bytes: Uint8Array, start: number, end: number, isAwaited: IsAwaited): HeardFrame | null {
	if (start + LEAST_LENGTH > end) return null;
	const unitId = byteAt(bytes, start);
	const functionCode = byteAt(bytes, start + 1) & ~EXCEPTION_BIT;
	const seen = { start, unitId, functionCode };
	if (byteAt(bytes, start + 1) !== functionCode) {
		if (!isFrame(bytes, start, end, EXCEPTION_LENGTH)) return null;
		return { ...seen, end: start + EXCEPTION_LENGTH, isRequest: false, replyLength: null };
	}
	const shape = shapes[functionCode];
	if (shape === undefined) return null;
	const requestLength = shape.request(bytes, start, end);
	const replyLength = shape.reply(bytes, start, end);
	const isRequest = isFrame(bytes, start, end, requestLength);
	const isReply = isFrame(bytes, start, end, replyLength);
	// Some frames can be either; then it is the answer if one is awaited.
	if (isReply && (!isRequest || isAwaited(unitId, functionCode)))
		return { ...seen, end: start + replyLength, isRequest: false, replyLength: null };
	if (!isRequest) return null;
	return {
		...seen,
		end: start + requestLength,
		isRequest: true,
		replyLength: answerLength(bytes, start, functionCode),
	};
}

/**
 * Takes bytes that answer no request of ours apart into the frames of others and noise.
 * @param isAwaited whether a request of this function to this unit was heard before and has no answer yet
 */
export function dissect(bytes: Uint8Array, start: number, end: number, isAwaited: IsAwaited): Dissection {
	const frames: HeardFrame[] = [];
	let noiseBytes = 0;
	const isOpen: IsAwaited = (unitId, functionCode) => {
		const last = frames.findLast((frame) => frame.unitId === unitId && frame.functionCode === functionCode);
		return last === undefined ? isAwaited(unitId, functionCode) : last.isRequest;
	};
	for (let at = start; at < end;) {
		const frame = frameAt(bytes, at, end, isOpen);
		if (frame === null) {
			noiseBytes += 1;
			at += 1;
		} else {
			frames.push(frame);
			at = frame.end;
		}
	}
	return { frames, noiseBytes };
}
