import type { EpochMs } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { GatewayId } from '../kernel/id.ts';
import { type GatewayCompleteness, type LedgerHole, holesOf, summaryOf } from './completeness.ts';
import {
	createRangeSet,
	type EpochRanges,
	joinedRanges,
	type Range,
	type RangeSet,
	withoutRanges,
} from './range-set.ts';
import type { EpochSpan } from './explain.ts';
import type { FinalReason, StreamRange } from './stream-range.ts';
import { createTimeMarks, type Span, type TimeMark, type TimeMarks } from './time-marks.ts';

/** What a ledger holds of one boot of one gateway. */
export interface LedgerEpoch {
	/** Committed here, or on the way to the disk: a second copy is a duplicate. */
	readonly seen: RangeSet;
	/** On disk here: may be acknowledged. */
	readonly committed: RangeSet;
	readonly lost: Map<FinalReason, RangeSet>;
	readonly marks: TimeMarks;
	/** Highest sequence number the gateway has named. */
	highest: number;
}

/** What has changed in a way that no stored sample tells. */
export type LedgerChange =
	| ({ readonly kind: 'lost'; readonly reason: FinalReason } & StreamRange)
	| ({ readonly kind: 'forgotten' } & StreamRange)
	| ({ readonly kind: 'mark'; readonly origin: GatewayId; readonly epoch: number } & TimeMark)
	| { readonly kind: 'boot'; readonly origin: GatewayId; readonly epoch: number };

export interface LedgerLimits {
	/** Starts of one gateway: fifty a day for a year. */
	readonly epochs: number;
	/** Pieces that the numbers of one gateway may fall into, received and lost each. */
	readonly pieces: number;
	/** Time marks of one gateway; with more, every second one is forgotten. */
	readonly marks: number;
}

/** What a gateway that means well never reaches, and one that means harm must not pass: all of it is in memory. */
const DEFAULT_LIMITS: LedgerLimits = { epochs: 20_000, pieces: 50_000, marks: 4_096 };

interface Stream {
	readonly epochs: Map<number, LedgerEpoch>;
	/** Highest epoch that the gateway has said to be its present one; 0: none yet. */
	boot: number;
	receivedPieces: number;
	lostPieces: number;
	marks: number;
	/** What was worked out of the present state; `null` since a change. */
	summary: GatewayCompleteness | null;
}

const tooMany = (origin: GatewayId, what: string): Fault =>
	new Fault('rule-violation', `the ledger of gateway ${origin} takes no more ${what}`);

const newEpoch = (): LedgerEpoch => ({
	seen: createRangeSet(),
	committed: createRangeSet(),
	lost: new Map(),
	marks: createTimeMarks(),
	highest: 0,
});

/**
 * What is held here of each gateway's each epoch, range by range; the reason a sample is stored once however often it
 * arrives, and the answer to "what is missing, and why".
 */
