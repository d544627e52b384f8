import type { ModbusConnection } from '../../../config/connection/connection.ts';
import type { Device } from '../../../core/device/device.ts';
import { type Clock, type EpochMs, toIso } from '../../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../../core/kernel/fault.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import { createCircuitBreaker } from '../circuit-breaker.ts';
import type { DevicePollStats, DriverSink } from '../driver.ts';
import { createHealthTracker } from '../health-tracker.ts';
import { createLatencyWindow } from '../latency-window.ts';
import { createPaceWatch } from '../pace-watch.ts';
import type { UnitCounters } from '../unit-meter.ts';
import { answerWaitMs } from './answer-wait.ts';
import { lossReason } from './loss-reason.ts';
import { createPointPublisher } from './point-publisher.ts';
import type { ReadBook, ReadSlot, Refusal } from './plan/read-book.ts';
import type { PollGrid } from '../poll-grid.ts';
import { isRefusal, ModbusFault } from './wire/modbus-fault.ts';
import type { ModbusAnswer, ModbusRequest } from './wire/modbus-line.ts';
import type { DeviceReader } from './codec/device-reader.ts';

/** When the device wants its next turn: at once, not before an instant (monotonic, ms), or when another of its turns is over. */
export type NextTurn = 'now' | 'later' | { readonly notBeforeMs: number };

export interface DeviceTurn {
	/** Whether it may have another turn while this one is under way. */
	readonly hasMore: boolean;
	/** Never rejects. */
	readonly next: Promise<NextTurn>;
}

/** Asks one device what its plan says and turns the answers into readings and health. */
export interface DevicePoller {
	/** One request. */
	turn(): DeviceTurn;
	lineOpened(): void;
	/** The line cannot be used, for this reason. */
	lineFailed(reason: string): void;
	stats(): DevicePollStats;
	/** Nothing of this device is handed on any more, not even what is under way. */
	end(): void;
}

