import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { openFaultLog } from './faults/fault-log.ts';
import { sayCuts } from './faults/report.ts';
import { lackPeer } from './kit/peer.ts';
import { systemSeeds } from './kit/seeds.ts';
import { runPowerCuts } from './power-cut/power-cut-run.ts';
import { buildRecorder } from './power-cut/recorder.ts';

// oxlint-disable-next-line node/no-process-env -- how a test run is told how long to take
const { DRAWBRIDGE_SYSTEM_CUTS = '20' } = process.env;

test.serial(
	'wherever the power goes, both sides open what is left, and nothing that was promised is missing or twice',
	async (t) => {
		t.timeout(900_000);
		const folder = mkdtempSync(join(tmpdir(), 'drawbridge-cuts-'));
		const recorder = buildRecorder(folder);
		if (recorder === null) {
			rmSync(folder, { recursive: true });
			lackPeer(t, 'a C compiler');
			return;
		}
		const [seed] = systemSeeds([20_261]);
		const report = await runPowerCuts({
			seed,
			cuts: Number(DRAWBRIDGE_SYSTEM_CUTS),
			recorder,
			folder,
			log: openFaultLog(join(folder, 'history.jsonl')),
			say: (text) => t.log(text),
		});
		for (const line of sayCuts(seed, report)) t.log(line);
		t.true(report.flushes > 0, 'something was recorded');
		t.deepEqual(report.complaints, [], `folders and record are in ${folder}`);
		rmSync(folder, { recursive: true });
	},
);
