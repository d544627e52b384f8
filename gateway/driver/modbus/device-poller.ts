import type { ModbusConnection } from '../../../config/connection/connection.ts';
import type { Device } from '../../../core/device/device.ts';
import { type Clock, type EpochMs, toIso } from '../../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../../core/kernel/fault.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import type { Quality } from '../../../core/telemetry/reading.ts';
import { createCircuitBreaker } from '../circuit-breaker.ts';
import type { DriverSink } from '../driver.ts';
import { createHealthTracker } from '../health-tracker.ts';
import { createLatencyWindow } from '../latency-window.ts';
import { isRefusal, ModbusFault } from './wire/modbus-fault.ts';
import type { ModbusAnswer, ModbusRequest } from './wire/modbus-line.ts';
import type { ReadBook, ReadSlot } from './plan/read-book.ts';
import type { DeviceReader } from './codec/device-reader.ts';

/** When the device wants its next turn: in this round still, with its next period, or not before an instant (monotonic, ms). */
export type NextTurn = 'now' | 'next-period' | { readonly notBeforeMs: number };

/** Asks one device what its plan says and turns the answers into readings and health. */
export interface DevicePoller {
	/** One request. Never rejects. */
	turn(): Promise<NextTurn>;
	lineOpened(): void;
	/** The line cannot be used, for this reason. */
	lineFailed(reason: string): void;
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
	readonly reader: DeviceReader;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Exception 11: a Modbus gateway says for the unit that it is silent. */
const TARGET_SILENT = 11;

/** What comes is damaged: mostly two lines that differ in rate or parity, or two devices with one unit id. */
const isDamage = (fault: unknown): boolean => fault instanceof ModbusFault && fault.failure === 'corrupt';

/** Nothing usable came, and asking costs the line dearly: the breaker's business. */
const isSilence = (fault: unknown): boolean =>
	isDamage(fault) ||
	(fault instanceof ModbusFault &&
		(fault.failure === 'timeout' || fault.failure === 'unproven' || fault.exceptionCode === TARGET_SILENT));

/** The line went away under the request: nothing is learnt about the device. */
const isLineTrouble = (fault: unknown): boolean =>
	fault instanceof Fault && (!(fault instanceof ModbusFault) || fault.failure === 'closed');

/** Names a few, so that a sentence stays one. */
const someOf = (keys: readonly string[]): string =>
	keys.length <= 5 ? keys.join(', ') : `${keys.slice(0, 5).join(', ')} and ${keys.length - 5} more`;

export function createDevicePoller(deps: DevicePollerDeps): DevicePoller {
	const { device, connection, book, guardMs, lineName, sink, clock, log } = deps;
	const breaker = createCircuitBreaker();
	const latency = createLatencyWindow();
	const health = createHealthTracker(clock, (next) => {
		if (!hasEnded) sink.health(device.id, next);
	});
	/** Keys whose last published value is "no value, communication error". */
	const lost = new Set<string>();
	const where = `unit ${connection.unitId} on ${lineName}`;
	let hasEnded = false;
	let round: ReadSlot[] = [];
	let silentSince: EpochMs | null = null;
	let lastExchangeMs = Number.NEGATIVE_INFINITY;

	function publishLost(slot: ReadSlot): void {
		const { keys } = slot.request;
		if (hasEnded || keys.every((key) => lost.has(key))) return;
		for (const key of keys) lost.add(key);
		const qualities = keys.map((): Quality => 'comm_error');
		sink.reading({
			device: device.id,
			readAt: clock.now(),
			telemetryType: 'default',
			points: keys,
			values: keys.map(() => null),
			qualities,
		});
	}

	function publish(slot: ReadSlot, answer: ModbusAnswer): void {
		const { keys } = slot.request;
		const { values, qualities } = deps.reader.read(slot.request, answer.data, clock.monotonicMs());
		if (lost.size > 0) for (const key of keys) lost.delete(key);
		sink.reading({
			device: device.id,
			readAt: answer.readAt,
			telemetryType: 'default',
			points: keys,
			values,
			qualities,
		});
	}

	function noteFlaw(): void {
		const keys = book.refusedKeys();
		const sentence = `${where} does not have ${someOf(keys)}; check that the template fits this model`;
		health.flaw(keys.length === 0 ? null : sentence);
	}

	function onAnswer(slot: ReadSlot, answer: ModbusAnswer): void {
		latency.add(answer.latencyMs);
		breaker.answered();
		silentSince = null;
		const refusedBefore = book.refusedKeys().length;
		book.answered(slot, clock.monotonicMs());
		if (book.refusedKeys().length !== refusedBefore) noteFlaw();
		publish(slot, answer);
		health.good();
	}

	function onRefusal(slot: ReadSlot, fault: ModbusFault): void {
		breaker.answered();
		silentSince = null;
		const { ask: smaller, givenUp } = book.refused(slot, clock.monotonicMs());
		round.unshift(...smaller);
		// A retry of what is known to be refused is no news.
		if (smaller.length === 0 && givenUp.length === 0) return;
		health.good();
		if (givenUp.length === 0) return;
		log.warn('points-refused', {
			device: device.uid,
			points: someOf(givenUp.map(({ key }) => key)),
			reason: fault.message,
		});
		publishLost(slot);
		noteFlaw();
	}

	function onSilence(slot: ReadSlot, fault: unknown, spentMs: number): void {
		silentSince ??= clock.now();
		const nowMs = clock.monotonicMs();
		breaker.silent(nowMs, spentMs);
		book.silent(slot, nowMs, spentMs, breaker.silentCount);
		health.bad(messageOf(fault));
		// One lost frame is weather: the values before it stay good for another period.
		if (slot.silentCount > 1) publishLost(slot);
		if (!breaker.isOpen) return;
		deps.reader.forget();
		round = [];
		for (const regular of book.regular()) publishLost(regular);
		const since = `since ${toIso(silentSince).slice(11, 19)}Z`;
		if (isDamage(fault)) {
			const hint = 'check wiring, line settings and that the unit id is used once';
			health.offline('damaged', `no usable answer from ${where} ${since} (${messageOf(fault)}); ${hint}`);
		} else {
			const count = `${breaker.silentCount} timeouts`;
			health.offline('silent', `no answer from ${where} ${since} (${count}); check wiring and unit id`);
		}
	}

	/** The device answered, but neither with data nor with a refusal: busy, or an internal error. */
	function onTrouble(slot: ReadSlot, fault: unknown): void {
		if (fault instanceof ModbusFault && fault.failure === 'exception') {
			breaker.answered();
			silentSince = null;
		}
		slot.silentCount += 1;
		if (slot.silentCount > 1) publishLost(slot);
		health.bad(messageOf(fault));
	}

	function onFault(slot: ReadSlot, fault: unknown, spentMs: number): void {
		if (isRefusal(fault)) onRefusal(slot, fault);
		else if (isSilence(fault)) onSilence(slot, fault, spentMs);
		else if (!isLineTrouble(fault)) onTrouble(slot, fault);
	}

	async function ask(slot: ReadSlot): Promise<void> {
		const { functionCode, address, count } = slot.request;
		const { unitId, timeoutMs } = connection;
		const usualMs = latency.percentileMs(0.99) ?? (breaker.isOpen ? deps.lineLatencyMs() : null);
		const startMs = clock.monotonicMs();
		try {
			const wait = breaker.waitMs(timeoutMs, usualMs);
			const answer = await deps.request({ unitId, functionCode, address, count, timeoutMs: wait });
			if (!hasEnded) onAnswer(slot, answer);
		} catch (fault) {
			if (!hasEnded) onFault(slot, fault, clock.monotonicMs() - startMs);
		}
		lastExchangeMs = clock.monotonicMs();
	}

	/** The slot to ask in this turn; a silent device is only ever asked for one. */
	function nextSlot(nowMs: number): ReadSlot | undefined {
		if (breaker.isOpen) {
			const probes = book.regular();
			return probes[breaker.silentCount % Math.max(1, probes.length)];
		}
		round = round.filter((slot) => book.has(slot));
		if (round.length === 0) round = book.due(nowMs);
		return round.shift();
	}

	return {
		async turn() {
			const nowMs = clock.monotonicMs();
			const guardedMs = lastExchangeMs + guardMs;
			if (nowMs < guardedMs) return { notBeforeMs: guardedMs };
			const slot = nextSlot(nowMs);
			if (slot === undefined) return 'next-period';
			await ask(slot);
			if (breaker.isOpen) return { notBeforeMs: breaker.probeDueMs };
			return round.length > 0 ? 'now' : 'next-period';
		},
		lineOpened() {
			breaker.retryAt(clock.monotonicMs());
		},
		lineFailed(reason) {
			deps.reader.forget();
			round = [];
			for (const slot of book.regular()) publishLost(slot);
			health.offline(`line: ${reason}`, reason);
		},
		end() {
			hasEnded = true;
		},
	};
}
