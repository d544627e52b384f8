import { parseArgs } from 'node:util';

import { fuzzBus } from './bus-fuzz.ts';

/** Growth of memory that a run may show after its first tenth, MiB: what the collector has not come to yet. */
const MOST_GROWTH_MIB = 60;

/** `node main.js [--minutes N] [--seed N]`: prints what came of each line; ends with 1 after a wrong value or a leak. */
const { values } = parseArgs({
	options: {
		minutes: { type: 'string', default: '60' },
		seed: { type: 'string', default: String(Date.now() % 1_000_000) },
	},
});
const report = await fuzzBus(Number(values.minutes) * 60, Number(values.seed));
console.log(JSON.stringify({ seed: Number(values.seed), minutes: Number(values.minutes), ...report }, null, '\t'));
const [warm, last] = report.rssMib;
const isSound = report.results.every(({ wrong, right }) => wrong === 0 && right > 0);
process.exitCode = isSound && last - warm <= MOST_GROWTH_MIB ? 0 : 1;
