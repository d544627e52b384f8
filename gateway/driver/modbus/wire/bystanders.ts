import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineCounters } from '../../line-meter.ts';
import type { ModbusExchange } from './modbus-line.ts';
import { replyBytes } from './reply-pdu.ts';
import { dissect, type HeardFrame } from './rtu-dissect.ts';

/** How long another master's request may wait for its answer before ours goes out all the same, ms. */
const POLITE_MS = 100;
/** How long an answer may come late, ms: of a unit's to another master, and of one that we gave up. */
const OWED_FOR_MS = 20_000;
/** After another master was heard, the line counts as shared for so long, ms. */
const SHARED_FOR_MS = 60_000;
/** Answers that are awaited by others, at most; the oldest goes first. */
const MOST_AWAITED = 32;
/** The shortest frame: what is shorter cannot have been a request that we failed to read. */
const LEAST_FRAME_BYTES = 4;
/** A request that we failed to read is answered within so long, ms. */
const SUSPECT_FOR_MS = 1000;
/** Unit and CRC around a PDU. */
const OVERHEAD_BYTES = 3;
/** Everybody is meant and nobody answers. */
const BROADCAST_UNIT = 0;

/** What else was heard on the line beside the answers to our requests. */
export interface Bystanders {
	/**
	 * Takes bytes apart that are no answer of ours, and counts them.
	 * @param own our newest request as it was sent: heard again, it is an echo
	 */
	heard(bytes: Buffer, start: number, end: number, own: Buffer): HeardBytes;
	/** Another master's request was just heard: so long its answer is waited for, ms; 0: the line is free. */
	politeMs(): number;
	/** Whether what looks like our answer may be the one to another master's request. @param isException whether it is an exception */
	mayTake(exchange: ModbusExchange, isException: boolean): boolean;
	/**
	 * The unit has answered our request: a device answers in order, so what others asked it before is done. What it was asked behind
	 * our request is still to come. @param sentAtMs when ours was sent, monotonic
	 */
	answered(unitId: number, sentAtMs: number): void;
	/** We gave the request up: its answer may come late, and is no sign of another master. */
	gaveUp(exchange: ModbusExchange): void;
}

/** What a stretch of bytes was. */
export interface HeardBytes {
	readonly hasEcho: boolean;
	readonly noiseBytes: number;
}

interface Awaited {
	readonly unitId: number;
	readonly functionCode: number;
	readonly replyLength: number | null;
	/** When the request was heard. */
	readonly sinceMs: number;
	readonly untilMs: number;
}

export function createBystanders(clock: Clock, counters: LineCounters): Bystanders {
	let awaited: Awaited[] = [];
	/** Requests of ours whose answers may come late. */
	let owed: Awaited[] = [];
	let lastRequestMs = Number.NEGATIVE_INFINITY;
	let lastSharedMs = Number.NEGATIVE_INFINITY;
	let isAnswerAwaited = false;
	let suspectUntilMs = Number.NEGATIVE_INFINITY;

	const isOf =
		(unitId: number, functionCode: number) =>
		(each: Awaited): boolean =>
			each.unitId === unitId && each.functionCode === functionCode;

	function forgetOld(nowMs: number): void {
		const isOpen = ({ untilMs }: Awaited): boolean => untilMs > nowMs;
		if (awaited.length > 0) awaited = awaited.filter(isOpen);
		if (owed.length > 0) owed = owed.filter(isOpen);
	}

	function request({ unitId, functionCode, replyLength }: HeardFrame, nowMs: number): void {
		counters.foreignFrames += 1;
		lastRequestMs = nowMs;
		lastSharedMs = nowMs;
		isAnswerAwaited = unitId !== BROADCAST_UNIT;
		if (!isAnswerAwaited) return;
		const untilMs = nowMs + OWED_FOR_MS;
		awaited = [...awaited, { unitId, functionCode, replyLength, sinceMs: nowMs, untilMs }].slice(-MOST_AWAITED);
	}

	/** Whose answer it is, if it can be told: ours may come late, and then the other master's is still to come. */
	function answer({ unitId, functionCode, start, end }: HeardFrame): void {
		isAnswerAwaited = false;
		if (owed.some(isOf(unitId, functionCode))) return;
		const isIts = isOf(unitId, functionCode);
		const at = awaited.findIndex((each) => isIts(each) && each.replyLength === end - start);
		if (at >= 0) awaited = awaited.filter((each, index) => index > at || each.unitId !== unitId);
		counters.foreignFrames += 1;
	}

	return {
		heard(bytes, start, end, own) {
			if (start >= end) return { hasEcho: false, noiseBytes: 0 };
			const nowMs = clock.monotonicMs();
			forgetOld(nowMs);
			const { frames, noiseBytes } = dissect(bytes, start, end, (unitId, functionCode) =>
				awaited.some(isOf(unitId, functionCode)),
			);
			let hasEcho = false;
			for (const frame of frames) {
				if (own.equals(bytes.subarray(frame.start, frame.end))) {
					hasEcho = true;
					counters.echoFrames += 1;
				} else if (frame.isRequest) request(frame, nowMs);
				else answer(frame);
			}
			counters.noiseBytes += noiseBytes;
			// A garbled request of another master looks like noise, and its answer may look like ours.
			if (noiseBytes >= LEAST_FRAME_BYTES && nowMs - lastSharedMs < SHARED_FOR_MS) {
				suspectUntilMs = nowMs + SUSPECT_FOR_MS;
				lastRequestMs = nowMs;
				isAnswerAwaited = true;
			}
			return { hasEcho, noiseBytes };
		},
		politeMs: () => (isAnswerAwaited ? Math.max(0, POLITE_MS - (clock.monotonicMs() - lastRequestMs)) : 0),
		mayTake(exchange, isException) {
			const nowMs = clock.monotonicMs();
			if (nowMs < suspectUntilMs) return true;
			forgetOld(nowMs);
			const length = replyBytes(exchange) + OVERHEAD_BYTES;
			return awaited
				.filter(isOf(exchange.unitId, exchange.functionCode))
				.some(({ replyLength }) => isException || replyLength === null || replyLength === length);
		},
		answered(unitId, sentAtMs) {
			if (awaited.length === 0) return;
			awaited = awaited.filter((each) => each.unitId !== unitId || each.sinceMs > sentAtMs);
		},
		gaveUp({ unitId, functionCode }) {
			const nowMs = clock.monotonicMs();
			const late = { unitId, functionCode, replyLength: null, sinceMs: nowMs, untilMs: nowMs + OWED_FOR_MS };
			owed = [...owed.filter((each) => !isOf(unitId, functionCode)(each)), late].slice(-MOST_AWAITED);
		},
	};
}
