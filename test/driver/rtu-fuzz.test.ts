import test from 'ava';

import { fuzzRtu } from '../fake/rtu-fuzz.ts';

test('of late, lost, damaged, doubled and echoed answers on lines with another master, none is given to the wrong request', async (t) => {
	const report = await fuzzRtu({ lines: 40, seconds: 4, seed: 1 });
	t.deepEqual(report.misattributed, []);
	t.true(report.answers > 100, `${report.answers} of ${report.exchanges} were answered`);
	const { quarantines, echoFrames, foreignFrames, crcErrors, noiseBytes } = report.counters;
	for (const [name, count] of Object.entries({ quarantines, echoFrames, foreignFrames, crcErrors, noiseBytes }))
		t.true(count > 0, `${name}: ${count}`);
});
