import type { CounterRule } from '../../core/history/rollup-counter.ts';
import { openRollups } from '../../core/history/rollups.ts';
import { epochMs } from '../../core/kernel/clock.ts';
import { type Logger, silentLog } from '../../core/kernel/log.ts';
import { createManualTimer, type ManualTimer } from './manual-timer.ts';
import { type MemoryHistory, memoryHistory } from './memory-history.ts';
import { createPowerCutFiles, type PowerCutFiles } from './power-cut-files.ts';
import { deviceOf } from './sample-readings.ts';

const QUIET_MS = 3 * 60_000;
const COUNTER: CounterRule = { isCounter: true, range: { bottom: 0, top: 65_536 } };

export interface RollupBoxOptions {
	readonly files?: PowerCutFiles;
	readonly history?: MemoryHistory;
	readonly manual?: ManualTimer;
	readonly log?: Logger;
	readonly rollupDays?: number;
	readonly minuteDays?: number;
}

/** Rollups over a history in memory and files that a test can cut; the point `energy` is a counter of 16 bits. */
export async function rollupBox(options: RollupBoxOptions = {}) {
	const {
		files = createPowerCutFiles(),
		history = memoryHistory(),
		manual = createManualTimer(),
		log = silentLog,
	} = options;
	const state = { rawFrom: 0 };
	const rollups = await openRollups({
		files,
		folder: '/rollups',
		rollupDays: options.rollupDays ?? 3_650,
		minuteDays: options.minuteDays ?? 400,
		clock: manual.clock,
		log,
		setTimer: manual.setTimer,
	});
	const running = rollups.begin({
		history,
		unsealedHours: (device) => history.unsealedHours(device),
		rawFrom: () => epochMs(state.rawFrom),
		ruleOf: (_device, point) => (point === 'energy' ? COUNTER : null),
		devices: () => [deviceOf(1), deviceOf(2)],
	});
	// A box without any history finds that there is nothing to look for.
	if (options.history === undefined) await running.run();
	return {
		files,
		history,
		manual,
		state,
		rollups,
		running,
		/** Seals what was accepted and sums up what is due. */
		async settle(): Promise<void> {
			await history.seal(rollups.watcher);
			manual.clock.advance(QUIET_MS);
			await running.run();
		},
	};
}
