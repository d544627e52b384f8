import type { GatewayId } from '../kernel/id.ts';
import type { Reading } from '../telemetry/reading.ts';
import { type ClockState, SLEW_MS } from './clock-state.ts';
import { type Era, eraOf, OPEN_END, pruneEras, resolveEras, settledBy } from './era.ts';
import type { SettleInstant, SettleTime } from './settle.ts';

/** What this process stamps, and how far it has come. */
export interface Stamping {
	readonly epoch: number;
	/** The last number handed out in this epoch. */
	readonly lastSeq: () => number;
	/** The oldest epoch that the journal still holds. */
	readonly oldestEpoch: () => number;
	/** True while there is a hub that has to hear of the eras before they are forgotten. */
	readonly hasHub: () => boolean;
}

const keyOf = ({ epoch, firstSeq, fromMs }: Era): string => `${epoch} ${firstSeq} ${fromMs}`;

const isConfirmation = ({ quality }: ClockState): boolean => quality === 'ntp' || quality === 'hub';

export interface EraBookDeps {
	readonly bootId: string;
	readonly lineMs: () => number;
	/** Who stamps here; `null` while this process does not know. */
	readonly origin: () => GatewayId | null;
	/** As they were found on disk, none of them lasting. */
	readonly found: readonly Era[];
}

/** The eras of this box: what is known now, and what of it is on disk and may be acted upon. */
export function createEraBook({ bootId, lineMs, origin, found }: EraBookDeps) {
	let eras = found;
	let stamping: Stamping | null = null;
	/** As they are on disk. */
	let durable = new Map(found.map((era) => [keyOf(era), era]));
	/** Asked for each reading, and the same until an era changes or is written. */
	let safe = new Map<Era, boolean>();
	let told = new Set<Era>();

	function use(next: readonly Era[]): void {
		eras = next;
		safe = new Map();
	}

	const current = (): Era | undefined =>
		stamping === null ? undefined : eras.findLast(({ epoch }) => epoch === stamping?.epoch);

	const replace = (before: Era, after: Era): void => {
		use(eras.map((era) => (era === before ? after : era)));
	};

	/** From now on no more numbers go to readings of the era before. Answers whether that is new. */
	function closeOpening(): boolean {
		const era = current();
		if (era === undefined || era.sharedThroughSeq !== OPEN_END || stamping === null) return false;
		replace(era, { ...era, sharedThroughSeq: stamping.lastSeq(), sharedUntilMs: lineMs() });
		return true;
	}

	function start(state: ClockState, isFirst: boolean): void {
		if (stamping === null) return;
		closeOpening();
		const { epoch, lastSeq } = stamping;
		const firstSeq = isFirst ? 1 : lastSeq() + 1;
		const fromMs = lineMs();
		const before = current();
		if (before !== undefined) replace(before, { ...before, untilMs: fromMs });
		const isShared = before !== undefined;
		const era: Era = {
			epoch,
			firstSeq,
			sharedThroughSeq: isShared ? OPEN_END : 0,
			sharedUntilMs: isShared ? OPEN_END : fromMs,
			bootId,
			quality: state.quality,
			isEstimated: state.isKnown && state.quality === 'unset',
			offsetMs: state.offsetMs,
			deltaMs: state.isKnown ? 0 : null,
			fromMs,
			untilMs: null,
		};
		use([...eras, era]);
	}

	function resolve(state: ClockState): void {
		const { offsetMs, quality, isKnown } = state;
		use(resolveEras(eras, { bootId, quality, offsetMs: isKnown ? offsetMs : null }, SLEW_MS));
	}

	/** The clock is as before, and somebody who knows says so: that is true of the whole era. */
	function confirm(state: ClockState): void {
		const era = current();
		if (era !== undefined) replace(era, { ...era, quality: state.quality, isEstimated: state.quality === 'unset' });
	}

	/** The clock has changed. Answers whether the eras have. */
	function changed(before: ClockState, state: ClockState): boolean {
		const hasStepped = Math.abs(state.offsetMs - before.offsetMs) > SLEW_MS;
		const isNew = hasStepped || (before.isKnown && before.quality !== state.quality && !isConfirmation(state));
		const isOther = before.isKnown !== state.isKnown || before.quality !== state.quality;
		if (!isNew && !isOther) return false;
		if (!before.isKnown) resolve(state);
		else if (!isNew) confirm(state);
		if (isNew) start(state, false);
		return true;
	}

	/** HOT: whether readings of an era may be acted upon. */
	function isSafe(era: Era): boolean {
		let is = safe.get(era);
		if (is === undefined) safe.set(era, (is = losesNothing(era)));
		return is;
	}

	/** Acting on an era that the disk does not have would be wrong when the power fails, unless its loss would change nothing. */
	function losesNothing(era: Era): boolean {
		const saved = durable.get(keyOf(era));
		if (saved !== undefined && saved.deltaMs !== era.deltaMs) return false;
		const before = eras.slice(0, eras.indexOf(era)).findLast(({ epoch }) => epoch === era.epoch);
		if (era.deltaMs === 0 && (before === undefined || (before.deltaMs === 0 && isSafe(before)))) return true;
		// While it shares numbers with an era that is moved, nobody can tell to which of the two a reading belongs.
		return era.sharedThroughSeq !== OPEN_END && saved?.sharedThroughSeq === era.sharedThroughSeq;
	}

	function settleOwn<R extends Pick<Reading, 'epoch' | 'firstSeq' | 'readAt'>>(reading: R): R | null {
		const era = eraOf(eras, reading, lineMs);
		if (era === null) return reading;
		return isSafe(era) ? settledBy(era, reading, lineMs) : null;
	}

	const settle: SettleTime = (reading: Reading) => (reading.origin === origin() ? settleOwn(reading) : reading);

	const settleInstant: SettleInstant = ({ epoch, seq, at }) =>
		settleOwn({ epoch, firstSeq: seq, readAt: at })?.readAt ?? null;

	return {
		settle,
		settleInstant,
		resolve,
		changed,
		closeOpening,
		/** From now on this process stamps. */
		begin(who: Stamping, state: ClockState): void {
			stamping = who;
			start(state, true);
		},
		eras: (): readonly Era[] => eras,
		/** What has to be on disk. */
		toWrite(): readonly Era[] {
			const oldest = stamping?.oldestEpoch() ?? 0;
			const hasHub = stamping?.hasHub() ?? true;
			use(
				pruneEras(
					eras,
					(era) => era.bootId === bootId || era.epoch >= oldest || (hasHub && !told.has(era)) || era === current(),
				),
			);
			return eras;
		},
		written(list: readonly Era[]): void {
			durable = new Map(list.map((era) => [keyOf(era), era]));
			safe = new Map();
		},
		/** What the hub has not heard since it was last asked everything. */
		untold: (): readonly Era[] =>
			eras.filter((era) => !told.has(era) && era.sharedThroughSeq !== OPEN_END && isSafe(era)),
		told(list: readonly Era[]): void {
			for (const era of list) told.add(era);
			told = new Set(eras.filter((era) => told.has(era)));
		},
		/** Another hub, or one that was restored, knows none. */
		forgetTold: (): void => told.clear(),
	};
}
