import { parseArgs } from 'node:util';

import { messageOf } from '../core/kernel/fault.ts';

/** Exit code of sysexits.h for a command line that was not understood. */
const EX_USAGE = 64;

interface Outcome {
	readonly report: string;
	readonly isWithinLimits: boolean;
}

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		rounds: { type: 'string', default: '3' },
		warm: { type: 'string', default: '3' },
		seconds: { type: 'string', default: '10' },
		'backlog-mb': { type: 'string', default: '64' },
		samples: { type: 'string', default: '10000000' },
	},
});
const options = {
	rounds: Number(values.rounds),
	warmSeconds: Number(values.warm),
	seconds: Number(values.seconds),
	backlogMb: Number(values['backlog-mb']),
	samples: Number(values.samples),
};

/** The benches by name; each is loaded only when it is asked for. */
const BENCHES: Readonly<Record<string, () => Promise<Outcome>>> = {
	card: async () => (await import('./card-bench.ts')).runCardBench(),
	ingest: async () => (await import('./ingest-bench.ts')).runIngestBench(options),
	system: async () => (await import('./system-bench.ts')).runSystemBench(options),
	'end-to-end': async () => (await import('./end-to-end-bench.ts')).runEndToEndBench(options),
	drain: async () => (await import('./drain-bench.ts')).runDrainBench(),
	fleet: async () => (await import('./fleet-bench.ts')).runFleetBench(),
	'fleet-poll': async () => (await import('./fleet-poll-bench.ts')).runFleetPollBench(options),
	plan: async () => (await import('./plan-bench.ts')).runPlanBench(),
	start: async () => (await import('./start-bench.ts')).runStartBench(options),
	memory: async () => (await import('./memory-bench.ts')).runMemoryBench(options),
	http: async () => (await import('./http-bench.ts')).runHttpBench(options),
	realtime: async () => (await import('./realtime-bench.ts')).runRealtimeBench(options),
	alerts: async () => (await import('./alert-bench.ts')).runAlertBench(),
	decode: async () => (await import('./decode-bench.ts')).runDecodeBench(),
	'modbus-tcp': async () => (await import('./modbus-tcp-bench.ts')).runModbusTcpBench(options),
	mqtt: async () => (await import('./mqtt-bench.ts')).runMqttBench(options),
	journal: async () => (await import('./journal-bench.ts')).runJournalBench(),
	rtu: async () => (await import('./rtu-bench.ts')).runRtuBench(options),
	'rtu-fuzz': async () => (await import('./rtu-fuzz-bench.ts')).runRtuFuzz(options),
	rollups: async () => (await import('./rollup-bench.ts')).runRollupBench(),
	history: async () => (await import('./history-bench.ts')).runHistoryBench(options),
};

async function run(names: readonly string[]): Promise<boolean> {
	let areWithinLimits = true;
	for (const name of names) {
		console.log(`\n## ${name}\n`);
		const outcome = await BENCHES[name]?.();
		if (outcome === undefined) continue;
		console.log(outcome.report);
		console.log(outcome.isWithinLimits ? '\nwithin its limits' : '\nNOT within its limits');
		areWithinLimits &&= outcome.isWithinLimits;
	}
	return areWithinLimits;
}

const names = positionals.length === 0 ? Object.keys(BENCHES) : positionals;
const unknown = names.find((name) => !Object.hasOwn(BENCHES, name));
const isUsable = unknown === undefined && Object.values(options).every((value) => Number.isFinite(value) && value > 0);
if (!isUsable) {
	console.error(
		`usage: bench [NAME]... [--rounds N] [--warm SECONDS] [--seconds SECONDS] [--backlog-mb MB] [--samples N]`,
	);
	console.error(
		`names: ${Object.keys(BENCHES).join(', ')}${unknown === undefined ? '' : `; there is no "${unknown}"`}`,
	);
	process.exit(EX_USAGE);
}
try {
	process.exit((await run(names)) ? 0 : 1);
} catch (error) {
	console.error(messageOf(error));
	process.exit(1);
}
