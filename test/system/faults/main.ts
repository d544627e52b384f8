import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { messageOf } from '../../../core/kernel/fault.ts';
import { FAULTS_USAGE, parseFaultArguments } from './arguments.ts';
import { findFakeTime } from './fake-time.ts';
import { openFaultLog } from './fault-log.ts';
import { type RoundReport, runRound } from './fault-round.ts';
import { sayReport } from './report.ts';

/** Exit code of sysexits.h for a command line that was not understood. */
const EX_USAGE = 64;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function run(): Promise<boolean> {
	const { count, seed, kinds, perRound } = parseFaultArguments(process.argv.slice(2));
	const folder = join(tmpdir(), 'drawbridge-faults');
	const fakeTime = findFakeTime();
	if (fakeTime === null && kinds.includes('clock')) say('no clock jumps: libfaketime is not installed');
	const reports: RoundReport[] = [];
	for (let done = 0; done < count; done += perRound) {
		const roundSeed = seed + reports.length;
		const log = openFaultLog(join(folder, `seed-${roundSeed}.jsonl`));
		const size = Math.min(perRound, count - done);
		say(`seed ${roundSeed}: ${size} faults; history in ${log.path}`);
		const report = await runRound({ seed: roundSeed, count: size, kinds, fakeTime, log, say, keepIn: folder });
		reports.push(report);
		for (const line of sayReport(report)) say(line);
	}
	const wrong = reports.filter(({ complaints }) => complaints.length > 0);
	say(`${reports.length - wrong.length} of ${reports.length} rounds without a complaint`);
	return wrong.length === 0;
}

try {
	process.exit((await run()) ? 0 : 1);
} catch (error) {
	const isUsage = error instanceof RangeError || error instanceof TypeError;
	process.stderr.write(`faults: ${messageOf(error)}${isUsage ? `\nusage: ${FAULTS_USAGE}` : ''}\n`);
	process.exit(isUsage ? EX_USAGE : 1);
}
