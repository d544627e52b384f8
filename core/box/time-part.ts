import { join } from 'node:path';

import { nodeFileLayer } from '../journal/node-file-layer.ts';
import { systemTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import type { Component } from '../system/health.ts';
import type { Metrics } from '../system/metrics.ts';
import { CLOCK_QUALITIES } from '../time/clock-quality.ts';
import { openMachineTime } from '../time/machine-time.ts';
import type { SystemTime } from '../time/system-time.ts';
import { createTimeBaseStore } from '../time/time-base-store.ts';
import { type ClockStatus, openTimeKeeper, type TimeKeeper } from '../time/time-keeper.ts';

export interface TimePartDeps {
	/** Folder of everything durable. */
	readonly data: string;
	/** The clock of the machine. */
	readonly wall: Clock;
	/** What the machine knows of it; without it the machine is asked. */
	readonly system: SystemTime | undefined;
	readonly lifecycle: Lifecycle;
	readonly log: Logger;
}

/** The clock of a box: to be opened first, because everything else asks it what time it is. */
export async function openTime({ data, wall, system, lifecycle, log }: TimePartDeps): Promise<TimeKeeper> {
	const machine = system ?? lifecycle.own('machine time', await openMachineTime({ setTimer: systemTimer }));
	const store = createTimeBaseStore({ path: join(data, 'time-base.json'), files: nodeFileLayer, log });
	const keeper = await openTimeKeeper({ wall, system: machine, store, setTimer: systemTimer, log });
	return lifecycle.own('time', keeper);
}

/** Whether the time is known, and nobody contradicts it. Not essential: a box without the time still works. */
export const clockComponent = (status: () => ClockStatus): Component => ({
	name: 'clock',
	isEssential: false,
	state: () => {
		const { reason } = status();
		return { isConnected: reason === null, reason };
	},
});

export function addClockMetrics(metrics: Metrics, status: () => ClockStatus): void {
	metrics.add({
		name: 'clock_quality',
		help: '1 for how good the clock is: unset, rtc, ntp, hub',
		kind: 'gauge',
		labels: ['quality'],
		read: () => {
			const { quality } = status();
			return CLOCK_QUALITIES.map((name) => ({ value: name === quality ? 1 : 0, labels: { quality: name } }));
		},
	});
	metrics.add({
		name: 'clock_jumps_total',
		help: 'Jumps of the clock of the machine in this boot',
		kind: 'counter',
		read: () => [{ value: status().jumps }],
	});
	metrics.add({
		name: 'clock_system_offset_seconds',
		help: 'Clock of the machine minus the time used here',
		kind: 'gauge',
		read: () => [{ value: status().systemOffsetMs / 1_000 }],
	});
	metrics.add({
		name: 'clock_waits',
		help: '1 while readings wait for their time',
		kind: 'gauge',
		read: () => [{ value: status().isKnown ? 0 : 1 }],
	});
}