export function createLedger(limits: Partial<LedgerLimits> = {}) {
	const { epochs: maxEpochs, pieces: maxPieces, marks: maxMarks } = { ...DEFAULT_LIMITS, ...limits };
	const streams = new Map<GatewayId, Stream>();
	let listener: ((change: LedgerChange) => void) | null = null;

	const changed = (change: LedgerChange): void => listener?.(change);

	function streamOf(origin: GatewayId): Stream {
		let stream = streams.get(origin);
		if (stream === undefined) {
			stream = { epochs: new Map(), boot: 0, receivedPieces: 0, lostPieces: 0, marks: 0, summary: null };
			streams.set(origin, stream);
		}
		return stream;
	}

	function epochOf(origin: GatewayId, epoch: number): LedgerEpoch {
		const { epochs } = streamOf(origin);
		let known = epochs.get(epoch);
		if (known === undefined) {
			if (epochs.size >= maxEpochs) throw tooMany(origin, 'epochs');
			epochs.set(epoch, (known = newEpoch()));
		}
		return known;
	}

	/** Changes what was seen of an epoch, and counts the pieces it has fallen into. */
	function changeSeen(origin: GatewayId, { seen }: LedgerEpoch, change: (set: RangeSet) => unknown): void {
		const stream = streamOf(origin);
		const before = seen.pieces();
		change(seen);
		stream.receivedPieces += seen.pieces() - before;
		stream.summary = null;
	}

	/** Claims a range for storing; answers the parts that nobody has claimed or stored before. @throws Fault `rule-violation` beyond the limits */
	function admit({ origin, epoch, first, last }: StreamRange): readonly Range[] {
		const entry = epochOf(origin, epoch);
		const fresh = entry.seen.missing(first, last);
		if (fresh.length === 0) return fresh;
		if (streamOf(origin).receivedPieces >= maxPieces) throw tooMany(origin, 'pieces');
		changeSeen(origin, entry, (seen) => seen.add(first, last));
		return fresh;
	}

	/** The range is on disk. */
	function commit({ origin, epoch, first, last }: StreamRange): void {
		const entry = epochOf(origin, epoch);
		changeSeen(origin, entry, (seen) => seen.add(first, last));
		entry.committed.add(first, last);
		entry.highest = Math.max(entry.highest, last);
	}

	/** The range could not be stored, or not all of it; the rest may come again. */
	function withdraw({ origin, epoch, first, last }: StreamRange): void {
		const entry = epochOf(origin, epoch);
		changeSeen(origin, entry, (seen) => {
			for (const hole of entry.committed.missing(first, last)) seen.remove(hole.first, hole.last);
		});
	}

	/** The range was stored here and is no more: it is owed again. Answers how many samples of it were held. */
	function forget(range: StreamRange): number {
		const { origin, epoch, first, last } = range;
		const entry = streams.get(origin)?.epochs.get(epoch);
		if (entry === undefined) return 0;
		const held = entry.committed.remove(first, last);
		changeSeen(origin, entry, (seen) => seen.remove(first, last));
		if (held > 0) changed({ kind: 'forgotten', origin, epoch, first, last });
		return held;
	}

	/** The range may be stored once more. Until that has come, what is here counts as before. */
	function reopen({ origin, epoch, first, last }: StreamRange): void {
		const entry = streams.get(origin)?.epochs.get(epoch);
		if (entry !== undefined) changeSeen(origin, entry, (seen) => seen.remove(first, last));
	}

	/** The whole range is on disk: the gateway need not send it again. */
	const settled = ({ origin, epoch, first, last }: StreamRange): boolean =>
		epochOf(origin, epoch).committed.covers(first, last);

	/**
	 * Samples that will never arrive, with the reason. A range that was stored all the same stays stored.
	 * @throws Fault `rule-violation` for a range that is none, and beyond the limits
	 */
	function declare({ origin, epoch, first, last, reason }: StreamRange & { readonly reason: FinalReason }): void {
		if (last < first) throw new Fault('rule-violation', `${first} to ${last} is no range of samples`);
		const stream = streamOf(origin);
		const entry = epochOf(origin, epoch);
		let ranges = entry.lost.get(reason);
		if (ranges === undefined) entry.lost.set(reason, (ranges = createRangeSet()));
		// The first reason stays.
		let unexplained = entry.seen.missing(first, last);
		for (const known of [entry.committed, ...entry.lost.values()])
			unexplained = withoutRanges(unexplained, known.within(first, last));
		if (unexplained.length > 0 && stream.lostPieces >= maxPieces) throw tooMany(origin, 'pieces');
		const before = ranges.pieces();
		for (const hole of unexplained) {
			ranges.add(hole.first, hole.last);
			changed({ kind: 'lost', origin, epoch, first: hole.first, last: hole.last, reason });
		}
		stream.lostPieces += ranges.pieces() - before;
		// Numbers below those of a boot that cannot be are not owed.
		if (reason !== 'impossible-epoch') entry.highest = Math.max(entry.highest, last);
		stream.summary = null;
	}

	/** The gateway has numbers up to this one; those that are neither here nor declared lost are owed. */
	function expect(origin: GatewayId, epoch: number, last: number): void {
		const stream = streamOf(origin);
		// The oldest boots of a gateway that has had too many are not worth its connection.
		if (!stream.epochs.has(epoch) && stream.epochs.size >= maxEpochs) return;
		const entry = epochOf(origin, epoch);
		if (last <= entry.highest) return;
		entry.highest = last;
		stream.summary = null;
	}

	/** Notes when a number was read. */
	function mark(origin: GatewayId, epoch: number, { seq, at }: TimeMark): void {
		const stream = streamOf(origin);
		const { marks } = epochOf(origin, epoch);
		const before = marks.count();
		const settledMark = marks.note(seq, at);
		stream.marks += marks.count() - before;
		stream.summary = null;
		if (settledMark !== null) changed({ kind: 'mark', origin, epoch, ...settledMark });
		if (stream.marks <= maxMarks) return;
		for (const entry of stream.epochs.values()) entry.marks.thin();
		stream.marks = [...stream.epochs.values()].reduce((sum, entry) => sum + entry.marks.count(), 0);
	}

	/** The gateway says in which boot it is; answers the highest that it has said before. */
	function boot(origin: GatewayId, epoch: number): number {
		const stream = streamOf(origin);
		const before = stream.boot;
		if (epoch > before) {
			stream.boot = epoch;
			changed({ kind: 'boot', origin, epoch });
		}
		return before;
	}

	const epochsOf = (origin: GatewayId): readonly (readonly [number, LedgerEpoch])[] =>
		[...(streams.get(origin)?.epochs ?? [])].toSorted(([one], [other]) => one - other);

	const receivedFrom = (origin: GatewayId, oldestEpoch: number): readonly EpochRanges[] =>
		epochsOf(origin)
			.filter(([epoch]) => epoch >= oldestEpoch)
			.map(([epoch, { committed }]) => ({ epoch, ranges: committed.ranges() }));

	/** What is missing without a reason in the epochs before this one, oldest epoch first. */
	const owedBefore = (origin: GatewayId, beforeEpoch: number): readonly EpochRanges[] =>
		epochsOf(origin)
			.filter(([epoch]) => epoch < beforeEpoch)
			.map(([epoch, entry]) => ({
				epoch,
				ranges: holesOf(epoch, entry)
					.filter(({ reason }) => reason === 'in-transit')
					.map(({ first, last }) => ({ first, last })),
			}))
			.filter(({ ranges }) => ranges.length > 0);

	/** What a gateway has declared lost, and what was refused. */
	const lostOf = (origin: GatewayId): readonly EpochRanges[] =>
		epochsOf(origin).flatMap(([epoch, { lost }]) =>
			[...lost.values()].map((ranges) => ({ epoch, ranges: ranges.ranges() })),
		);

	/** What need not be sent any more: what is stored, and what would be refused again. */
	const settledFrom = (origin: GatewayId, oldestEpoch: number): readonly EpochRanges[] =>
		epochsOf(origin)
			.filter(([epoch]) => epoch >= oldestEpoch)
			.map(([epoch, { committed, lost }]) => ({
				epoch,
				ranges: joinedRanges([committed, ...lost.values()].map((one) => one.ranges())),
			}));

	function completeness(origin: GatewayId): GatewayCompleteness {
		const stream = streams.get(origin);
		if (stream === undefined) return summaryOf([]);
		return (stream.summary ??= summaryOf(epochsOf(origin)));
	}

	return {
		admit,
		commit,
		withdraw,
		forget,
		reopen,
		settled,
		declare,
		expect,
		mark,
		boot,
		receivedFrom,
		lostOf,
		settledFrom,
		owedBefore,
		completeness,
		/** From when to when each boot has read, as far as it is known; oldest boot first. */
		spans: (origin: GatewayId): readonly EpochSpan[] =>
			epochsOf(origin).flatMap(([epoch, { marks }]) => {
				const span = marks.span();
				return span === null ? [] : [{ epoch, ...span }];
			}),
		/** Between which instants a range was read; `null` where nobody can know. */
		around: ({ origin, epoch, first, last }: StreamRange): Span | null =>
			streams.get(origin)?.epochs.get(epoch)?.marks.around({ first, last }) ?? null,
		/** Every hole of a gateway, oldest first; not bounded as an answer would be. */
		holes: (origin: GatewayId): readonly LedgerHole[] => epochsOf(origin).flatMap((entry) => holesOf(...entry)),
		/** When samples were read at the latest; `null`: nothing is known. */
		newestAt: (origin: GatewayId): EpochMs | null => {
			let newest: EpochMs | null = null;
			for (const [, { marks }] of epochsOf(origin).slice(-2)) {
				const to = marks.span()?.to ?? null;
				if (to !== null && (newest === null || to > newest)) newest = to;
			}
			return newest;
		},
		origins: (): readonly GatewayId[] => [...streams.keys()],
		epochsOf,
		bootOf: (origin: GatewayId): number => streams.get(origin)?.boot ?? 0,
		/** One listener, which writes down what no stored sample tells; must not throw. */
		onChange(hears: (change: LedgerChange) => void): void {
			listener = hears;
		},
	};
}

export type Ledger = ReturnType<typeof createLedger>;
