import test from 'ava';

import { type LogFields, type Logger, silentLog } from '../../core/kernel/log.ts';
import { firstState } from '../../core/time/clock-state.ts';
import { createTimeBaseStore, type TimeBase } from '../../core/time/time-base-store.ts';
import { createPowerCutFiles } from '../fake/power-cut-files.ts';

const PATH = '/box/time-base.json';
const NOON = Date.UTC(2026, 10, 22, 12);

const base: TimeBase = {
	last: {
		bootId: 'boot-1',
		lineMs: 1_234.5,
		state: firstState({ lineMs: 1_000.25, wallMs: NOON, isSynchronized: null, hasRtc: true }, null),
	},
	eras: [
		{
			epoch: 3,
			firstSeq: 1,
			sharedThroughSeq: 0,
			sharedUntilMs: 1_000.25,
			bootId: 'boot-1',
			quality: 'unset',
			isEstimated: false,
			offsetMs: NOON,
			deltaMs: null,
			fromMs: 1_000.25,
			untilMs: null,
		},
	],
};

test('what was written is read again, also after the power was cut', async (t) => {
	const files = createPowerCutFiles();
	const store = createTimeBaseStore({ path: PATH, files, log: silentLog });
	t.deepEqual(await store.read(), { last: null, eras: [] });
	await store.write(base);
	files.cut(() => 0.5);
	t.deepEqual(await store.read(), base);
});

for (const [name, text] of [
	['torn', '{"last":null,"er'],
	['empty', ''],
	['of another shape', '{"last":null,"eras":[{"epoch":-1}]}'],
] as const) {
	test(`a file that is ${name} is said and begins anew`, async (t) => {
		const files = createPowerCutFiles();
		const said: string[] = [];
		const log: Logger = {
			...silentLog,
			error: (event: string, fields?: LogFields) => void said.push(`${event} ${fields?.['path']}`),
		};
		await files.writeText(PATH, text);
		t.deepEqual(await createTimeBaseStore({ path: PATH, files, log }).read(), { last: null, eras: [] });
		t.deepEqual(said, [`time-base-damaged ${PATH}`]);
	});
}
