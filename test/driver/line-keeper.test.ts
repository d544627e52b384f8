import test from 'ava';

import { silentLog } from '../../core/kernel/log.ts';
import { createLineKeeper } from '../../gateway/driver/line-keeper.ts';
import { createManualTimer } from '../fake/manual-timer.ts';

/** Lets everything happen that waits for no timer. */
const settle = async (): Promise<void> => {
	for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('a line that failed keeps its pause, also when its port was lent meanwhile and is given back', async (t) => {
	const time = createManualTimer();
	let attempts = 0;
	const keeper = createLineKeeper({
		name: 'rtu /dev/ttyUSB0 9600 8N1',
		createLine: () => ({
			open: () => {
				attempts += 1;
				return Promise.reject(new Error('there is no such port'));
			},
			close: () => Promise.resolve(),
		}),
		opened: () => undefined,
		failed: () => undefined,
		setTimer: time.setTimer,
		log: silentLog,
		random: () => 0.5,
	});
	keeper.want(true);
	await settle();
	t.is(attempts, 1);
	for (let lent = 0; lent < 50; lent += 1) {
		await keeper.suspend('its port is used for a while');
		keeper.resume();
		await settle();
	}
	t.is(attempts, 1, 'nobody tries again before the pause is over');
	time.advance(600_000);
	await settle();
	t.true(attempts > 1);
	await keeper.stop();
});
