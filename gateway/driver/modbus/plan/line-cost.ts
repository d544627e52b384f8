import type { Line } from '../../../../config/connection/connection.ts';
import type { ReadFunction } from '../../../../config/template/template.ts';
import { bitsPerChar } from '../line-name.ts';

/** What a read costs on a line, ms: `requestMs` once, plus `registerMs` or `bitMs` for each register or bit it asks for. */
export interface LineCost {
	readonly requestMs: number;
	readonly registerMs: number;
	readonly bitMs: number;
}

/** Request (8 bytes) and the fixed part of the answer: unit, function, byte count, CRC (5). */
const RTU_OVERHEAD_BYTES = 13;
/** Above this speed the silence between frames is a fixed time (Modbus over Serial Line 1.02, 2.5.1.1). */
const FIXED_GAP_ABOVE_BAUD = 19_200;
const FIXED_GAP_MS = 1.75;
const GAP_CHARS = 3.5;

/** Colon, 7 bytes as two characters each, carriage return and line feed; of the answer the same around 4 bytes (2.5.2). */
const ASCII_OVERHEAD_CHARS = 17 + 11;

/** 100 Mbit/s, the slowest Ethernet that field devices have in numbers. */
const TCP_BIT_MS = 1e-5;
/** Below this the round trip is no longer the cost of a request: the program is. */
const TCP_LEAST_REQUEST_MS = 0.05;

/** Time a device on a serial line takes before it answers, until it was measured. */
export const USUAL_TURNAROUND_MS = 15;
/** Time of a request and its answer on a network, until it was measured. */
export const USUAL_ROUND_TRIP_MS = 5;

/** Behind a converter nobody knows the format of the characters; this is the usual one, 8N1 or 7E1. */
const CONVERTER_BITS_PER_CHAR = 10;
const CONVERTER_BAUD = 9600;

/**
 * The cost model of an RTU line.
 * @param bitsPerCharacter start, data, parity and stop bits: 10 for 8N1, 11 for 8E1 or 8N2
 * @param turnaroundMs time from the last byte of the request to the first of the answer, as measured, plus the guard time of the device
 */
export function rtuCost(baudRate: number, bitsPerCharacter: number, turnaroundMs: number): LineCost {
	const charMs = (bitsPerCharacter * 1000) / baudRate;
	const gapMs = baudRate > FIXED_GAP_ABOVE_BAUD ? FIXED_GAP_MS : GAP_CHARS * charMs;
	return {
		requestMs: RTU_OVERHEAD_BYTES * charMs + 2 * gapMs + turnaroundMs,
		registerMs: 2 * charMs,
		bitMs: charMs / 8,
	};
}

/** The cost model of an ASCII line: two characters a byte, and no silence between frames. Parameters as of `rtuCost`. */
export function asciiCost(baudRate: number, bitsPerCharacter: number, turnaroundMs: number): LineCost {
	const charMs = (bitsPerCharacter * 1000) / baudRate;
	return { requestMs: ASCII_OVERHEAD_CHARS * charMs + turnaroundMs, registerMs: 4 * charMs, bitMs: charMs / 4 };
}

/**
 * The cost model of a TCP connection: the round trip outweighs everything a request can carry, so it always pays to merge.
 * @param registerMs of a device behind a gateway whose registers were measured to take longer; absent: as on Ethernet
 */
export function tcpCost(roundTripMs: number, registerMs = 0): LineCost {
	const perRegisterMs = Math.max(registerMs, 16 * TCP_BIT_MS);
	return {
		requestMs: Math.max(roundTripMs, TCP_LEAST_REQUEST_MS),
		registerMs: perRegisterMs,
		bitMs: perRegisterMs / 16,
	};
}

/** The cost of reads on this line with a device that answers after `turnaroundMs`; on TCP that is the round trip, and `registerMs` as of `tcpCost`. */
export function costOf(line: Line, turnaroundMs: number, registerMs?: number): LineCost {
	if (line.transport === 'tcp') return tcpCost(turnaroundMs, registerMs);
	const model = line.transport.startsWith('ascii') ? asciiCost : rtuCost;
	const baudRate = line.baudRate ?? CONVERTER_BAUD;
	const bits = 'path' in line ? bitsPerChar(line) : CONVERTER_BITS_PER_CHAR;
	return model(baudRate, bits, turnaroundMs);
}

/** Functions 1 and 2 count bits, 3 and 4 registers. */
export const readsBits = (functionCode: ReadFunction): boolean => functionCode <= 2;

/** Time one read of `count` registers or bits takes on the line, ms. */
export const readCostMs = (functionCode: ReadFunction, count: number, cost: LineCost): number =>
	cost.requestMs + count * (readsBits(functionCode) ? cost.bitMs : cost.registerMs);
