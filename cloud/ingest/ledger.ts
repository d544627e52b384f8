import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { countOf, createRangeSet, type Range, type RangeSet } from '../../core/ledger/range-set.ts';
import type { DeclaredLoss, LossReason, StreamRange } from '../../core/ledger/stream-range.ts';
import type { EpochRanges } from '../../core/link/link-messages.ts';

/** A hole and why it is there. `in-transit`: not declared lost, so the gateway still owes it. */
export interface LedgerHole extends Range {
	readonly epoch: number;
	readonly reason: LossReason | 'refused' | 'in-transit';
}

export interface GatewayCompleteness {
	readonly receivedSamples: number;
	/** Below the highest number known and neither received nor declared lost. */
	readonly missingSamples: number;
	readonly declaredLostSamples: number;
	readonly received: readonly EpochRanges[];
	readonly holes: readonly LedgerHole[];
}

/** Durable form of the ledger. */
export interface LedgerSnapshot {
	readonly gateways: readonly {
		readonly origin: GatewayId;
		readonly received: readonly EpochRanges[];
		readonly lost: readonly {
			readonly epoch: number;
			readonly reason: LossReason | 'refused';
			readonly ranges: readonly Range[];
		}[];
	}[];
}

interface Epoch {
	/** Committed here, or on the way to the disk: a second copy is a duplicate. */
	readonly seen: RangeSet;
	/** On disk here: may be acknowledged. */
	readonly committed: RangeSet;
	readonly lost: Map<LossReason | 'refused', RangeSet>;
	/** Highest sequence number the gateway has named. */
	highest: number;
}

/** Most holes named in one answer. */
const MAX_HOLES = 1_000;

export interface LedgerLimits {
	/** Starts of one gateway: fifty a day for a year. */
	readonly epochs: number;
	/** Pieces that the numbers of one epoch may fall into: received, or lost for one reason. */
	readonly pieces: number;
}

/** What a gateway that means well never reaches, and one that means harm must not pass: all of it is in memory, and written as a whole. */
const DEFAULT_LIMITS: LedgerLimits = { epochs: 20_000, pieces: 50_000 };

const tooMany = (origin: GatewayId, what: string): Fault =>
	new Fault('rule-violation', `the ledger of gateway ${origin} takes no more ${what}`);

/**
 * What the hub holds of each gateway's each epoch, range by range; the reason a sample is stored once however often it
 * arrives, and the answer to "what is missing, and why".
 */
