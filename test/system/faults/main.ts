import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { messageOf } from '../../../core/kernel/fault.ts';
import { runPowerCuts } from '../power-cut/power-cut-run.ts';
import { buildRecorder } from '../power-cut/recorder.ts';
import { type FaultArguments, FAULTS_USAGE, parseFaultArguments } from './arguments.ts';
import { findFakeTime } from './fake-time.ts';
import { openFaultLog } from './fault-log.ts';
import { runRound } from './fault-round.ts';
import { sayCuts, sayReport } from './report.ts';

/** Exit code of sysexits.h for a command line that was not understood. */
const EX_USAGE = 64;
const FOLDER = join(tmpdir(), 'drawbridge-faults');

const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface RoundPlace {
	readonly seed: number;
	readonly count: number;
	readonly kinds: FaultArguments['kinds'];
	readonly keep: boolean;
}

/** @returns whether nothing was wrong */
async function faultRound({ seed, count, kinds, keep }: RoundPlace): Promise<boolean> {
	const log = openFaultLog(join(FOLDER, `seed-${seed}.jsonl`));
	say(`seed ${seed}: ${count} faults; history in ${log.path}`);
	const report = await runRound({
		seed,
		count,
		kinds,
		fakeTime: findFakeTime(),
		log,
		say,
		keepIn: FOLDER,
		isKept: keep,
	});
	for (const line of sayReport(report)) say(line);
	return report.complaints.length === 0;
}

/** @returns whether nothing was wrong */
async function powerCutRound({ seed, count }: RoundPlace): Promise<boolean> {
	const folder = join(FOLDER, `power-cut-${seed}`);
	mkdirSync(folder, { recursive: true });
	const recorder = buildRecorder(folder);
	if (recorder === null) throw new Error('no C compiler is installed, which the recorder needs');
	const log = openFaultLog(join(folder, 'history.jsonl'));
	say(`seed ${seed}: ${count} power cuts; history in ${log.path}`);
	const report = await runPowerCuts({ seed, cuts: count, recorder, folder, log, say });
	for (const line of sayCuts(seed, report)) say(line);
	return report.complaints.length === 0;
}

async function run(): Promise<boolean> {
	const { count, seed, kinds, perRound, keep } = parseFaultArguments(process.argv.slice(2));
	if (findFakeTime() === null && kinds.includes('clock')) say('no clock jumps: libfaketime is not installed');
	const round = kinds.length === 0 ? powerCutRound : faultRound;
	let rounds = 0;
	let good = 0;
	for (let done = 0; done < count; done += perRound) {
		// Seeds of the rounds of a run follow each other.
		if (await round({ seed: seed + rounds, count: Math.min(perRound, count - done), kinds, keep })) good += 1;
		rounds += 1;
	}
	say(`${good} of ${rounds} rounds without a complaint`);
	return good === rounds;
}

try {
	process.exit((await run()) ? 0 : 1);
} catch (error) {
	const isUsage = error instanceof RangeError || error instanceof TypeError;
	process.stderr.write(`faults: ${messageOf(error)}${isUsage ? `\nusage: ${FAULTS_USAGE}` : ''}\n`);
	process.exit(isUsage ? EX_USAGE : 1);
}
