import test from 'ava';

import type { ModbusConnection } from '../../config/connection/connection.ts';
import { createTemplateCheck } from '../../config/template/template-check.ts';
import { assertTemplateFits } from '../../core/device/device-rules.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { point, template } from '../fake/plain-plan.ts';

const connection: ModbusConnection = {
	driver: 'modbus',
	line: { transport: 'tcp', host: '192.0.2.1', port: 502 },
	unitId: 1,
	template: 'plain',
	periodMs: 1_000,
	timeoutMs: 1_000,
};

const phases = {
	name: 'phases',
	label: 'Phases',
	type: 'number',
	default: 3,
	choices: [{ value: 3, label: 'three' }],
} as const;
const known = createTemplateCheck(new Map([['plain', template([point('power', 0)], { options: [phases] })]]));

const rows: readonly (readonly [over: Partial<ModbusConnection>, field: string | null])[] = [
	[{}, null],
	[{ options: [{ name: 'phases', value: 3 }], overrides: [{ point: 'power', scale: 10 }] }, null],
	[{ template: 'nobody' }, 'connection.template'],
	[{ options: [{ name: 'phases', value: 1 }] }, 'connection.options.0.value'],
	[{ options: [{ name: 'tariff', value: 1 }] }, 'connection.options.0.name'],
	[{ overrides: [{ point: 'power' }, { point: 'voltage' }] }, 'connection.overrides.1.point'],
];

const fit = (over: Partial<ModbusConnection>): void => assertTemplateFits({ ...connection, ...over }, known);

for (const [over, field] of rows)
	test(`a connection with ${JSON.stringify(over)} ${field === null ? 'fits its template' : `is refused at ${field}`}`, (t) => {
		if (field === null) t.notThrows(() => fit(over));
		else t.is(t.throws(() => fit(over), { instanceOf: Fault }).field, field);
	});

test('where nobody knows the templates any of their options is taken', (t) => {
	const options = [{ name: 'phases', value: 1 }];
	t.notThrows(() => assertTemplateFits({ ...connection, options }, { has: () => true }));
	t.notThrows(() => assertTemplateFits(null, known));
	t.notThrows(() => assertTemplateFits({ driver: 'mqtt' }, known));
});
