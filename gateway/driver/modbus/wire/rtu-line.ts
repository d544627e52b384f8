import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import { type Bystanders, createBystanders } from './bystanders.ts';
import type { ByteLink } from './byte-link.ts';
import { createGuardedLine } from './guarded-line.ts';
import type { LateReplyGuard } from './late-reply-guard.ts';
import type { ModbusExchange, ModbusLine } from './modbus-line.ts';
import { replyBytes } from './reply-pdu.ts';
import { requestBytes } from './request-pdu.ts';
import { createRtuPort } from './rtu-port.ts';
import { gapMs, longestFrameMs, type RtuTiming, wireMs } from './rtu-timing.ts';

/** Unit and CRC around the PDU, each way. */
const OVERHEAD_CHARS = 3;

interface RtuLineDeps {
	/** Fresh, used by this line only. */
	readonly link: ByteLink;
	readonly timing: RtuTiming;
	readonly clock: Clock;
	readonly meter: LineMeter;
	/** What units still owe; outlives the connection, since a reply may come late after the port was opened anew. */
	readonly guard: LateReplyGuard;
	/** What others say on the line; outlives the connection as well. Absent: nothing was heard before. */
	readonly bystanders?: Bystanders;
}

/** Characters of an exchange, both ways. */
const charsOf = (exchange: ModbusExchange): number =>
	requestBytes(exchange) + replyBytes(exchange) + 2 * OVERHEAD_CHARS;

/** A Modbus RTU line, over a serial port or through a converter that carries its bytes. */
export const createRtuLine = ({ link, timing, clock, meter, guard, bystanders }: RtuLineDeps): ModbusLine =>
	createGuardedLine({
		port: createRtuPort({
			link,
			timing,
			clock,
			meter,
			bystanders: bystanders ?? createBystanders(clock, meter.counters),
		}),
		clock,
		meter,
		guard,
		exchangeMs: (exchange) => wireMs(timing, charsOf(exchange)) + 2 * gapMs(timing),
		longestFrameMs: longestFrameMs(timing),
	});
