import type { Line, ModbusConnection } from '../../../config/connection/connection.ts';
import type { Device } from '../../../core/device/device.ts';
import type { DeviceTemplate, TemplatePoint } from '../../../config/template/template.ts';
import { type SetTimer, systemTimer } from '../../../core/journal/set-timer.ts';
import type { Clock } from '../../../core/kernel/clock.ts';
import type { DeviceId } from '../../../core/kernel/id.ts';
import type { Stoppable } from '../../../core/kernel/lifecycle.ts';
import type { Logger } from '../../../core/kernel/log.ts';
import { type Bus, createBus } from '../bus.ts';
import type { DriverSink, LineStats } from '../driver.ts';
import type { LineMeter } from '../line-meter.ts';
import { createPollLoop } from '../poll-loop.ts';
import { createPollSchedule } from '../poll-schedule.ts';
import { createDevicePoller, type DevicePoller } from './device-poller.ts';
import { lineName } from './line-name.ts';
import type { ModbusLine } from './wire/modbus-line.ts';
import { createReadBook } from './plan/read-book.ts';
import type { DeviceReader } from './codec/device-reader.ts';
import type { CounterReplaced } from '../plausibility.ts';
import type { PlanLimits, ReadRequest } from './plan/request-plan.ts';

/** Packs points into the reads that cost this line the least. */
export type PlanReads = (points: readonly TemplatePoint[], line: Line, limits: PlanLimits) => readonly ReadRequest[];

/** A line with the devices that are polled on it. */
export interface PolledLine extends Stoppable {
	readonly bus: Bus;
	/** @throws what the planner throws when a point of the template cannot be read. */
	add(device: Device, connection: ModbusConnection, template: DeviceTemplate): void;
	remove(id: DeviceId): void;
	/** Whether no device is polled on it. */
	readonly isEmpty: boolean;
	/** Whether somebody asks something of it, or did a moment ago. */
	readonly isVisited: boolean;
	/** Somebody was handed its bus. */
	visited(): void;
	stats(): LineStats;
}

/** A line without devices is open only while somebody asks something. */
const VISIT_MS = 5000;

export interface PolledLineDeps {
	readonly plan: PlanReads;
	/** What turns the answers of one device into values. */
	readonly createReader: (template: DeviceTemplate, replaced: CounterReplaced) => DeviceReader;
	/** A fresh connection to the line. */
	readonly createLine: (line: Line, meter: LineMeter) => ModbusLine;
	readonly sink: DriverSink;
	readonly clock: Clock;
	readonly log: Logger;
	/** Absent: that of the system. */
	readonly setTimer?: SetTimer;
}

export function createPolledLine(line: Line, deps: PolledLineDeps): PolledLine {
	const { plan, createReader, createLine, sink, clock, log, setTimer = systemTimer } = deps;
	const name = lineName(line);
	const pollers = new Map<string, DevicePoller>();
	const schedule = createPollSchedule();
	let failure: string | null = null;
	let hasOpened = false;
	let visitedMs = Number.NEGATIVE_INFINITY;

	function askAll(): void {
		const nowMs = clock.monotonicMs();
		for (const [id, poller] of pollers) {
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
				for (const poller of pollers.values()) poller.lineFailed(reason);
			},
			freed: () => loop.wake(),
		},
		clock,
		log,
		setTimer,
		idleMs: VISIT_MS,
	});

	async function takeTurn(id: string): Promise<void> {
		const next = await pollers.get(id)?.turn();
		if (next === undefined || next === 'now') return;
		if (next === 'next-period') bus.skipped(schedule.done(id, clock.monotonicMs()));
		else schedule.postpone(id, next.notBeforeMs);
	}

	const loop = createPollLoop({ schedule, clock, isLineOpen: () => bus.isOpen && !bus.isLeased, takeTurn });

	return {
		bus,
		add(device, connection, template) {
			const book = createReadBook({
				points: template.points,
				maxRegisters: template.maxRegistersPerRead,
				plan: (points, limits) => plan(points, line, limits),
			});
			const poller = createDevicePoller({
				device,
				connection,
				book,
				guardMs: template.guardMs,
				lineName: name,
				request: (request) => bus.request(request, 'poll'),
				lineLatencyMs: () => bus.latencyP99Ms(),
				reader: createReader(template, (point, from, to) =>
					log.warn('counter-replaced', { device: device.uid, point, from: String(from), to: String(to) }),
				),
				sink,
				clock,
				log,
			});
			pollers.set(device.id, poller);
			schedule.add(device.id, connection.periodMs, clock.monotonicMs());
			bus.restAfter(null);
			if (failure !== null) poller.lineFailed(failure);
			loop.wake();
		},
		remove(id) {
			pollers.get(id)?.end();
			pollers.delete(id);
			schedule.remove(id);
			if (pollers.size === 0) bus.restAfter(VISIT_MS);
		},
		get isEmpty() {
			return pollers.size === 0;
		},
		get isVisited() {
			if (bus.pending > 0 || bus.isLeased) visitedMs = clock.monotonicMs();
			return clock.monotonicMs() < visitedMs + VISIT_MS;
		},
		visited() {
			visitedMs = clock.monotonicMs();
		},
		stats: () => ({ ...bus.stats(), overrun: null }),
		async stop() {
			for (const poller of pollers.values()) poller.end();
			await bus.stop();
			await loop.stop();
		},
	};
}
