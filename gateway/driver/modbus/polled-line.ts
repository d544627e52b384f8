import type { Line, ModbusConnection } from '../../../config/connection/connection.ts';
import type { Device } from '../../../core/device/device.ts';
import type { DeviceTemplate } from '../../../config/template/template.ts';
import { type SetTimer, systemTimer } from '../../../core/journal/set-timer.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import type { DeviceId } from '../../../core/kernel/id.ts';
import type { Stoppable } from '../../../core/kernel/lifecycle.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import { type Bus, createBus } from '../bus.ts';
import type { DevicePollStats, DriverSink, LineStats } from '../driver.ts';
import type { LineMeter } from '../line-meter.ts';
import { type BegunTurn, createPollLoop } from '../poll-loop.ts';
import { createPollSchedule } from '../poll-schedule.ts';
import { createDevicePoller, type DevicePoller, type NextTurn } from './device-poller.ts';
import { lineName } from './line-name.ts';
import type { ModbusLine } from './wire/modbus-line.ts';
import { createReadBook, type ReadBook } from './plan/read-book.ts';
import type { Learnt } from './plan/learnt.ts';
import { type BusNeed, budgetOf } from './plan/bus-budget.ts';
import { createSelfTuningPlan, type PlanReads, type SelfTuningPlan } from './plan/self-tuning-plan.ts';
import type { DeviceReader } from './codec/device-reader.ts';
import type { CounterReplaced } from '../plausibility.ts';

/** A device that can be polled, with all that decides how. */
export interface PolledDevice {
	readonly device: Device;
	readonly connection: ModbusConnection;
	/** The template as it is installed: the same object for as long as it does not change. */
	readonly base: DeviceTemplate;
	/** The same with what the connection says about it. */
	readonly template: DeviceTemplate;
}

/** A line with the devices that are polled on it. */
export interface PolledLine extends Stoppable {
	readonly line: Line;
	readonly bus: Bus;
	/**
	 * @param learnt what is known of this device from before
	 * @throws what the planner throws when a point of the template cannot be read.
	 */
	add(device: PolledDevice, learnt: Learnt): void;
	remove(id: DeviceId): void;
	/** Whether no device is polled on it. */
	readonly isEmpty: boolean;
	/** Whether somebody asks something of it, or did a moment ago. */
	readonly isVisited: boolean;
	/** Somebody was handed its bus. */
	visited(): void;
	stats(): LineStats;
	devices(): readonly DevicePollStats[];
	/** What its devices need of its time. */
	needs(): readonly BusNeed[];
	/** What was learnt about a device; `null` when it is not polled here. */
	learnt(id: DeviceId): Learnt | null;
}

/** A line without devices is open only while somebody asks something. */
const VISIT_MS = 5000;

/** A line that is to be given up between rounds is kept when the next one begins within this time. */
const SOON_MS = 500;

export interface PolledLineDeps {
	readonly plan: PlanReads;
	/** What turns the answers of one device into values. */
	readonly createReader: (template: DeviceTemplate, replaced: CounterReplaced) => DeviceReader;
	/** A fresh connection to the line. */
	readonly createLine: (line: Line, meter: LineMeter) => ModbusLine;
	/** Where in its period the next device begins, 0 to 1: spread over all lines, which share one processor. */
	readonly nextPhase: () => number;
	readonly sink: DriverSink;
	/** What is known of a device has changed. */
	readonly learnt: (id: DeviceId, learnt: Learnt) => void;
	readonly clock: Clock;
	readonly log: Logger;
	/** Absent: that of the system. */
	readonly setTimer?: SetTimer;
}

interface Polled {
	readonly poller: DevicePoller;
	readonly book: ReadBook;
	readonly tuned: SelfTuningPlan;
	readonly device: PolledDevice;
	readonly guardMs: number;
}

