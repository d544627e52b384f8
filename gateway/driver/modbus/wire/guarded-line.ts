import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import { isMirrored } from './echo-sense.ts';
import type { FramePort } from './frame-port.ts';
import type { LateReplyGuard } from './late-reply-guard.ts';
import { createModbusClient } from './modbus-client.ts';
import { ModbusFault, unprovenFault } from './modbus-fault.ts';
import type { ModbusAnswer, ModbusExchange, ModbusLine } from './modbus-line.ts';

/** Shortest silence that ends a quarantine, ms. */
const LEAST_HOLD_MS = 100;
/** Reads tried for one request to tell late replies apart. */
const MOST_PROOFS = 3;
/** Reads tried to find out about an echo on a noisy line. */
const MOST_SENSES = 4;

interface GuardedLineDeps {
	/** Fresh, used by this line only. */
	readonly port: FramePort;
	readonly clock: Clock;
	readonly meter: LineMeter;
	/** What units still owe; outlives the connection, since a reply may come late after the port was opened anew. */
	readonly guard: LateReplyGuard;
	/** Time that request and answer need on the wire, silences included, ms. */
	readonly exchangeMs: (exchange: ModbusExchange) => number;
	/** Time of the longest frame on the wire, ms. */
	readonly longestFrameMs: number;
}

/**
 * A line without transaction ids that never takes a late reply for another's: an unanswered request is followed by a quarantine,
 * and as long as the unit may still answer it, data counts only in a shape that nobody else is owed, made sure of by a proof read.
 */
export function createGuardedLine(deps: GuardedLineDeps): ModbusLine {
	const { port, clock, meter, exchangeMs, longestFrameMs } = deps;
	const guard = deps.guard.connect();
	const client = createModbusClient({ port, clock, meter, wireMs: exchangeMs });
	let isBusy = false;

	const holdMs = (): number => Math.max(4 * (meter.latency.percentileMs(0.99) ?? 0), longestFrameMs, LEAST_HOLD_MS);

	/** Sends a request of an unowed shape and keeps the account of what the unit owes. */
	async function guarded(request: ModbusExchange): Promise<ModbusAnswer> {
		guard.sends();
		try {
			const answer = await client.exchange(request);
			guard.proven(request.unitId);
			return answer;
		} catch (error) {
			if (!(error instanceof ModbusFault)) throw error;
			if (error.failure === 'closed') {
				// Its answer may still be on its way, and come to the connection that is made next.
				guard.owes(request);
				throw error;
			}
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

	/** Sends a request once nothing that comes late can be taken for its answer. */
	async function proven(request: ModbusExchange): Promise<ModbusAnswer> {
		if (guard.isDataAmbiguous(request)) await prove(request);
		return guarded(request);
	}

	/** A read, whatever becomes of it, mostly shows whether the adapter hears what it sends. */
	async function senseEcho(request: ModbusExchange): Promise<void> {
		const { unitId, timeoutMs } = request;
		const address = 'address' in request ? request.address : 0;
		for (let tries = 0; tries < MOST_SENSES && port.hasEcho === null; tries += 1) {
			try {
				await proven({ unitId, functionCode: 3, address, count: 1, timeoutMs });
			} catch (error) {
				if (!(error instanceof ModbusFault) || error.failure === 'closed') throw error;
			}
		}
		if (port.hasEcho === null) throw unprovenFault(request);
	}

	return {
		depth: 1,
		open: (signal, lost) =>
			client.open(signal, (reason) => {
				guard.closed();
				lost(reason);
			}),
		async close() {
			guard.closed();
			await client.close();
		},
		async transact(request) {
			if (isBusy) throw new RangeError('an exchange is under way on this line already');
			isBusy = true;
			try {
				if (port.hasEcho === null && isMirrored(request)) await senseEcho(request);
				return await proven(request);
			} finally {
				isBusy = false;
			}
		},
	};
}