export interface DevicePollerDeps {
	readonly device: Device;
	readonly connection: ModbusConnection;
	readonly book: ReadBook;
	/** Silence before each request to this device, ms. */
	readonly guardMs: number;
	/** e.g. `tcp 10.0.0.5:502` */
	readonly lineName: string;
	readonly request: (request: ModbusRequest) => Promise<ModbusAnswer>;
	/** Latency the line as a whole shows; stands in until the device has answered. */
	readonly lineLatencyMs: () => number | null;
	/** An answer came: the plan may learn what a request costs. */
	readonly answered: (slot: ReadSlot, answer: ModbusAnswer) => void;
	/** Something was learnt about the device that is to be kept. */
	readonly learnt: () => void;
	/** Periods were skipped. */
	readonly skipped: (periods: number) => void;
	readonly reader: DeviceReader;
	/** Counters of the unit that only its poller can count. */
	readonly counters: Pick<UnitCounters, 'retries' | 'skippedPeriods'>;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Exceptions by which a Modbus gateway says that the unit behind it is silent: 10 path unavailable, 11 no response. */
const TARGET_SILENT: ReadonlySet<number | null> = new Set([10, 11]);
/** Exceptions by which a device asks for time: 5 acknowledge, 6 busy. */
const WANTS_TIME: ReadonlySet<number | null> = new Set([5, 6]);

/** Latencies are sorted once in so many answers. */
const ANSWERS_PER_LOOK = 16;

/** A busy device is asked again after this time, then after twice as long, and so on. */
const FIRST_BUSY_MS = 100;
const MOST_BUSY_MS = 10_000;

/** What comes is damaged: mostly two lines that differ in rate or parity, or two devices with one unit id. */
const isDamage = (fault: unknown): boolean => fault instanceof ModbusFault && fault.failure === 'corrupt';

const isTimeout = (fault: unknown): boolean => fault instanceof ModbusFault && fault.failure === 'timeout';

const hasCode = (fault: unknown, codes: ReadonlySet<number | null>): boolean =>
	fault instanceof ModbusFault && codes.has(fault.exceptionCode);

/** Nothing usable came, and asking costs the line dearly: the breaker's business. */
const isSilence = (fault: unknown): boolean =>
	isDamage(fault) ||
	isTimeout(fault) ||
	(fault instanceof ModbusFault && fault.failure === 'unproven') ||
	hasCode(fault, TARGET_SILENT);

/** The line went away under the request, or was not to be had: nothing is learnt about the device. */
const isLineTrouble = (fault: unknown): boolean =>
	fault instanceof Fault && (!(fault instanceof ModbusFault) || fault.failure === 'closed');

/** Names a few, so that a sentence stays one. */
const someOf = (keys: readonly string[]): string =>
	keys.length <= 5 ? keys.join(', ') : `${keys.slice(0, 5).join(', ')} and ${keys.length - 5} more`;

/** A turn in which nothing is asked. */
const passed = (next: NextTurn): DeviceTurn => ({ hasMore: false, next: Promise.resolve(next) });

export function createDevicePoller(deps: DevicePollerDeps): DevicePoller {
	const { device, connection, book, guardMs, lineName, counters, sink, clock, log } = deps;
	const { timeoutMs, tuning = {} } = connection;
	const breaker = createCircuitBreaker();
	const latency = createLatencyWindow();
	const pace = createPaceWatch(clock.monotonicMs());
	const health = createHealthTracker(clock, (next) => {
		if (!hasEnded) sink.health(device.id, next);
	});
	const points = createPointPublisher({
		device: device.id,
		read: (request, data) => deps.reader.read(request, data, clock.monotonicMs()),
		sink,
		clock,
		hasEnded: () => hasEnded,
	});
	const where = `unit ${connection.unitId} on ${lineName}`;
	let answers = 0;
	/** Requests under way. */
	const asked = new Set<ReadSlot>();
	const tries = new Map<ReadSlot, number>();
	let hasEnded = false;
	let round: ReadSlot[] = [];
	/** The newest read that only asks whether the device is there. */
	let probe: ReadSlot | null = null;
	let silentSince: EpochMs | null = null;
	let lastExchangeMs = Number.NEGATIVE_INFINITY;
	let busyCount = 0;
	let lessonsTold = book.lessons;
	let wasBehind = false;
	/** Looked up now and then: sorting latencies for each request would be the dearest thing about it. */
	let usualP99Ms: number | null = null;
	let busyUntilMs = Number.NEGATIVE_INFINITY;

	function noteFlaw(): void {
		const keys = book.refusedKeys();
		const sentence = `${where} does not have ${someOf(keys)}; check that the template fits this model`;
		health.flaw('points', keys.length === 0 ? null : sentence);
	}

	function notePace(): void {
		const isBehind = pace.skippedShare !== null;
		if (isBehind === wasBehind) return;
		wasBehind = isBehind;
		const sentence = `${lineName} does not keep up: it skips periods of this device; longer periods or fewer points are needed`;
		health.flaw('pace', isBehind ? sentence : null);
	}

	/** The device is there: it said something about the request. */
	function spoke(): void {
		if (breaker.isOpen) book.back(clock.monotonicMs());
		breaker.answered();
		silentSince = null;
	}

	function onAnswer(slot: ReadSlot, answer: ModbusAnswer): void {
		latency.add(answer.latencyMs);
		answers += 1;
		if (answers % ANSWERS_PER_LOOK === 0) usualP99Ms = latency.percentileMs(0.99);
		spoke();
		busyCount = 0;
		const refusedBefore = book.refusedKeys().length;
		book.answered(slot, clock.monotonicMs());
		if (book.refusedKeys().length !== refusedBefore) noteFlaw();
		// What a probe reads comes with its neighbours at once, since everything is due now.
		if (slot !== probe) points.publish(slot, answer);
		health.good();
		deps.answered(slot, answer);
		tellLessons();
	}

	function tellLessons(): void {
		if (book.lessons === lessonsTold) return;
		lessonsTold = book.lessons;
		deps.learnt();
	}

	/** What the device refuses is asked in smaller parts now, or given up. */
	function take({ ask: smaller, givenUp }: Refusal, slot: ReadSlot, reason: string): void {
		round.unshift(...smaller);
		// A retry of what is known to be refused is no news.
		if (smaller.length === 0 && givenUp.length === 0) return;
		tellLessons();
		if (givenUp.length === 0) return;
		log.warn('points-refused', { device: device.uid, points: someOf(givenUp.map(({ key }) => key)), reason });
		points.publishLost(slot);
		noteFlaw();
	}

	function onRefusal(slot: ReadSlot, fault: ModbusFault): void {
		spoke();
		const refusal = book.refused(slot, clock.monotonicMs());
		if (refusal.ask.length + refusal.givenUp.length > 0) health.good();
		take(refusal, slot, fault.message);
	}

	/** @returns whether the request is made again before it counts */
	function isTriedAgain(slot: ReadSlot): boolean {
		const made = (tries.get(slot) ?? 0) + 1;
		if (made > (tuning.retries ?? 0) || breaker.isOpen) {
			tries.delete(slot);
			return false;
		}
		tries.set(slot, made);
		counters.retries += 1;
		round.unshift(slot);
		return true;
	}

	function onSilence(slot: ReadSlot, fault: unknown, spentMs: number): void {
		if (isTriedAgain(slot)) return;
		silentSince ??= clock.now();
		const nowMs = clock.monotonicMs();
		breaker.silent(nowMs, spentMs);
		const answersOthers = slot.silentCount + 1 > breaker.silentCount;
		// Damage is the line's doing, not a refusal in disguise.
		take(book.silent(slot, nowMs, spentMs, answersOthers, isTimeout(fault)), slot, messageOf(fault));
		health.bad(messageOf(fault));
		// One lost frame is weather: the values before it stay good for another period.
		if (slot.silentCount > 1) points.publishLost(slot);
		if (!breaker.isOpen) return;
		lose();
		deps.reader.forget();
		const since = `since ${toIso(silentSince).slice(11, 19)}Z`;
		const { cause, sentence } = lossReason(fault, { where, since, count: breaker.silentCount });
		health.offline(cause, sentence);
	}

	/** Nothing can be read: the round is over, and what is shown is marked. */
	function lose(): void {
		round = [];
		tries.clear();
		book.lost(clock.monotonicMs());
		for (const slot of book.perishable()) points.publishLost(slot);
	}

	/** The device asks for time: it is left alone, longer each time, and then asked the same again. */
	function onBusy(slot: ReadSlot): void {
		spoke();
		busyUntilMs = clock.monotonicMs() + Math.min(MOST_BUSY_MS, FIRST_BUSY_MS * 2 ** Math.min(busyCount, 30));
		busyCount += 1;
		if (book.has(slot)) round.unshift(slot);
	}

	/** The device answered, but neither with data nor with a refusal: busy, or an internal error. */
	function onTrouble(slot: ReadSlot, fault: unknown): void {
		if (hasCode(fault, WANTS_TIME)) onBusy(slot);
		else if (fault instanceof ModbusFault && fault.failure === 'exception') spoke();
		slot.silentCount += 1;
		if (slot.silentCount > 1) points.publishLost(slot);
		health.bad(messageOf(fault));
	}

	function onFault(slot: ReadSlot, fault: unknown, spentMs: number): void {
		if (isRefusal(fault)) onRefusal(slot, fault);
		else if (isSilence(fault)) onSilence(slot, fault, spentMs);
		else if (!isLineTrouble(fault)) onTrouble(slot, fault);
	}

	const waitMs = (): number =>
		answerWaitMs({
			mode: tuning.timeoutMode ?? 'adaptive',
			timeoutMs,
			latencyP99Ms:
				(breaker.silentCount > 0 ? latency.percentileMs(0.99) : usualP99Ms) ??
				(breaker.isOpen ? deps.lineLatencyMs() : null),
			answers,
			silentCount: breaker.silentCount,
			isDead: breaker.isOpen,
		});

	async function ask(slot: ReadSlot): Promise<void> {
		const { functionCode, address, count } = slot.request;
		const startMs = clock.monotonicMs();
		asked.add(slot);
		try {
			const { unitId } = connection;
			const answer = await deps.request({ unitId, functionCode, address, count, timeoutMs: waitMs() });
			tries.delete(slot);
			if (!hasEnded) onAnswer(slot, answer);
		} catch (fault) {
			if (!hasEnded) onFault(slot, fault, clock.monotonicMs() - startMs);
		}
		asked.delete(slot);
		lastExchangeMs = clock.monotonicMs();
	}

	/** Ends the round of a grid none of whose requests is left. */
	function finish(grid: PollGrid | null): void {
		const isOpen = (other: ReadSlot): boolean => other.grid === grid;
		if (grid === null || round.some(isOpen) || [...asked].some(isOpen)) return;
		const missed = book.finish(grid, clock.monotonicMs());
		if (missed === null) return;
		// A device that asks for time is not kept waiting by its line.
		if (busyCount === 0) pace.round(missed, clock.monotonicMs());
		notePace();
		counters.skippedPeriods += missed;
		deps.skipped(missed);
	}

	/** The slot to ask in this turn; a silent device is only ever asked for one, and now and then for the least that there is. */
	function nextSlot(nowMs: number): ReadSlot | null {
		if (breaker.isOpen) {
			const probes = book.regular();
			const regular = probes[breaker.silentCount % (probes.length + 1)];
			return regular ?? (probe = book.probe());
		}
		// What has just become due is asked for more often than what is left, or has been due for longer.
		round = [...book.begin(nowMs), ...round.filter((slot) => book.has(slot))];
		return round.shift() ?? null;
	}

	function after(slot: ReadSlot): NextTurn {
		if (breaker.isOpen) return { notBeforeMs: breaker.probeDueMs };
		finish(slot.grid);
		const nowMs = clock.monotonicMs();
		if (nowMs < busyUntilMs) return { notBeforeMs: busyUntilMs };
		if (round.length > 0) return 'now';
		return asked.size > 0 ? 'later' : { notBeforeMs: book.nextDueMs() };
	}

	/** Until when the device is to be left alone, monotonic, ms. */
	const quietUntilMs = (): number => Math.max(lastExchangeMs + guardMs, busyUntilMs);

	return {
		turn() {
			const nowMs = clock.monotonicMs();
			if (nowMs < quietUntilMs()) return passed({ notBeforeMs: quietUntilMs() });
			const slot = nextSlot(nowMs);
			if (slot === null) return passed(asked.size > 0 ? 'later' : { notBeforeMs: book.nextDueMs() });
			// A device that is sound may have several requests under way; one in doubt is asked one thing at a time.
			const hasMore = round.length > 0 && guardMs === 0 && breaker.silentCount === 0 && slot.hunt === null;
			return { hasMore, next: ask(slot).then(() => after(slot)) };
		},
		lineOpened() {
			breaker.retryAt(clock.monotonicMs());
			book.back(clock.monotonicMs());
		},
		lineFailed(reason) {
			deps.reader.forget();
			lose();
			health.offline(`line: ${reason}`, reason);
		},
		stats: () => ({
			device: device.id,
			unitId: connection.unitId,
			skippedShare: pace.skippedShare,
			timeoutMs: waitMs(),
		}),
		end() {
			hasEnded = true;
		},
	};
}
