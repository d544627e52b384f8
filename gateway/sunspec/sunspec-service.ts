import type { Line } from '../../config/connection/connection.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { ModbusFault } from '../driver/modbus/wire/modbus-fault.ts';
import type { ModbusAnswer, ModbusExchange } from '../driver/modbus/wire/modbus-line.ts';
import { discoverSunspec, identityOf, type SunspecIdentity, type SunspecRead } from './sunspec-discovery.ts';
import type { SunspecModels } from './sunspec-model-store.ts';
import { type SunspecTemplate, sunspecTemplate } from './sunspec-template.ts';

/** A unit that may be a SunSpec device. */
export interface SunspecRequest {
	readonly line: Line;
	readonly unitId: number;
	readonly timeoutMs: number;
}

/** What a device says of itself, and the template made from it. */
export interface SunspecDescription {
	readonly identity: SunspecIdentity;
	readonly template: SunspecTemplate;
}

/** A line for a few requests, beside whoever polls it. */
interface BorrowedLine {
	request(exchange: ModbusExchange, signal?: AbortSignal): Promise<ModbusAnswer>;
	release(): Promise<void>;
}

export interface SunspecServiceDeps {
	readonly lines: { share(line: Line, priority: 'test'): Promise<BorrowedLine> };
	readonly models: SunspecModels;
}

export interface SunspecService {
	/**
	 * Asks a device for its models and makes a template of them. Nothing is stored.
	 * @param signal ends it: what is on the wire runs to its end, nothing else is asked
	 * @throws Fault `not-found` when it is no SunSpec device; ModbusFault when it says nothing at all; Fault of the line or by the signal
	 */
	describe(request: SunspecRequest, signal?: AbortSignal): Promise<SunspecDescription>;
}

/**
 * Reads without an answer before a unit counts as gone. Who answers no long reads costs some until they are short enough; each keeps the
 * line from those who are polled.
 */
const MAX_SILENCES = 40;

/** Reads of one unit. What a device refuses or leaves unanswered is `null`; a device that never said anything is told apart. */
function createUnitRead(line: BorrowedLine, { unitId, timeoutMs }: SunspecRequest, signal?: AbortSignal) {
	let hasAnswered = false;
	let silence: ModbusFault | null = null;
	let silences = 0;
	const read: SunspecRead = async (address, count) => {
		try {
			const { data } = await line.request({ unitId, functionCode: 3, address, count, timeoutMs }, signal);
			hasAnswered = true;
			return data;
		} catch (fault) {
			if (!(fault instanceof ModbusFault) || fault.failure === 'closed') throw fault;
			if (fault.exceptionCode !== null) {
				hasAnswered = true;
				return null;
			}
			silence = fault;
			silences += 1;
			if (silences >= MAX_SILENCES) throw fault;
			return null;
		}
	};
	return { read, silence: () => (hasAnswered ? null : silence) };
}

/** SunSpec devices, asked when somebody wants to know. */
export function createSunspecService({ lines, models }: SunspecServiceDeps): SunspecService {
	return {
		async describe(request, signal) {
			const line = await lines.share(request.line, 'test');
			try {
				const { read, silence } = createUnitRead(line, request, signal);
				const chain = await discoverSunspec(read);
				const mute = silence();
				if (mute !== null) throw mute;
				if (chain === null)
					throw new Fault('not-found', `unit ${request.unitId} has no SunSpec models at 40000, 0 or 50000`);
				const definitions = await models.of(chain.places.map(({ id }) => id));
				return { identity: identityOf(chain), template: sunspecTemplate(chain, definitions) };
			} finally {
				await line.release();
			}
		},
	};
}
