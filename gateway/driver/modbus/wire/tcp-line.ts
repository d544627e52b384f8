import { randomInt } from 'node:crypto';
import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import type { ByteLink } from './byte-link.ts';
import { openInTime } from './line-opening.ts';
import { createMbapReader, MBAP_BYTES, MOST_ADU_BYTES } from './mbap-reader.ts';
import { closedFault, corruptFault, exceptionFault, timeoutFault } from './modbus-fault.ts';
import type { ModbusAnswer, ModbusExchange, ModbusLine } from './modbus-line.ts';
import { exceptionCodeOf, replyData, replyFlaw } from './reply-pdu.ts';
import { encodeRequest } from './request-pdu.ts';
import { createRequestTimer } from './request-timer.ts';

const TRANSACTION_IDS = 0x1_0000;
/** Unanswered requests whose transaction ids are not used again; a connection with more of them is long given up. */
const MOST_OWED = 256;

interface TcpLineDeps {
	/** Fresh, used by this line only. */
	readonly link: ByteLink;
	/** e.g. `10.0.0.5:502`, for sentences. */
	readonly place: string;
	/** Requests that may be under way at once, 1 to 16. */
	readonly depth: number;
	readonly clock: Clock;
	readonly meter: LineMeter;
}

interface Pending {
	readonly exchange: ModbusExchange;
	readonly sentAtMs: number;
	readonly dueMs: number;
	readonly resolve: (answer: ModbusAnswer) => void;
	readonly reject: (fault: Error) => void;
}

/**
 * One connection to a Modbus TCP server. Transaction ids keep late replies apart, so it needs no quarantine; what is no Modbus
 * TCP ends the connection.
 */
export function createTcpLine({ link, place, depth, clock, meter }: TcpLineDeps): ModbusLine {
	const { counters } = meter;
	const pending = new Map<number, Pending>();
	/** Ids of requests that timed out: their answers may still come. Oldest first. */
	const owed = new Set<number>();
	/** Requests of this turn of the event loop, which leave in one write. */
	const outgoing = Buffer.alloc(depth * MOST_ADU_BYTES);
	let outgoingBytes = 0;
	let lastId = randomInt(TRANSACTION_IDS);
	let endReason: string | null = null;
	let tellLost: ((reason: string | null) => void) | null = null;

	const timer = createRequestTimer(clock, (dueBeforeMs) => {
		let nextMs = Infinity;
		for (const [id, { exchange, dueMs, reject }] of pending) {
			if (dueMs > dueBeforeMs) {
				nextMs = Math.min(nextMs, dueMs);
				continue;
			}
			pending.delete(id);
			owe(id);
			counters.timeouts += 1;
			reject(timeoutFault(exchange));
		}
		return nextMs;
	});

	function owe(id: number): void {
		owed.add(id);
		if (owed.size <= MOST_OWED) return;
		for (const oldest of owed) {
			owed.delete(oldest);
			return;
		}
	}

	function freshId(): number {
		do lastId = (lastId + 1) % TRANSACTION_IDS;
		while (pending.has(lastId) || owed.has(lastId));
		return lastId;
	}

	function end(reason: string): void {
		endReason ??= reason;
		timer.stop();
		const rejected = [...pending.values()];
		pending.clear();
		for (const { reject } of rejected) reject(closedFault(endReason));
	}

	/** @param reason `null`: the line itself did not fail, it is only to be opened anew */
	function lose(reason: string | null): void {
		if (endReason !== null) return;
		end(reason ?? 'the connection is made anew');
		tellLost?.(reason);
	}

	/** Where the next frame begins is unknown. Behind a gateway of many units the one that was asked is to blame, not the line. */
	function garbage(): void {
		const why = 'bytes that are not Modbus TCP';
		counters.strayFrames += 1;
		for (const [id, { exchange, reject }] of pending) {
			pending.delete(id);
			reject(corruptFault(exchange, why));
			lose(null);
			return;
		}
		lose(`${place} sent ${why}`);
	}

	function frame(id: number, bytes: Buffer, start: number, frameEnd: number): void {
		const request = pending.get(id);
		if (request === undefined) {
			owed.delete(id);
			counters.strayFrames += 1;
			return;
		}
		pending.delete(id);
		const { exchange, sentAtMs, resolve, reject } = request;
		const unitId = bytes[start];
		const flaw =
			unitId === exchange.unitId ? replyFlaw(exchange, bytes, start + 1, frameEnd) : `unit ${unitId} in the reply`;
		if (flaw !== null) {
			reject(corruptFault(exchange, flaw));
			return;
		}
		const latencyMs = clock.monotonicMs() - sentAtMs;
		meter.latency.add(latencyMs);
		const exceptionCode = exceptionCodeOf(bytes, start + 1);
		if (exceptionCode === null) {
			counters.answers += 1;
			resolve({ data: replyData(exchange, bytes, start + 1, frameEnd), readAt: clock.now(), latencyMs });
		} else {
			counters.exceptions += 1;
			reject(exceptionFault(exchange, exceptionCode));
		}
	}

	const reader = createMbapReader({ frame, garbage });

	function flush(): void {
		if (outgoingBytes === 0) return;
		const bytes = Buffer.from(outgoing.subarray(0, outgoingBytes));
		outgoingBytes = 0;
		if (endReason === null) link.write(bytes);
	}

	function send(exchange: ModbusExchange, id: number): void {
		if (outgoingBytes + MOST_ADU_BYTES > outgoing.length) flush();
		const start = outgoingBytes;
		const frameEnd = encodeRequest(exchange, outgoing, start + MBAP_BYTES + 1);
		outgoing.writeUInt16BE(id, start);
		outgoing.writeUInt16BE(0, start + 2);
		outgoing.writeUInt16BE(frameEnd - start - MBAP_BYTES, start + 4);
		outgoing.writeUInt8(exchange.unitId, start + MBAP_BYTES);
		meter.frames.push('sent', outgoing.subarray(start, frameEnd));
		outgoingBytes = frameEnd;
		if (depth === 1) flush();
		else if (start === 0) process.nextTick(flush);
	}

	return {
		depth,
		open(signal, lost) {
			tellLost = lost;
			const listener = {
				bytes(chunk: Buffer): void {
					meter.frames.push('received', chunk);
					if (endReason === null) reader.read(chunk);
				},
				lost: lose,
			};
			return openInTime(link.open(listener), signal);
		},
		transact(exchange) {
			return new Promise((resolve, reject) => {
				if (endReason !== null) {
					reject(closedFault(endReason));
					return;
				}
				if (pending.size >= depth) throw new RangeError(`${depth} exchanges are under way on ${place} already`);
				const id = freshId();
				send(exchange, id);
				const sentAtMs = clock.monotonicMs();
				const dueMs = sentAtMs + exchange.timeoutMs;
				pending.set(id, { exchange, sentAtMs, dueMs, resolve, reject });
				counters.requests += 1;
				timer.expectBy(dueMs);
			});
		},
		close() {
			end('the line was closed');
			return link.close();
		},
	};
}
