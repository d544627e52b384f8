import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { LIVE_FAULTS } from './faults/fault.ts';
import { findFakeTime } from './faults/fake-time.ts';
import { openFaultLog } from './faults/fault-log.ts';
import { runRound } from './faults/fault-round.ts';
import { sayReport } from './faults/report.ts';
import { lackPeer } from './kit/peer.ts';
import { systemSeeds } from './kit/seeds.ts';

// oxlint-disable-next-line node/no-process-env -- how a test run is told how long to take
const { DRAWBRIDGE_SYSTEM_FAULTS = '50' } = process.env;
/** A world of restores, full disks and deaths of both sides; and one with a broker that repeats and reorders. */
const FIXED_SEEDS = [483_549, 4002] as const;

for (const seed of systemSeeds(FIXED_SEEDS))
	test.serial(
		`random faults lose nothing that was acknowledged, double nothing, and leave no hole without a reason (seed ${seed})`,
		async (t) => {
			t.timeout(900_000);
			const fakeTime = findFakeTime();
			if (fakeTime === null) lackPeer(t, 'libfaketime');
			const folder = mkdtempSync(join(tmpdir(), 'drawbridge-faults-'));
			const report = await runRound({
				seed,
				count: Number(DRAWBRIDGE_SYSTEM_FAULTS),
				kinds: LIVE_FAULTS,
				fakeTime,
				log: openFaultLog(join(folder, 'history.jsonl')),
				say: (text) => t.log(text),
				keepIn: folder,
				isKept: false,
			});
			for (const line of sayReport(report)) t.log(line);
			t.deepEqual(report.complaints, [], `the history of the faults is in ${folder}`);
			rmSync(folder, { recursive: true });
		},
	);
