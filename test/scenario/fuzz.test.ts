import test from 'ava';

import { fuzzBus } from './fuzz/bus-fuzz.ts';

const SECONDS = 8;
const SEED = 20_261_122;

test('late, lost and damaged answers on RTU, RTU over TCP and TCP never put a value under a wrong name', async (t) => {
	const { results } = await fuzzBus(SECONDS, SEED);
	for (const { line, asked, right, wrong, examples, failures, faults } of results) {
		t.log(
			`${line}: ${asked} asked, ${right} right, failures ${JSON.stringify(failures)}, done ${JSON.stringify(faults)}`,
		);
		t.is(wrong, 0, `${line}: ${examples.join('\n')}`);
		t.true(right > 20, line);
		t.true((failures['timeout'] ?? 0) > 0, line);
		t.true((faults['late'] ?? 0) > 0 && (faults['damaged'] ?? 0) > 0, line);
	}
});
