import test from 'ava';

import type { ModbusConnection, ModbusTuning, PollClass } from '../../config/connection/connection.ts';
import { shownBy } from '../../core/telemetry/point-facts.ts';

const plain: ModbusConnection = {
	driver: 'modbus',
	line: { transport: 'tcp', host: '192.0.2.1', port: 502 },
	unitId: 1,
	template: 'acme-meter-1',
	periodMs: 10_000,
	timeoutMs: 1_000,
};

const rows: readonly (readonly [
	poll: PollClass | null,
	isSetting: boolean,
	staleAfterMs: number,
	tuning?: ModbusTuning,
])[] = [
	[null, false, 30_000],
	['normal', true, 30_000],
	[null, true, 1_800_000],
	['fast', false, 30_000],
	['fast', false, 6_000, { fastPeriodMs: 2_000 }],
	['slow', false, 300_000],
	['slow', false, 90_000, { slowPeriodMs: 30_000 }],
	['once', false, Number.POSITIVE_INFINITY],
	['on-demand', true, Number.POSITIVE_INFINITY],
];

for (const [poll, isSetting, staleAfterMs, tuning] of rows)
	test(`a ${isSetting ? 'setting' : 'value'} of class ${poll ?? 'none'} is stale after ${staleAfterMs} ms${tuning === undefined ? '' : ' as tuned'}`, (t) => {
		const connection = tuning === undefined ? plain : { ...plain, tuning };
		const facts = { unit: 'W', isSetting, ...(poll === null ? {} : { poll }) };
		t.deepEqual(shownBy({ connection }, () => facts)('power'), { unit: 'W', staleAfterMs });
	});
