import type { Clock } from '../../core/kernel/clock.ts';
import { asciiFrame, createAsciiCutter } from './ascii-frame.ts';
import { createRequestCutter, rtuFrame } from './rtu-slave-frame.ts';
import { createFrameCutter, tcpFrame } from './tcp-slave-frame.ts';

/** How requests and replies are wrapped: with the header of Modbus TCP, with a CRC, or in hex digits with an LRC. */
export type FramingName = 'tcp' | 'rtu' | 'ascii';

/** One request as it came over a line. */
export interface LineRequest {
	readonly unitId: number;
	readonly pdu: Buffer;
	/** Transaction id; 0 where frames carry none. */
	readonly transaction: number;
}

export interface SlaveFraming {
	readonly name: FramingName;
	/** Cuts the bytes of one connection into requests. @throws RangeError when they are none and never will be */
	readonly cutter: (clock: Pick<Clock, 'monotonicMs'>) => (chunk: Buffer) => readonly LineRequest[];
	readonly frame: (request: LineRequest) => Buffer;
	/** The frame with a check that fails: protocol id, CRC or LRC. */
	readonly spoil: (frame: Buffer) => Buffer;
}

function flipped(frame: Buffer, index: number, mask: number): Buffer {
	const bytes = Buffer.from(frame);
	bytes[index] = (bytes[index] ?? 0) ^ mask;
	return bytes;
}

/** Digits. */
const ZERO = 0x30;
const ONE = 0x31;

const head = (transaction: number): Buffer => Buffer.from([transaction >> 8, transaction & 0xff, 0, 0]);

const framings: Readonly<Record<FramingName, SlaveFraming>> = {
	tcp: {
		name: 'tcp',
		cutter() {
			const cut = createFrameCutter();
			return (chunk) =>
				cut(chunk).map(({ head: own, unitId, pdu }) => ({ unitId, pdu, transaction: own.readUInt16BE(0) }));
		},
		frame: ({ transaction, unitId, pdu }) => tcpFrame({ head: head(transaction), unitId, pdu }, pdu),
		spoil: (frame) => flipped(flipped(frame, 2, 0xde), 3, 0xad),
	},
	rtu: {
		name: 'rtu',
		cutter(clock) {
			const cut = createRequestCutter(clock);
			return (chunk) => cut(chunk).map(({ unitId, pdu }) => ({ unitId, pdu, transaction: 0 }));
		},
		frame: ({ unitId, pdu }) => rtuFrame(unitId, pdu),
		spoil: (frame) => flipped(frame, frame.length - 1, 0xff),
	},
	ascii: {
		name: 'ascii',
		cutter() {
			const cut = createAsciiCutter();
			return (chunk) => cut(chunk).map((body) => ({ unitId: body[0] ?? 0, pdu: body.subarray(1), transaction: 0 }));
		},
		frame: ({ unitId, pdu }) => asciiFrame(unitId, pdu),
		// The last digit of the LRC, before CR and LF.
		spoil: (frame) =>
			flipped(
				frame,
				frame.length - 3,
				(frame[frame.length - 3] ?? 0) ^ (frame[frame.length - 3] === ZERO ? ONE : ZERO),
			),
	},
};

export const framingOf = (name: FramingName): SlaveFraming => framings[name];
