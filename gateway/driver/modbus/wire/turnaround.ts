import type { ModbusExchange } from './modbus-line.ts';
import { replyBytes } from './reply-pdu.ts';

/** Kinds of exchanges that are kept, at most: some for each device on a full line. */
const MOST_KINDS = 1024;
/** How fast a device is believed that became slower. */
const SHARE_OF_NEWEST = 0.1;
/** What an answer that was there before anybody looked takes off the expectation: a share, and ms. */
const OVERSLEPT_SHARE = 0.2;
const OVERSLEPT_MS = 0.5;

/**
 * How long devices take before they answer, by unit, function and length: whoever knows it can sleep until an answer is due. An
 * exception comes sooner than the data it stands for, so a kind of exchange that brought no data is forgotten.
 */
export interface Turnaround {
	/** From the end of the request to the beginning of the answer, ms; `null` when it is not known. */
	expectedMs(exchange: ModbusExchange): number | null;
	/** @param isOverslept the whole answer was there when the line was first looked at: it may have come at any time before */
	answered(exchange: ModbusExchange, turnaroundMs: number, isOverslept: boolean): void;
	failed(exchange: ModbusExchange): void;
}

const kindOf = (exchange: ModbusExchange): number =>
	(exchange.unitId << 16) | (exchange.functionCode << 8) | replyBytes(exchange);

export function createTurnaround(): Turnaround {
	const byKind = new Map<number, number>();
	return {
		expectedMs: (exchange) => byKind.get(kindOf(exchange)) ?? null,
		answered(exchange, turnaroundMs, isOverslept) {
			const kind = kindOf(exchange);
			const known = byKind.get(kind) ?? turnaroundMs;
			if (byKind.size >= MOST_KINDS) byKind.clear();
			// To wake up too early costs a little, too late it costs the line.
			const change = isOverslept
				? -(OVERSLEPT_SHARE * known + OVERSLEPT_MS)
				: SHARE_OF_NEWEST * Math.max(0, turnaroundMs - known);
			byKind.set(kind, Math.max(0, Math.min(turnaroundMs, known + change)));
		},
		failed: (exchange) => void byKind.delete(kindOf(exchange)),
	};
}
