import type { SetTimer } from '../journal/set-timer.ts';
import { type Clock, type EpochMs, epochMs } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { GatewayId } from '../kernel/id.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { ClockQuality } from './clock-quality.ts';
import { type ClockState, firstState, heed, isInDoubt, isTrusted, type Observation, observe } from './clock-state.ts';
import { whyNotInOrder } from './clock-reason.ts';
import { createEraBook, type Stamping } from './era-book.ts';
import { type Era, endedEra } from './era.ts';
import type { SettleInstant, SettleTime } from './settle.ts';
import type { SystemTime } from './system-time.ts';
import type { TimeBase, TimeBaseStore } from './time-base-store.ts';

/** How often the machine's clock is looked at. */
export const TICK_MS = 1_000;
/** How often it is written down that the box lives: seldom, because of the card; more often while readings wait for their time. */
const SAVE_MS = 10 * 60_000;
const SAVE_WAITING_MS = 60_000;
/** A boot that ended without the time has lived at most so much longer than was written down. */
const TAIL_MS = SAVE_WAITING_MS + 10 * TICK_MS;
const RETRY_SAVE_MS = 10_000;
/** Two looks at a clock that lie further apart were not one look: the process was stopped in between. */
const ONE_LOOK_MS = 50;
const LOOKS = 3;

/** What the hub has said, held against the clock here. */
export interface HubGap {
	/** The hub's clock minus the product's here. */
	readonly gapMs: number;
	readonly errorMs: number;
	readonly at: EpochMs;
}

/** The clock of a box as people and programs may see it. */
export interface ClockStatus {
	readonly now: EpochMs;
	readonly quality: ClockQuality;
	/** False: readings wait for their time. */
	readonly isKnown: boolean;
	/** True when things may be removed because they are old. */
	readonly isTrusted: boolean;
	/** The machine's clock minus the product's. */
	readonly systemOffsetMs: number;
	readonly isSynchronized: boolean | null;
	readonly hub: HubGap | null;
	/** Jumps of the machine's clock since this boot was first seen. */
	readonly jumps: number;
	readonly lastJump: { readonly at: EpochMs; readonly byMs: number } | null;
	/** Why the clock is not in order, for a person; `null` when it is. */
	readonly reason: string | null;
	readonly bootId: string;
	readonly eras: readonly Era[];
}

export interface TimeKeeper extends Stoppable {
	/** The clock of the product: it runs on the monotonic line, and is set only to a time that is believed. */
	readonly clock: Clock;
	readonly settle: SettleTime;
	readonly settleInstant: SettleInstant;
	/** The guard of everything that removes by age: the time, or `null` while nothing may be removed. */
	readonly trustedNow: () => EpochMs | null;
	/** Who stamps here: only their readings are moved. To be told before anything is settled. */
	identify(origin: GatewayId): void;
	/** This process stamps from now on; resolves when its first era is on disk, or could not be written. */
	begin(who: Stamping): Promise<void>;
	/** The hub's time, and most it can be wrong by, as it was when the monotonic clock said `monotonicMs`. */
	hubSays(word: { readonly at: number; readonly errorMs: number; readonly monotonicMs: number }): void;
	/** Called when more readings have their time, and when the hub should be asked for it. */
	listen(changed: () => void): void;
	/** Eras that the hub has not heard of. */
	untold(): readonly Era[];
	told(eras: readonly Era[]): void;
	forgetTold(): void;
	readonly status: () => ClockStatus;
	/** Resolves when everything known by now was written, or could not be. */
	saved(): Promise<void>;
}

