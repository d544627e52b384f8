import test from 'ava';

import { Fault } from '../../core/kernel/fault.ts';
import { parseRollups, rollupHour, rollupsMessage } from '../../core/link/rollup-messages.ts';
import { rollupBox } from '../fake/rollup-box.ts';
import { deviceOf } from '../fake/sample-readings.ts';
import { type Box, counts, DAY, DAY_MS, HOUR_MS, hourFrom } from './rollup-hours.ts';

/** The hour of one box as another one receives it. */
async function received(from: Box, hourMs: number) {
	const kept = await from.rollups.hourOf(deviceOf(1), hourMs);
	return kept === null ? [] : parseRollups(rollupsMessage([rollupHour(kept)]));
}

test('of an hour the fuller sums win, whoever has made them, and nothing is added up', async (t) => {
	const gateway = await rollupBox();
	gateway.history.accept(hourFrom(DAY));
	await gateway.settle();
	const hours = await received(gateway, DAY);
	t.is(hours.length, 1);

	const hub = await rollupBox();
	t.is(await hub.running.receive(hours), 1);
	t.is(await hub.running.receive(hours), 0, 'twice changes nothing');
	const spans = [
		[DAY, DAY + HOUR_MS],
		[DAY, DAY + DAY_MS],
		[Date.UTC(2025, 11), Date.UTC(2026, 0)],
	];
	for (const edges of spans) t.deepEqual(await counts(hub, edges), [1_200]);
	t.deepEqual(await counts(hub, [DAY, DAY + 60_000]), await counts(gateway, [DAY, DAY + 60_000]), 'a minute of it');

	hub.history.accept(hourFrom(DAY, 10));
	t.deepEqual(await counts(hub, [DAY, DAY + HOUR_MS]), [1_200], 'fewer samples of it have arrived');
	await hub.settle();
	for (const edges of spans) t.deepEqual(await counts(hub, edges), [1_200]);

	const fuller = await rollupBox();
	fuller.history.accept(hourFrom(DAY));
	fuller.history.accept(hourFrom(DAY + 1, 10));
	await fuller.settle();
	t.is(await fuller.running.receive(hours), 0);
	t.deepEqual(await counts(fuller, [DAY, DAY + HOUR_MS]), [1_210]);

	await hub.running.stop();
	await hub.rollups.stop();
	const again = await rollupBox({ files: hub.files, history: hub.history, manual: hub.manual });
	t.deepEqual(await counts(again, [DAY, DAY + HOUR_MS]), [1_200], 'after a restart');
});

test('when all samples of a received hour arrive after all, they take its place', async (t) => {
	const gateway = await rollupBox();
	gateway.history.accept(hourFrom(DAY));
	await gateway.settle();
	const hub = await rollupBox();
	await hub.running.receive(await received(gateway, DAY));
	hub.history.accept(hourFrom(DAY));
	hub.history.accept(hourFrom(DAY + 1, 10));
	await hub.settle();
	t.deepEqual(await counts(hub, [DAY, DAY + HOUR_MS]), [1_210]);
});

test('what is no rollup of one hour is refused by name', (t) => {
	for (const message of ['{}', '{"hours":[{"hour":"AAAA","minutes":null}]}', 'x'])
		t.throws(() => parseRollups(Buffer.from(message)), { instanceOf: Fault, message: /^rollups: / });
});
