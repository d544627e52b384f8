import type { ReadFunction } from '../../../../config/template/template.ts';
import {
	countOf,
	dataBytes,
	isRead,
	MAX_REGISTERS_PER_READ,
	type ModbusExchange,
	type ModbusRequest,
} from './modbus-line.ts';

/**
 * How long after its request a serial device may still answer. Line converters and radio links hold frames for seconds, never
 * for longer than this; the longest pause between two probes of a silent device lies above it.
 */
const OWED_FOR_MS = 20_000;

/**
 * Knows which serial replies may still come late. An RTU reply names its unit, function and length but not its request, so a
 * late one would pass for the answer to the next read of the same shape. The guard tells when that could happen, and which
 * harmless read brings certainty: a device answers in order, so a reply of a shape that nobody else is owed proves that every
 * earlier one has come or never will.
 */
export interface LateReplyGuard {
	/** What the next connection to the port has to know; several may be open at a time, e.g. to a converter. */
	connect(): ConnectionGuard;
}

/**
 * The guard as one connection sees it. A late answer comes to the connection that asked, in the order of that connection; once it
 * is closed, to any other. So an answer here proves nothing about what another open connection is still owed.
 */
export interface ConnectionGuard {
	/** A request is about to be sent. */
	sends(): void;
	/** The request was sent and not answered. */
	owes(request: ModbusExchange): void;
	/** The unit answered what was sent last with something that was owed to nobody else. */
	proven(unitId: number): void;
	/** The connection has ended; what it is owed may come to any other. */
	closed(): void;
	/** Whether data in the shape of this answer may belong to an earlier request. */
	isDataAmbiguous(request: ModbusExchange): boolean;
	/** Whether an exception to this function may belong to an earlier request. */
	isExceptionAmbiguous(request: ModbusExchange): boolean;
	/** A read of an unowed shape, as near to the request as can be; `null` when every shape is owed. */
	proofFor(request: ModbusExchange): ModbusRequest | null;
}

interface Connection {
	isClosed: boolean;
	/** How many answers were owed ever when the newest request was sent. */
	owedBefore: number;
}

interface Owed {
	readonly to: Connection;
	/** How many answers were owed ever, with this one. */
	readonly ordinal: number;
	readonly functionCode: number;
	readonly shape: string;
	readonly untilMs: number;
}

/** What a reply shows of its request: the length of a read; of a write the address and either the value or the count. */
function shapeOf(exchange: ModbusExchange): string {
	if (isRead(exchange)) return `${exchange.functionCode}:${dataBytes(exchange.functionCode, exchange.count)}`;
	switch (exchange.functionCode) {
		case 5:
		case 6:
			return `${exchange.functionCode}:${exchange.address}:${exchange.words[0]}`;
		case 15:
		case 16:
			return `${exchange.functionCode}:${exchange.address}:${exchange.words.length}`;
		case 22:
			return `22:${exchange.address}:${exchange.andMask}:${exchange.orMask}`;
		case 23:
			return `23:${2 * exchange.count}`;
		case 43:
			return `43:${exchange.readCode}`;
		case 17:
			return '17';
	}
}

/** Functions whose addresses are those of coils. */
const COIL_WRITES: ReadonlySet<number> = new Set([5, 15]);

/** The read of what an exchange is about; of the device as a whole its first register. */
function readOf(exchange: ModbusExchange): ModbusRequest {
	if (isRead(exchange)) return exchange;
	const { unitId, timeoutMs, functionCode } = exchange;
	return {
		unitId,
		functionCode: COIL_WRITES.has(functionCode) ? 1 : 3,
		address: 'address' in exchange ? exchange.address : 0,
		count: Math.max(1, countOf(exchange)),
		timeoutMs,
	};
}

/** The function that reads the same kind of address from the other table. */
const sibling: Readonly<Record<ReadFunction, ReadFunction>> = { 1: 2, 2: 1, 3: 4, 4: 3 };

/** Reads of other shapes, the least surprising for a device first: whole pairs of registers, inside the block. */
function* candidates({ functionCode, address, count, ...rest }: ModbusRequest): Generator<ModbusRequest> {
	const step = functionCode <= 2 ? 8 : 1;
	const shorter = (steps: number): ModbusRequest => ({ ...rest, functionCode, address, count: count - steps * step });
	if (count > 2 * step) yield shorter(2);
	yield { ...rest, functionCode: sibling[functionCode], address, count: 1 };
	for (let steps = 1; steps <= 32 && count > steps * step; steps += 1) yield shorter(steps);
	for (let steps = 1; steps <= 32 && count + steps * step <= MAX_REGISTERS_PER_READ; steps += 1) yield shorter(-steps);
	for (let more = 2; more <= 32; more += 1) {
		yield { ...rest, functionCode: sibling[functionCode], address, count: more * step };
	}
}

export function createLateReplyGuard(monotonicMs: () => number): LateReplyGuard {
	const owedBy = new Map<number, readonly Owed[]>();
	let owedEver = 0;

	function keep(unitId: number, open: readonly Owed[]): void {
		if (open.length === 0) owedBy.delete(unitId);
		else owedBy.set(unitId, open);
	}

	function owed(unitId: number): readonly Owed[] {
		const nowMs = monotonicMs();
		const open = (owedBy.get(unitId) ?? []).filter(({ untilMs }) => untilMs > nowMs);
		keep(unitId, open);
		return open;
	}

	function connect(): ConnectionGuard {
		const own: Connection = { isClosed: false, owedBefore: 0 };
		const mayComeHere = ({ to }: Owed): boolean => to === own || to.isClosed;
		const isProven = (late: Owed): boolean => mayComeHere(late) && late.ordinal <= own.owedBefore;

		const isDataAmbiguous = (exchange: ModbusExchange): boolean => {
			const shape = shapeOf(exchange);
			return owed(exchange.unitId).some((late) => late.shape === shape && mayComeHere(late));
		};

		return {
			sends() {
				own.owedBefore = owedEver;
			},
			owes(exchange) {
				const { unitId, functionCode, timeoutMs } = exchange;
				const shape = shapeOf(exchange);
				const untilMs = monotonicMs() + Math.max(OWED_FOR_MS, 2 * timeoutMs);
				const others = owed(unitId).filter((late) => late.shape !== shape || late.to !== own);
				owedEver += 1;
				keep(unitId, [...others, { to: own, ordinal: owedEver, functionCode, shape, untilMs }]);
			},
			proven(unitId) {
				if (!owedBy.has(unitId)) return;
				const unproven = owed(unitId).filter((late) => !isProven(late));
				keep(unitId, unproven);
			},
			closed() {
				own.isClosed = true;
			},
			isDataAmbiguous,
			isExceptionAmbiguous: ({ unitId, functionCode }) =>
				owed(unitId).some((late) => late.functionCode === functionCode && mayComeHere(late)),
			proofFor(request) {
				const read = readOf(request);
				if (!isRead(request) && !isDataAmbiguous(read)) return read;
				for (const candidate of candidates(read)) if (!isDataAmbiguous(candidate)) return candidate;
				return null;
			},
		};
	}

	return { connect };
}
