import { Fault, type FaultReason } from '../../../../core/kernel/fault.ts';
import { countOf, type ModbusExchange } from './modbus-line.ts';

/**
 * What became of a request that brought no data: `exception` = the device refused it, `timeout` = nothing came,
 * `corrupt` = an answer came that was damaged or did not fit, `unproven` = what came could be the late answer to an
 * earlier request, `closed` = the line went away.
 */
export type ModbusFailure = 'exception' | 'timeout' | 'corrupt' | 'unproven' | 'closed';

export class ModbusFault extends Fault {
	readonly failure: ModbusFailure;
	/** Modbus exception code; `null` unless `failure` is `exception`. */
	readonly exceptionCode: number | null;
	/** Of a `timeout`: bytes that make no frame and came in the place of the answer. */
	readonly noiseBytes: number;

	constructor(
		failure: ModbusFailure,
		reason: FaultReason,
		message: string,
		{ exceptionCode = null, noiseBytes = 0 }: { exceptionCode?: number | null; noiseBytes?: number } = {},
	) {
		super(reason, message);
		this.failure = failure;
		this.exceptionCode = exceptionCode;
		this.noiseBytes = noiseBytes;
	}
}

/** Application Protocol V1.1b3, section 7. Code 9 is not assigned; codes that are not listed are the device's own. */
const exceptions: Readonly<Record<number, readonly [text: string, reason: FaultReason]>> = {
	1: ['illegal function: the device does not know this function', 'rule-violation'],
	2: ['illegal data address: the device has no such register', 'rule-violation'],
	3: ['illegal data value: the device does not allow this count or value', 'rule-violation'],
	4: ['server device failure: the device reports an internal error', 'unreachable'],
	5: ['acknowledge: the device needs more time', 'unavailable'],
	6: ['server device busy: the device is working on something else', 'unavailable'],
	7: ['negative acknowledge: the device cannot do this', 'rule-violation'],
	8: ['memory parity error: the memory of the device is damaged', 'unreachable'],
	9: ['unassigned exception 9', 'unreachable'],
	10: ['gateway path unavailable: the Modbus gateway is not set up for this unit', 'unreachable'],
	11: ['gateway target failed to respond: the Modbus gateway gets no answer from the unit', 'unreachable'],
};

/** Codes by which a device says that it does not have what was asked for; asking again changes nothing. */
const REFUSALS: ReadonlySet<number> = new Set([1, 2, 3]);

export const exceptionText = (exceptionCode: number): string =>
	exceptions[exceptionCode]?.[0] ?? `exception ${exceptionCode} of the device's own`;

/** e.g. `function 3 at address 52, count 2`, or `function 43` of what has no address. */
function what(request: ModbusExchange): string {
	const name = `function ${request.functionCode}`;
	return 'address' in request ? `${name} at address ${request.address}, count ${countOf(request)}` : name;
}

export const exceptionFault = (request: ModbusExchange, exceptionCode: number): ModbusFault =>
	new ModbusFault(
		'exception',
		exceptions[exceptionCode]?.[1] ?? 'unreachable',
		`unit ${request.unitId} refused ${what(request)}: ${exceptionText(exceptionCode)}`,
		{ exceptionCode },
	);

export const timeoutFault = (request: ModbusExchange, noiseBytes = 0): ModbusFault =>
	new ModbusFault('timeout', 'timeout', `no answer from unit ${request.unitId} to ${what(request)}`, { noiseBytes });

export const corruptFault = (request: ModbusExchange, why: string): ModbusFault =>
	new ModbusFault('corrupt', 'unreachable', `unit ${request.unitId} answered ${what(request)} with ${why}`);

export const unprovenFault = (request: ModbusExchange): ModbusFault =>
	new ModbusFault(
		'unproven',
		'timeout',
		`unit ${request.unitId} owes earlier answers; what comes now cannot be told from them`,
	);

export const closedFault = (reason: string): ModbusFault => new ModbusFault('closed', 'unavailable', reason);

export const isRefusal = (fault: unknown): fault is ModbusFault =>
	fault instanceof ModbusFault && fault.exceptionCode !== null && REFUSALS.has(fault.exceptionCode);
