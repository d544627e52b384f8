import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import type { ByteLink } from './byte-link.ts';
import { isMirrored } from './echo-sense.ts';
import { createGuardedLine } from './guarded-line.ts';
import type { LateReplyGuard } from './late-reply-guard.ts';
import { ModbusFault, unprovenFault } from './modbus-fault.ts';
import type { ModbusExchange, ModbusLine } from './modbus-line.ts';
import { replyBytes } from './reply-pdu.ts';
import { requestBytes } from './request-pdu.ts';
import { createRtuPort } from './rtu-port.ts';
import { gapMs, longestFrameMs, type RtuTiming, wireMs } from './rtu-timing.ts';

/** Unit and CRC around the PDU, each way. */
const OVERHEAD_CHARS = 3;
/** Reads tried to find out about an echo on a noisy line. */
const MOST_SENSES = 3;

interface RtuLineDeps {
	/** Fresh, used by this line only. */
	readonly link: ByteLink;
	readonly timing: RtuTiming;
	readonly clock: Clock;
	readonly meter: LineMeter;
	/** What units still owe; outlives the connection, since a reply may come late after the port was opened anew. */
	readonly guard: LateReplyGuard;
}

/** Characters of an exchange, both ways; the request twice, for adapters that hear it before the answer. */
const charsOf = (exchange: ModbusExchange): number =>
	requestBytes(exchange) + replyBytes(exchange) + 2 * OVERHEAD_CHARS;

/** A Modbus RTU line, over a serial port or through a converter that carries its bytes. */
export function createRtuLine({ link, timing, clock, meter, guard }: RtuLineDeps): ModbusLine {
	const port = createRtuPort({ link, timing, clock, meter });
	const line = createGuardedLine({
		port,
		clock,
		meter,
		guard,
		exchangeMs: (exchange) => wireMs(timing, charsOf(exchange)) + 2 * gapMs(timing),
		longestFrameMs: longestFrameMs(timing),
	});

	/** A read, whatever becomes of it, mostly shows whether the adapter hears what it sends. */
	async function senseEcho(exchange: ModbusExchange): Promise<void> {
		const { unitId, timeoutMs } = exchange;
		const address = 'address' in exchange ? exchange.address : 0;
		for (let tries = 0; tries < MOST_SENSES && port.hasEcho === null; tries += 1) {
			try {
				await line.transact({ unitId, functionCode: 3, address, count: 1, timeoutMs });
			} catch (error) {
				if (!(error instanceof ModbusFault) || error.failure === 'closed') throw error;
			}
		}
		if (port.hasEcho === null) throw unprovenFault(exchange);
	}

	return {
		...line,
		async transact(exchange) {
			if (port.hasEcho === null && isMirrored(exchange)) await senseEcho(exchange);
			return line.transact(exchange);
		},
	};
}
