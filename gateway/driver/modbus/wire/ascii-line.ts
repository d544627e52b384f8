import type { Clock } from '../../../../core/kernel/clock.ts';
import type { LineMeter } from '../../line-meter.ts';
import { ASCII_OVERHEAD_CHARS, MOST_ASCII_CHARS } from './ascii-frame.ts';
import { createAsciiPort } from './ascii-port.ts';
import type { ByteLink } from './byte-link.ts';
import { createGuardedLine } from './guarded-line.ts';
import type { LateReplyGuard } from './late-reply-guard.ts';
import type { ModbusExchange, ModbusLine } from './modbus-line.ts';
import { replyBytes } from './reply-pdu.ts';
import { requestBytes } from './request-pdu.ts';
import { type RtuTiming, wireMs } from './rtu-timing.ts';

interface AsciiLineDeps {
	/** Fresh, used by this line only. */
	readonly link: ByteLink;
	readonly timing: RtuTiming;
	readonly clock: Clock;
	readonly meter: LineMeter;
	/** What units still owe; outlives the connection, since a reply may come late after the port was opened anew. */
	readonly guard: LateReplyGuard;
}

/** Characters of an exchange, both ways: two for each byte of unit and PDU. */
const charsOf = (exchange: ModbusExchange): number =>
	2 * (requestBytes(exchange) + replyBytes(exchange) + 2) + 2 * ASCII_OVERHEAD_CHARS;

/** A Modbus ASCII line, over a serial port or through a converter that carries its characters. */
export const createAsciiLine = ({ link, timing, clock, meter, guard }: AsciiLineDeps): ModbusLine =>
	createGuardedLine({
		port: createAsciiPort({ link, clock, meter }),
		clock,
		meter,
		guard,
		exchangeMs: (exchange) => wireMs(timing, charsOf(exchange)),
		longestFrameMs: wireMs(timing, MOST_ASCII_CHARS),
	});
