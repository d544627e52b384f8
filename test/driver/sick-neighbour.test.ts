import test from 'ava';

import type { Line } from '../../config/connection/connection.ts';
import { point, template } from '../fake/plain-plan.ts';
import { createSimulatedDriver, simulatedDevice } from '../fake/simulated-driver.ts';
import type { SimulatedReply } from '../fake/simulated-line.ts';

const line: Line = {
	transport: 'rtu',
	path: '/dev/ttyS0',
	baudRate: 115_200,
	parity: 'none',
	dataBits: 8,
	stopBits: 1,
};
const PERIOD_MS = 250;
const TIMEOUT_MS = 200;
const SICK_UNIT = 2;
const PERIODS = 240;

const sicknesses: readonly (readonly [name: string, reply: SimulatedReply])[] = [
	['answers that it has failed', { afterMs: 25, exception: 4 }],
	['answers that it is busy', { afterMs: 25, exception: 6 }],
	// The line is held for a while behind bytes that nobody can read.
	['answers garbage', { afterMs: 150, isDamaged: true }],
	['answers too late', { afterMs: TIMEOUT_MS + 60 }],
	['is silent', 'silence'],
];

for (const [name, reply] of sicknesses) {
	test(`a device that ${name} from some moment on leaves the others of its line their periods`, async (t) => {
		let isSick = false;
		const { driver, time, good, clear } = createSimulatedDriver({
			templates: [template(Array.from({ length: 5 }, (_, index) => point(`p${index}`, index)))],
			slave:
				() =>
				({ unitId }) =>
					unitId === SICK_UNIT && isSick ? reply : { afterMs: 5 },
		});
		const pace = { periodMs: PERIOD_MS, timeoutMs: TIMEOUT_MS };
		await driver.apply([1, SICK_UNIT, 3].map((unitId) => simulatedDevice(unitId, line, pace)));
		await time.run(10_000);
		isSick = true;
		clear();
		await time.run(PERIODS * PERIOD_MS);
		await driver.stop();
		t.is(good(SICK_UNIT).length, 0);
		for (const unitId of [1, 3]) {
			const { length } = good(unitId);
			t.true(length >= 0.9 * PERIODS && length <= PERIODS + 1, `unit ${unitId} was read ${length} times`);
		}
	});
}
