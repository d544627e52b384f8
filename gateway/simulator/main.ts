import { createInterface } from 'node:readline';

import { systemClock } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import { obey } from './simulator-control.ts';
import { SIMULATOR_USAGE, parseSimulatorOptions } from './simulator-options.ts';
import { type Simulator, startSimulator } from './simulator.ts';

/** Exit code of sysexits.h for a command line that was not understood. */
const EX_USAGE = 64;

/** Runs until standard input ends or a signal comes: a simulator never outlives the process that steers it. */
async function run(simulator: Simulator): Promise<void> {
	const ended = new Promise<void>((resolve) => {
		for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve());
		const lines = createInterface({ input: process.stdin });
		lines.on('line', (line) => process.stdout.write(`${obey(simulator.slaves, line)}\n`));
		lines.once('close', () => resolve());
	});
	const ready = {
		event: 'ready',
		lines: simulator.lines.map(({ unitIds, ...line }) => ({ ...line, unit_ids: unitIds })),
		helper_pids: simulator.helperPids,
	};
	process.stdout.write(`${JSON.stringify(ready)}\n`);
	await ended;
	await simulator.stop();
}

try {
	const options = parseSimulatorOptions(process.argv.slice(2));
	await run(await startSimulator(options, systemClock));
	process.exit(0);
} catch (error) {
	const isUsage = error instanceof RangeError || error instanceof TypeError;
	console.error(`simulator: ${messageOf(error)}${isUsage ? `\nusage: ${SIMULATOR_USAGE}` : ''}`);
	process.exit(isUsage ? EX_USAGE : 1);
}