export function createLedger({ epochs: maxEpochs, pieces: maxPieces } = DEFAULT_LIMITS) {
	const gateways = new Map<GatewayId, Map<number, Epoch>>();

	function epochOf(origin: GatewayId, epoch: number): Epoch {
		let epochs = gateways.get(origin);
		if (epochs === undefined) gateways.set(origin, (epochs = new Map<number, Epoch>()));
		let known = epochs.get(epoch);
		if (known === undefined) {
			if (epochs.size >= maxEpochs) throw tooMany(origin, 'epochs');
			known = { seen: createRangeSet(), committed: createRangeSet(), lost: new Map(), highest: 0 };
			epochs.set(epoch, known);
		}
		return known;
	}

	/** Claims a range for storing; answers the parts that nobody has claimed or stored before. @throws Fault `rule-violation` beyond the limits */
	function admit({ origin, epoch, first, last }: StreamRange): readonly Range[] {
		const { seen } = epochOf(origin, epoch);
		const fresh = seen.missing(first, last);
		if (fresh.length > 0 && seen.pieces() >= maxPieces) throw tooMany(origin, 'pieces');
		seen.add(first, last);
		return fresh;
	}

	/** The range is on disk. */
	function commit({ origin, epoch, first, last }: StreamRange): void {
		const entry = epochOf(origin, epoch);
		entry.seen.add(first, last);
		entry.committed.add(first, last);
		entry.highest = Math.max(entry.highest, last);
	}

	/** The range could not be stored, or not all of it; the rest may come again. */
	function withdraw({ origin, epoch, first, last }: StreamRange): void {
		const { seen, committed } = epochOf(origin, epoch);
		for (const hole of committed.missing(first, last)) seen.remove(hole.first, hole.last);
	}

	/** The whole range is on disk: the gateway need not send it again. */
	const settled = ({ origin, epoch, first, last }: StreamRange): boolean =>
		epochOf(origin, epoch).committed.covers(first, last);

	/**
	 * Samples that will never arrive, with the reason. A range that was stored all the same stays stored.
	 * @throws Fault `rule-violation` for a range that is none, and beyond the limits
	 */
	function declare({
		origin,
		epoch,
		first,
		last,
		reason,
	}: Omit<DeclaredLoss, 'reason'> & { readonly reason: LossReason | 'refused' }): void {
		if (last < first) throw new Fault('rule-violation', `${first} to ${last} is no range of samples`);
		const entry = epochOf(origin, epoch);
		let ranges = entry.lost.get(reason);
		if (ranges === undefined) entry.lost.set(reason, (ranges = createRangeSet()));
		// The first reason stays.
		let unexplained = entry.seen.missing(first, last);
		for (const known of entry.lost.values())
			unexplained = unexplained.flatMap((hole) => known.missing(hole.first, hole.last));
		if (unexplained.length > 0 && ranges.pieces() >= maxPieces) throw tooMany(origin, 'pieces');
		for (const hole of unexplained) ranges.add(hole.first, hole.last);
		entry.highest = Math.max(entry.highest, last);
	}

	function holesOf(epoch: number, entry: Epoch): readonly LedgerHole[] {
		if (entry.highest === 0) return [];
		const owed = createRangeSet(entry.committed.missing(1, entry.highest));
		const holes: LedgerHole[] = [];
		for (const [reason, ranges] of entry.lost) {
			for (const { first, last } of ranges.ranges()) {
				// Not what was received all the same, nor what another reason has explained.
				for (const part of owed.within(first, last)) holes.push({ epoch, first: part.first, last: part.last, reason });
				owed.remove(first, last);
			}
		}
		for (const { first, last } of owed.ranges()) holes.push({ epoch, first, last, reason: 'in-transit' });
		return holes.toSorted((one, other) => one.first - other.first);
	}

	function receivedFrom(origin: GatewayId, oldestEpoch: number): readonly EpochRanges[] {
		return [...(gateways.get(origin) ?? [])]
			.filter(([epoch]) => epoch >= oldestEpoch)
			.toSorted(([one], [other]) => one - other)
			.map(([epoch, { committed }]) => ({ epoch, ranges: committed.ranges() }));
	}

	/** What a gateway has declared lost. */
	const lostOf = (origin: GatewayId): readonly EpochRanges[] =>
		[...(gateways.get(origin) ?? [])].flatMap(([epoch, { lost }]) =>
			[...lost.values()].map((ranges) => ({ epoch, ranges: ranges.ranges() })),
		);

	/** What is missing without a reason in the epochs before this one, oldest epoch first. */
	function owedBefore(origin: GatewayId, beforeEpoch: number): readonly EpochRanges[] {
		return [...(gateways.get(origin) ?? [])]
			.filter(([epoch]) => epoch < beforeEpoch)
			.toSorted(([one], [other]) => one - other)
			.map(([epoch, entry]) => ({
				epoch,
				ranges: holesOf(epoch, entry)
					.filter(({ reason }) => reason === 'in-transit')
					.map(({ first, last }) => ({ first, last })),
			}))
			.filter(({ ranges }) => ranges.length > 0);
	}

	function completeness(origin: GatewayId): GatewayCompleteness {
		const holes = [...(gateways.get(origin) ?? [])].flatMap(([epoch, entry]) => holesOf(epoch, entry));
		const received = receivedFrom(origin, 0);
		return {
			receivedSamples: countOf(received.flatMap(({ ranges }) => ranges)),
			missingSamples: countOf(holes.filter(({ reason }) => reason === 'in-transit')),
			declaredLostSamples: countOf(holes.filter(({ reason }) => reason !== 'in-transit')),
			received,
			holes: holes.slice(0, MAX_HOLES),
		};
	}

	function snapshot(): LedgerSnapshot {
		return {
			gateways: [...gateways].map(([origin, epochs]) => ({
				origin,
				received: receivedFrom(origin, 0),
				lost: [...epochs].flatMap(([epoch, { lost }]) =>
					[...lost].map(([reason, ranges]) => ({ epoch, reason, ranges: ranges.ranges() })),
				),
			})),
		};
	}

	function restore(saved: LedgerSnapshot): void {
		for (const { origin, received, lost } of saved.gateways) {
			for (const { epoch, ranges } of received)
				for (const { first, last } of ranges) commit({ origin, epoch, first, last });
			for (const { epoch, reason, ranges } of lost) {
				for (const { first, last } of ranges) declare({ origin, epoch, reason, first, last });
			}
		}
	}

	return {
		admit,
		commit,
		withdraw,
		settled,
		declare,
		receivedFrom,
		lostOf,
		owedBefore,
		completeness,
		snapshot,
		restore,
	};
}

export type Ledger = ReturnType<typeof createLedger>;
