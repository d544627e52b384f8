import type { GatewayId } from '../../core/kernel/id.ts';
import { createRangeSet, type EpochRanges, type RangeSet } from '../../core/ledger/range-set.ts';
import type { StreamRange } from '../../core/ledger/stream-range.ts';
import type { Ack } from '../../core/link/link-messages.ts';

/** Acknowledgements gather for so long and leave as one message. */
const GATHER_MS = 20;

interface Waiting {
	readonly received: Map<number, RangeSet>;
	readonly losses: Map<number, RangeSet>;
	readonly timer: NodeJS.Timeout;
}

const told = (map: ReadonlyMap<number, RangeSet>): readonly EpochRanges[] =>
	[...map].map(([epoch, ranges]) => ({ epoch, ranges: ranges.ranges() }));

/** Collects what became durable and tells each gateway in one message. Forgetting is harmless: the next welcome says it all. */
export function createAcknowledger(send: (gateway: GatewayId, ack: Ack) => void) {
	const waiting = new Map<GatewayId, Waiting>();

	function flush(gateway: GatewayId): void {
		const entry = waiting.get(gateway);
		if (entry === undefined) return;
		waiting.delete(gateway);
		send(gateway, { received: told(entry.received), losses: told(entry.losses) });
	}

	function add(which: 'received' | 'losses', { origin, epoch, first, last }: StreamRange): void {
		let entry = waiting.get(origin);
		if (entry === undefined) {
			entry = { received: new Map(), losses: new Map(), timer: setTimeout(() => flush(origin), GATHER_MS) };
			waiting.set(origin, entry);
		}
		let ranges = entry[which].get(epoch);
		if (ranges === undefined) entry[which].set(epoch, (ranges = createRangeSet()));
		ranges.add(first, last);
	}

	return {
		received: (range: StreamRange) => add('received', range),
		lossNoted: (range: StreamRange) => add('losses', range),
		async stop(): Promise<void> {
			for (const { timer } of waiting.values()) clearTimeout(timer);
			waiting.clear();
		},
	};
}
