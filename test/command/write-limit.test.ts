import test from 'ava';

import { startDeviceServer } from '../fake/device-server.ts';
import { mbap } from '../fake/framings.ts';
import { createPduDevice } from '../fake/pdu-device.ts';
import { point, template } from '../fake/plain-plan.ts';
import { writeBox } from '../fake/write-box.ts';
import { target } from '../fake/write-target.ts';

const limit = { writes: 2, seconds: 60 };
const MODEL = template([
	point('watch', 900),
	target('spared', 10, { limit }),
	target('safe', 11, { limit, revert: { value: 0, seconds: 600 } }),
	target('other', 12, {}),
]);

test('a point is not written more often than its template allows, and the command says when it may be again', async (t) => {
	const device = createPduDevice();
	const server = await startDeviceServer(device, mbap);
	t.teardown(() => server.stop());
	const { write, timer } = await writeBox(t, server.port, { template: MODEL });
	const statusOf = async (key: string, value: number) => (await write({ point: key, value })).status;
	t.is(await statusOf('spared', 1), 'executed');
	timer.clock.advance(20_000);
	t.is(await statusOf('spared', 2), 'executed');
	timer.clock.advance(10_000);
	const { status, error } = await write({ points: [{ point: 'spared', value: 3 }] });
	t.is(status, 'failed');
	t.is(error, 'spared is written at most 2 times in 60 s; it may be again in 30 s');
	t.is(await statusOf('other', 3), 'executed');
	timer.clock.advance(30_000);
	t.is(await statusOf('spared', 4), 'executed', 'what was refused does not count');
	t.is(await statusOf('spared', 5), 'failed');
	const sent = device.asked.map((pdu) => pdu.toString('hex')).filter((hex) => hex.startsWith('06000a'));
	t.deepEqual(sent, ['06000a0001', '06000a0002', '06000a0004']);
});

test('the safe value is never too soon', async (t) => {
	const server = await startDeviceServer(createPduDevice(), mbap);
	t.teardown(() => server.stop());
	const { write } = await writeBox(t, server.port, { template: MODEL });
	const statuses: string[] = [];
	for (const value of [1, 2, 3, 0]) statuses.push((await write({ point: 'safe', value })).status);
	t.deepEqual(statuses, ['executed', 'executed', 'failed', 'executed']);
});
