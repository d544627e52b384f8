import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import type { ByteLink } from './byte-link.ts';
import type { LateReplyGuard } from './late-reply-guard.ts';
import { createModbusClient } from './modbus-client.ts';
import { ModbusFault, unprovenFault } from './modbus-fault.ts';
import { dataBytes, isRead, type ModbusAnswer, type ModbusExchange, type ModbusLine } from './modbus-line.ts';
import { gapMs, RtuPort, type RtuTiming, wireMs } from './rtu-port.ts';

/** Shortest silence that ends a quarantine, ms. */
const LEAST_HOLD_MS = 100;
/** Characters of the longest frame. */
const MOST_CHARS = 256;
/** Request: unit, function, address, count, CRC. Reply: unit, function, byte count, data, CRC. */
const REQUEST_CHARS = 8;
const REPLY_CHARS = 5;
/** Answer to a write: unit, function, echo, CRC; function 16 sends count and data beside the address. */
const ECHO_CHARS = 8;
const SEVERAL_CHARS = 1;
/** Reads tried for one request to tell late replies apart. */
const MOST_PROOFS = 3;

interface RtuLineDeps {
	/** Fresh, used by this line only. */
	readonly link: ByteLink;
	readonly timing: RtuTiming;
	readonly clock: Clock;
	readonly meter: LineMeter;
	/** What units still owe; outlives the connection, since a reply may come late after the port was opened anew. */
	readonly guard: LateReplyGuard;
}

/** Characters of an exchange, both ways. */
function charsOf(exchange: ModbusExchange): number {
	if (isRead(exchange)) return REQUEST_CHARS + REPLY_CHARS + dataBytes(exchange.functionCode, exchange.count);
	const extra = exchange.functionCode === 16 ? SEVERAL_CHARS + 2 * exchange.words.length : 0;
	return REQUEST_CHARS + extra + ECHO_CHARS;
}

/**
 * A Modbus RTU line that never takes a late reply for another's: an unanswered request is followed by a quarantine, and as long
 * as the unit may still answer it, data counts only in a shape that nobody else is owed, made sure of by a proof read.
 */
export function createRtuLine({ link, timing, clock, meter, guard }: RtuLineDeps): ModbusLine {
	const port = new RtuPort({ link, timing, clock, meter });
	const exchangeMs = (exchange: ModbusExchange): number => wireMs(timing, charsOf(exchange)) + 2 * gapMs(timing);
	const client = createModbusClient({ port, clock, meter, wireMs: exchangeMs });

	const holdMs = (): number =>
		Math.max(4 * (meter.latency.percentileMs(0.99) ?? 0), wireMs(timing, MOST_CHARS), LEAST_HOLD_MS);

	/** Sends a request of an unowed shape and keeps the account of what the unit owes. */
	async function guarded(request: ModbusExchange): Promise<ModbusAnswer> {
		try {
			const answer = await client.exchange(request);
			guard.proven(request.unitId);
			return answer;
		} catch (error) {
			if (!(error instanceof ModbusFault) || error.failure === 'closed') throw error;
			if (error.failure === 'exception' && !guard.isExceptionAmbiguous(request)) {
				guard.proven(request.unitId);
				throw error;
			}
			guard.owes(request);
			if (error.failure === 'exception') throw unprovenFault(request);
			meter.counters.quarantines += 1;
			await port.quarantine(holdMs());
			throw error;
		}
	}

	/** Reads something of another shape until nothing in the shape of the request can be late any more. */
	async function prove(request: ModbusExchange): Promise<void> {
		for (let tries = 0; tries < MOST_PROOFS && guard.isDataAmbiguous(request); tries += 1) {
			const proof = guard.proofFor(request);
			if (proof === null) break;
			try {
				await guarded(proof);
			} catch (error) {
				const isAnswered =
					error instanceof ModbusFault && (error.failure === 'exception' || error.failure === 'unproven');
				if (!isAnswered) throw error;
			}
		}
		if (guard.isDataAmbiguous(request)) throw unprovenFault(request);
	}

	return {
		depth: 1,
		open: (signal, lost) => client.open(signal, lost),
		close: () => client.close(),
		async transact(request) {
			if (guard.isDataAmbiguous(request)) await prove(request);
			return guarded(request);
		},
	};
}