export interface TimeKeeperDeps {
	/** The machine's clock: the only place where its wall time is read. */
	readonly wall: Clock;
	readonly system: SystemTime;
	readonly store: TimeBaseStore;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/** No era lasts in a process that has ended. */
const endedEras = ({ eras, last }: TimeBase): readonly Era[] =>
	eras.map((era) => endedEra(era, (bootId) => (last?.bootId === bootId ? last.lineMs + TAIL_MS : null)));

/** Watches the machine's clock and keeps the product's, and with it under which clock everything was stamped. */
export async function openTimeKeeper({ wall, system, store, setTimer, log }: TimeKeeperDeps): Promise<TimeKeeper> {
	const { bootId, originMs } = system.boot;
	const lineMs = (): number => originMs + wall.monotonicMs();
	const base = await store.read();
	let origin: GatewayId | null = null;
	const book = createEraBook({ bootId, lineMs, origin: () => origin, found: endedEras(base) });
	const listeners: (() => void)[] = [];
	let state = start();
	let hub: HubGap | null = null;
	let lastJump: ClockStatus['lastJump'] = null;
	let isDirty = false;
	let saveAtMs = lineMs();
	let saving: Promise<void> = Promise.resolve();
	let isSaving = false;
	let hasFailed = false;
	let isStopped = false;

	function look(): Observation {
		let startMs = lineMs();
		let wallMs = wall.now();
		for (let tries = 1; tries < LOOKS && lineMs() - startMs > ONE_LOOK_MS; tries += 1) {
			startMs = lineMs();
			wallMs = wall.now();
		}
		return { lineMs: startMs, wallMs, isSynchronized: system.isSynchronized(), hasRtc: system.hasRtc };
	}

	function start(): ClockState {
		const { last } = base;
		const seen = look();
		const isSameBoot = last !== null && last.bootId === bootId && last.lineMs <= seen.lineMs;
		const lived = last === null ? null : Math.round(last.lineMs + last.state.offsetMs);
		return isSameBoot ? last.state : firstState(seen, lived);
	}

	const now = (): EpochMs => epochMs(Math.floor(lineMs() + state.offsetMs));
	const trustedNow = (): EpochMs | null => (isTrusted(state, lineMs()) ? now() : null);

	const notify = (): void => {
		for (const changed of listeners) changed();
	};

	async function write(): Promise<void> {
		const eras = book.toWrite();
		isDirty = false;
		saveAtMs = lineMs() + (state.isKnown ? SAVE_MS : SAVE_WAITING_MS);
		try {
			await store.write({ last: { bootId, lineMs: lineMs(), state }, eras });
			book.written(eras);
			hasFailed = false;
			notify();
		} catch (error) {
			isDirty = true;
			saveAtMs = lineMs() + RETRY_SAVE_MS;
			if (!hasFailed) log.warn('time-base-not-saved', { reason: messageOf(error) });
			hasFailed = true;
		}
	}

	async function writeAll(): Promise<void> {
		do await write();
		while (isDirty && !hasFailed);
	}

	/** Writes what there is, and what changes meanwhile; the next tick tries again where that fails. */
	function save(): Promise<void> {
		if (isSaving) return saving;
		isSaving = true;
		saving = writeAll().finally(() => (isSaving = false));
		return saving;
	}

	function change(): void {
		isDirty = true;
		void save();
	}

	function become(next: ClockState): void {
		const before = state;
		state = next;
		const hasJumped = next.jumps > before.jumps;
		if (hasJumped) {
			const byMs = next.wallOffsetMs - before.wallOffsetMs;
			lastJump = { at: now(), byMs };
			log.warn('clock-jumped', { byMs, isBelieved: !isInDoubt(next), quality: next.quality });
		}
		const hasChanged = book.changed(before, next);
		if (hasChanged) log.info('clock-quality', { quality: next.quality, stepMs: next.offsetMs - before.offsetMs });
		if (hasChanged) change();
		if (hasJumped || hasChanged) notify();
	}

	function tick(): void {
		if (book.closeOpening()) change();
		become(observe(state, look()));
		if (lineMs() >= saveAtMs) void save();
	}

	function run(): void {
		tick();
		if (!isStopped) cancelTick = setTimer(run, TICK_MS);
	}

	become(observe(state, look()));
	book.resolve(state);
	let cancelTick = setTimer(run, TICK_MS);

	return {
		clock: { now, trustedNow, monotonicMs: () => wall.monotonicMs() },
		settle: book.settle,
		settleInstant: book.settleInstant,
		trustedNow,
		identify(who) {
			origin = who;
		},
		async begin(who) {
			book.begin(who, state);
			isDirty = true;
			await save();
		},
		hubSays({ at, errorMs, monotonicMs }) {
			const heardMs = originMs + monotonicMs;
			const offsetMs = Math.round(at - heardMs);
			become(heed(state, { offsetMs, errorMs, lineMs: heardMs }));
			hub = { gapMs: offsetMs - state.offsetMs, errorMs, at: now() };
		},
		listen: (changed) => void listeners.push(changed),
		untold: () => book.untold(),
		told: (eras) => book.told(eras),
		forgetTold: () => book.forgetTold(),
		status: () => ({
			now: now(),
			quality: state.quality,
			isKnown: state.isKnown,
			isTrusted: isTrusted(state, lineMs()),
			systemOffsetMs: state.wallOffsetMs - state.offsetMs,
			isSynchronized: system.isSynchronized(),
			hub,
			jumps: state.jumps,
			lastJump,
			reason: whyNotInOrder(state, { isTrusted: isTrusted(state, lineMs()), hubGapMs: hub?.gapMs ?? 0 }),
			bootId,
			eras: book.eras(),
		}),
		async saved() {
			await (isDirty ? save() : saving);
		},
		async stop() {
			if (isStopped) return;
			isStopped = true;
			cancelTick();
			book.closeOpening();
			await saving;
			await save();
		},
	};
}
