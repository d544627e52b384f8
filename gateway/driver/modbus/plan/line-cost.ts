import type { ReadFunction } from '../../../../config/template/template.ts';

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

/** 100 Mbit/s, the slowest Ethernet that field devices have in numbers. */
const TCP_BIT_MS = 1e-5;
/** Below this the round trip is no longer the cost of a request: the program is. */
const TCP_LEAST_REQUEST_MS = 0.05;

/**
 * The cost model of an RTU line.
 * @param bitsPerChar start, data, parity and stop bits: 10 for 8N1, 11 for 8E1 or 8N2
 * @param turnaroundMs time from the last byte of the request to the first of the answer, as measured, plus the guard time of the device
 */
export function rtuCost(baudRate: number, bitsPerChar: number, turnaroundMs: number): LineCost {
	const charMs = (bitsPerChar * 1000) / baudRate;
	const gapMs = baudRate > FIXED_GAP_ABOVE_BAUD ? FIXED_GAP_MS : GAP_CHARS * charMs;
	return {
		requestMs: RTU_OVERHEAD_BYTES * charMs + 2 * gapMs + turnaroundMs,
		registerMs: 2 * charMs,
		bitMs: charMs / 8,
	};
}

/** The cost model of a TCP connection: the round trip outweighs everything a request can carry, so it always pays to merge. */
export function tcpCost(roundTripMs: number): LineCost {
	return {
		requestMs: Math.max(roundTripMs, TCP_LEAST_REQUEST_MS),
		registerMs: 16 * TCP_BIT_MS,
		bitMs: TCP_BIT_MS,
	};
}

/** Functions 1 and 2 count bits, 3 and 4 registers. */
export const readsBits = (functionCode: ReadFunction): boolean => functionCode <= 2;

/** Time one read of `count` registers or bits takes on the line, ms. */
export const readCostMs = (functionCode: ReadFunction, count: number, cost: LineCost): number =>
	cost.requestMs + count * (readsBits(functionCode) ? cost.bitMs : cost.registerMs);
