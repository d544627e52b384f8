import type { Capture } from '../diagnose/capture.ts';
import type { Deed } from './line-fault.ts';
import { type FramingName, type LineRequest, type SlaveFraming, framingOf } from './slave-framing.ts';
import type { Responder } from './slave-line.ts';

/** Bytes that came after a recorded request, and when, ms since it. */
interface RecordedBytes {
	readonly afterMs: number;
	readonly bytes: Buffer;
	/** Place of the first byte in all that was received. */
	readonly place: number;
}

/** One recorded request with what came until the next one. */
interface RecordedExchange {
	readonly key: string;
	readonly transaction: number;
	readonly received: readonly RecordedBytes[];
}

/** Unit and PDU: what tells requests apart, whatever their transaction id. */
const keyOf = ({ unitId, pdu }: LineRequest): string => `${unitId} ${pdu.toString('hex')}`;

const STILL = { monotonicMs: () => 0 };

function requestIn(framing: SlaveFraming, bytes: Buffer): LineRequest | null {
	try {
		return framing.cutter(STILL)(bytes)[0] ?? null;
	} catch {
		return null;
	}
}

function exchangesOf({ frames }: Capture, framing: SlaveFraming): readonly RecordedExchange[] {
	const exchanges: (RecordedExchange & { readonly atUs: number; readonly received: RecordedBytes[] })[] = [];
	let place = 0;
	for (const { direction, sinceStartUs, bytes } of frames) {
		if (direction === 'sent') {
			const request = requestIn(framing, bytes);
			if (request !== null)
				exchanges.push({ key: keyOf(request), transaction: request.transaction, atUs: sinceStartUs, received: [] });
			continue;
		}
		const last = exchanges.at(-1);
		last?.received.push({ afterMs: (sinceStartUs - last.atUs) / 1000, bytes, place });
		place += bytes.length;
	}
	return exchanges;
}

const MBAP_FOLLOWS_AT = 4;

/** Places of the first byte of each transaction id in all that was received over Modbus TCP, with the recorded id. */
function transactionPlaces({ frames }: Capture): ReadonlyMap<number, number> {
	const all = Buffer.concat(frames.flatMap(({ direction, bytes }) => (direction === 'received' ? [bytes] : [])));
	const places = new Map<number, number>();
	for (let at = 0; at + 6 <= all.length && all.readUInt16BE(at + 2) === 0;) {
		places.set(at, all.readUInt16BE(at));
		at += 6 + all.readUInt16BE(at + MBAP_FOLLOWS_AT);
	}
	return places;
}

type ModbusCapture = Capture & { readonly framing: FramingName };

/** @throws RangeError for a recording of a serial device that is not Modbus */
export function assertModbus(capture: Capture): asserts capture is ModbusCapture {
	if (capture.framing === 'raw')
		throw new RangeError(
			`${capture.line} is not Modbus: its recording cannot be played, only Modbus lines are simulated`,
		);
}

/** A recording that answers. */
export interface Replay extends Responder {
	/** Requests that were never recorded. */
	readonly unknown: number;
}

/**
 * Answers as the devices of a recording did: the same bytes, in the same pieces, after the same time. A request is found by unit and
 * PDU, in the order of the recording, which begins again at its end; Modbus TCP gets the transaction ids of today.
 * @param fallback answers what was never recorded; `null`: nobody does
 * @throws RangeError when the recording is not Modbus or has no request
 */
export function createReplay(capture: Capture, fallback: Responder | null): Replay {
	assertModbus(capture);
	const name: FramingName = capture.framing;
	const exchanges = exchangesOf(capture, framingOf(name));
	if (exchanges.length === 0) throw new RangeError('the recording has no request');
	const places = name === 'tcp' ? transactionPlaces(capture) : new Map<number, number>();
	/** Transaction ids of today by the recorded ones. */
	const today = new Map<number, number>();
	let next = 0;
	let unknown = 0;

	function find(key: string): RecordedExchange | null {
		for (let step = 0; step < exchanges.length; step += 1) {
			const index = (next + step) % exchanges.length;
			const exchange = exchanges[index];
			if (exchange?.key !== key) continue;
			next = (index + 1) % exchanges.length;
			return exchange;
		}
		return null;
	}

	/** The bytes with today's transaction ids, as far as these are known. */
	function translated({ bytes, place }: RecordedBytes): Buffer {
		if (places.size === 0) return bytes;
		const copy = Buffer.from(bytes);
		for (let index = -1; index < copy.length; index += 1) {
			const recorded = places.get(place + index);
			const id = recorded === undefined ? undefined : today.get(recorded);
			if (id === undefined) continue;
			if (index >= 0) copy[index] = id >> 8;
			if (index + 1 < copy.length) copy[index + 1] = id & 0xff;
		}
		return copy;
	}

	return {
		get unknown() {
			return unknown;
		},
		respond(request, framing): readonly Deed[] {
			const exchange = find(keyOf(request));
			if (exchange === null) {
				unknown += 1;
				return fallback?.respond(request, framing) ?? [];
			}
			today.set(exchange.transaction, request.transaction);
			return exchange.received.map((received) => ({ afterMs: received.afterMs, bytes: translated(received) }));
		},
	};
}