export function createPolledLine(line: Line, deps: PolledLineDeps): PolledLine {
	const { plan, createReader, createLine, nextPhase, sink, clock, log, setTimer = systemTimer } = deps;
	const name = lineName(line);
	const isClosedAfterPoll = line.transport === 'tcp' && line.closeAfterPoll === true;
	const polled = new Map<string, Polled>();
	const schedule = createPollSchedule();
	const linePhase = isClosedAfterPoll ? nextPhase() : 0;
	let failure: string | null = null;
	let hasOpened = false;
	let visitedMs = Number.NEGATIVE_INFINITY;

	function askAll(): void {
		const nowMs = clock.monotonicMs();
		for (const [id, { poller }] of polled) {
			poller.lineOpened();
			schedule.advance(id, nowMs);
		}
	}

	const bus = createBus({
		name,
		createLine: (meter) => createLine(line, meter),
		listener: {
			opened() {
				// A connection that is only made anew is no reason to ask anybody before its time.
				if (!hasOpened || failure !== null) askAll();
				hasOpened = true;
				failure = null;
				loop.wake();
			},
			failed(reason) {
				failure = reason;
				for (const { poller } of polled.values()) poller.lineFailed(reason);
			},
			freed() {
				askAll();
				loop.wake();
			},
		},
		clock,
		log,
		setTimer,
		idleMs: VISIT_MS,
	});

	async function placeAfter(id: string, next: Promise<NextTurn>, startMs: number): Promise<void> {
		const wish = await next;
		schedule.spent(id, (clock.monotonicMs() - startMs) / bus.depth);
		if (wish === 'now') schedule.again(id);
		else if (wish !== 'later') schedule.due(id, wish.notBeforeMs);
	}

	function takeTurn(id: string): BegunTurn {
		const entry = polled.get(id);
		if (entry === undefined) return { hasMore: false, over: Promise.resolve() };
		const startMs = clock.monotonicMs();
		const { hasMore, next } = entry.poller.turn();
		return { hasMore, over: placeAfter(id, next, startMs) };
	}

	const loop = createPollLoop({
		schedule,
		clock,
		setTimer,
		room: () => (bus.isOpen && !bus.isLeased ? bus.depth : 0),
		takeTurn,
		idle(waitMs) {
			if (isClosedAfterPoll && waitMs > SOON_MS) bus.rest();
		},
	});

	/** The connection is kept while devices are polled on it, unless they share it with others. */
	function keepOpen(): void {
		bus.restAfter(polled.size > 0 && !isClosedAfterPoll ? null : VISIT_MS);
	}

	return {
		line,
		bus,
		add(device, learnt) {
			const { connection, template } = device;
			const { tuning = {} } = connection;
			const guardMs = tuning.guardMs ?? template.guardMs;
			const tuned: SelfTuningPlan = createSelfTuningPlan({ line, guardMs }, plan, () => book.limits());
			const book = createReadBook({
				template,
				maxRegisters: tuning.maxRegisters,
				timing: {
					periodMs: connection.periodMs,
					tuning,
					// A connection that is ended after each round is to serve all devices of the line at once.
					phase: isClosedAfterPoll ? linePhase : nextPhase(),
					startMs: clock.monotonicMs(),
				},
				plan: (points, limits) => tuned.plan(points, limits),
				learnt,
			});
			const { id } = device.device;
			const poller = createDevicePoller({
				device: device.device,
				connection,
				book,
				guardMs,
				lineName: name,
				request: (request) => bus.request(request, 'poll'),
				lineLatencyMs: () => bus.latencyP99Ms(),
				answered({ request }, { latencyMs }) {
					const nowMs = clock.monotonicMs();
					const inUse = (): ReturnType<PlanReads> => book.regular().map((slot) => slot.request);
					if (tuned.answered(request, latencyMs, nowMs, inUse)) book.replan(nowMs);
				},
				counters: bus.meter.units.of(connection.unitId).counters,
				learnt: () => deps.learnt(id, book.learnt()),
				skipped: (periods) => bus.skipped(periods),
				reader: createReader(template, (point, from, to) =>
					log.warn('counter-replaced', { device: device.device.uid, point, from: String(from), to: String(to) }),
				),
				sink,
				clock,
				log,
			});
			polled.set(id, { poller, book, tuned, device, guardMs });
			schedule.add(id, book.nextDueMs());
			keepOpen();
			if (failure !== null) poller.lineFailed(failure);
			loop.wake();
		},
		remove(id) {
			polled.get(id)?.poller.end();
			polled.delete(id);
			schedule.remove(id);
			keepOpen();
		},
		get isEmpty() {
			return polled.size === 0;
		},
		get isVisited() {
			if (bus.pending > 0 || bus.isLeased) visitedMs = clock.monotonicMs();
			return clock.monotonicMs() < visitedMs + VISIT_MS;
		},
		visited() {
			visitedMs = clock.monotonicMs();
		},
		stats: () => ({ ...bus.stats(), overrun: budgetOf(name, needs(), bus.depth).sentence }),
		devices: () => [...polled.values()].map(({ poller }) => poller.stats()),
		needs,
		learnt: (id) => polled.get(id)?.book.learnt() ?? null,
		async stop() {
			for (const { poller } of polled.values()) poller.end();
			await bus.stop();
			await loop.stop();
		},
	};

	function needs(): readonly BusNeed[] {
		return [...polled.values()].map(({ book, tuned, device: { device } }) => ({
			device: device.id,
			name: device.name,
			cost: tuned.cost(),
			reads: book.repeated(),
		}));
	}
}
