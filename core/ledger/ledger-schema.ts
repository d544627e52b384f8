import Joi from 'joi';

import type { JournalPosition } from '../journal/journal.ts';
import { gatewayId } from '../kernel/id.ts';
import type { Ledger, LedgerChange, LedgerEpoch } from './ledger.ts';
import type { Range } from './range-set.ts';
import { FINAL_REASONS, type FinalReason } from './stream-range.ts';
import { epochMs } from '../kernel/clock.ts';

/** The first line of a snapshot. */
interface SnapshotHead {
	readonly kind: 'snapshot';
	/** Commits before this position are in the snapshot; later ones are found in the journal. */
	readonly through: JournalPosition;
	/** Changes from this log on are not in it. */
	readonly log: number;
}

/** One boot of one gateway, or what is known of the gateway as a whole. */
interface EpochRecord {
	readonly kind: 'epoch';
	readonly origin: string;
	readonly epoch: number;
	/** First and last numbers in turn. */
	readonly received: readonly number[];
	readonly lost: Readonly<Partial<Record<FinalReason, readonly number[]>>>;
	/** Numbers and instants in turn. */
	readonly marks: readonly number[];
}

/** The last line of a snapshot: without it, lines are missing. */
interface SnapshotEnd {
	readonly kind: 'end';
	readonly lines: number;
}

export type LedgerRecord = SnapshotHead | EpochRecord | SnapshotEnd | LedgerChange;

const natural = Joi.number().integer().min(0).required();
const origin = Joi.string().guid().required();
const pairs = Joi.array().items(Joi.number().integer()).required();
const inEpoch = { origin, epoch: natural };
const kind = (name: string) => Joi.valid(name).required();
const ofRange = { ...inEpoch, first: natural, last: natural };

const record = Joi.alternatives<LedgerRecord>(
	Joi.object({
		kind: kind('snapshot'),
		through: Joi.object({ segment: natural, offset: natural }).required(),
		log: natural,
	}),
	Joi.object({
		kind: kind('epoch'),
		...inEpoch,
		received: pairs,
		lost: Joi.object(Object.fromEntries(FINAL_REASONS.map((reason) => [reason, pairs.optional()]))).required(),
		marks: pairs,
	}),
	Joi.object({ kind: kind('end'), lines: natural }),
	Joi.object({ kind: kind('lost'), ...ofRange, reason: Joi.valid(...FINAL_REASONS).required() }),
	Joi.object({ kind: kind('forgotten'), ...ofRange }),
	Joi.object({ kind: kind('mark'), ...inEpoch, seq: natural, at: Joi.number().integer().required() }),
	Joi.object({ kind: kind('boot'), ...inEpoch }),
);

/** `null`: no record of a ledger. */
export function toLedgerRecord(value: unknown): LedgerRecord | null {
	const { value: checked, error } = record.validate(value, { convert: false });
	return error === undefined ? checked : null;
}

const flat = (ranges: readonly Range[]): readonly number[] => ranges.flatMap(({ first, last }) => [first, last]);

export const epochRecord = (
	of: string,
	epoch: number,
	{ committed, lost, marks }: Pick<LedgerEpoch, 'committed' | 'lost' | 'marks'>,
): EpochRecord => ({
	kind: 'epoch',
	origin: of,
	epoch,
	received: flat(committed.ranges()),
	lost: Object.fromEntries([...lost].map(([reason, ranges]) => [reason, flat(ranges.ranges())])),
	marks: marks.marks().flatMap(({ seq, at }) => [seq, at]),
});

function* pairsOf(list: readonly number[]): Generator<readonly [number, number]> {
	for (let index = 0; index + 1 < list.length; index += 2) yield [list[index] ?? 0, list[index + 1] ?? 0];
}

function applyEpoch(ledger: Ledger, { origin: of, epoch, received, lost, marks }: EpochRecord): void {
	const stream = { origin: gatewayId(of), epoch };
	for (const [first, last] of pairsOf(received)) ledger.commit({ ...stream, first, last });
	for (const reason of FINAL_REASONS)
		for (const [first, last] of pairsOf(lost[reason] ?? [])) ledger.declare({ ...stream, first, last, reason });
	for (const [seq, at] of pairsOf(marks)) ledger.mark(stream.origin, epoch, { seq, at: epochMs(at) });
}

/** Brings a record into a ledger. @throws Fault `rule-violation` where the ledger takes no more */
export function applyRecord(ledger: Ledger, entry: LedgerRecord): void {
	switch (entry.kind) {
		case 'epoch':
			return applyEpoch(ledger, entry);
		case 'lost':
			return ledger.declare(entry);
		case 'forgotten':
			return void ledger.forget(entry);
		case 'mark':
			return ledger.mark(entry.origin, entry.epoch, { seq: entry.seq, at: epochMs(entry.at) });
		case 'boot':
			return void ledger.boot(entry.origin, entry.epoch);
		case 'snapshot':
		case 'end':
	}
}
