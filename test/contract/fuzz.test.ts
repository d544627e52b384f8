import test from 'ava';

import { startFuzzGateway } from './fuzz/fuzz-gateway.ts';
import { runFuzz } from './fuzz/fuzz-run.ts';

/** A run that failed is repeated with the seed it printed. */
const SEED = 20_261_122;
const REQUESTS = 5_000;

/** What a process may grow by while its code gets warm: the long run shows that it stays there. */
const WARM_MIB = 120;

test('of 5 000 generated requests, valid, nearly valid and hostile, none breaks or hangs the gateway', async (t) => {
	t.timeout(300_000);
	const target = await startFuzzGateway(t);
	const report = await runFuzz(target, { seed: SEED, requests: REQUESTS, parallel: 8, withinMs: 10_000 });
	t.log(`seed ${SEED}, ${report.seconds} s, slowest ${report.slowestMs} ms, MiB ${report.rssMiB.join(' ')}`);
	t.log(JSON.stringify(report.byStatus), `${report.succeeded} of ${report.operations} operations succeeded`);
	t.deepEqual(report.failures, []);
	t.true((report.rssMiB.at(-1) ?? 0) - (report.rssMiB[0] ?? 0) < WARM_MIB);
	// Enough of them reach their work; what they do to each other is left to chance.
	t.true(report.succeeded > report.operations / 3);
});
