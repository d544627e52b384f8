import { readFileSync } from 'node:fs';

import test, { type ExecutionContext } from 'ava';

import type { Connection } from '../../config/connection/connection.ts';
import { parseTemplate } from '../../config/template/template-schema.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { exchangeRoutes } from '../../gateway/template/exchange-routes.ts';
import { csvOf } from '../../gateway/template/export/table-export.ts';
import { thingModel } from '../../gateway/template/export/thing-description.ts';
import { importFile } from '../../gateway/template/import/import-formats.ts';
import { createImportService } from '../../gateway/template/import/import-service.ts';
import { createTemplateThread } from '../../gateway/template/template-thread.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { optionsOf } from '../fake/import-options.ts';
import { plainDevice } from '../fake/plain-device.ts';

const METER = parseTemplate('acme-meter', {
	manufacturer: 'Acme',
	model: 'M1',
	category: 'energy meter',
	transports: ['tcp'],
	options: [{ name: 'has_relay', label: 'Relay', type: 'boolean', default: false }],
	points: [
		{
			key: 'power',
			name: '=Power',
			function: 4,
			address: 2,
			count: 2,
			type: 'int32',
			byte_order: 'CDAB',
			scale: 0.1,
			unit: 'W',
			min: -5,
			max: 5,
		},
		{
			key: 'mode',
			name: 'Mode',
			function: 3,
			address: 9,
			count: 1,
			type: 'uint16',
			byte_order: 'AB',
			access: 'rw',
			enum: { 0: 'a|b', 1: 'c\\d' },
			write: { function: 16 },
		},
		{
			key: 'relay',
			name: 'Relay',
			function: 1,
			address: 0,
			count: 1,
			type: 'bool',
			access: 'rw',
			when: [{ option: 'has_relay', is: [true] }],
		},
	],
});

interface Property {
	readonly type: string;
	readonly readOnly: boolean;
	readonly forms: readonly Readonly<Record<string, unknown>>[];
}

const propertiesOf = (thing: object): Readonly<Record<string, Property>> =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the function under test gives
	Reflect.get(thing, 'properties') as Readonly<Record<string, Property>>;

async function server(t: ExecutionContext, connection: Connection | null, template: TemplateDocument = METER) {
	const device = plainDevice({
		id: deviceId('dd000000-0000-4000-8000-000000000001'),
		uid: deviceUid('meter-1'),
		connection,
	});
	const made = await bareServer(exchangeRoutes, {
		imports: createImportService({
			thread: createTemplateThread({ bases: new Map() }),
			current: () => template,
			log: silentLog,
		}),
		templates: { template: () => template },
		devices: { get: () => device },
	});
	t.teardown(() => made.stop());
	return made;
}

const overTcp: Connection = {
	driver: 'modbus',
	line: { transport: 'tcp', host: 'fe80::1', port: 1502 },
	unitId: 7,
	template: 'acme-meter',
	periodMs: 1000,
	timeoutMs: 500,
};

test('a Thing Model has every point with the terms of the Modbus binding', (t) => {
	const model = thingModel(METER);
	t.like(model, { '@type': 'tm:ThingModel', title: 'Acme M1', base: 'modbus+tcp://{{HOST}}:{{PORT}}/{{UNIT_ID}}/' });
	const { power, mode, relay } = propertiesOf(model);
	t.deepEqual([power?.type, power?.readOnly], ['number', true]);
	t.like(power?.forms[0], {
		href: '2?quantity=2',
		op: ['readproperty'],
		'modv:entity': 'InputRegister',
		'modv:type': 'xsd:int',
		'modv:mostSignificantByte': true,
		'modv:mostSignificantWord': false,
		'modv:zeroBasedAddressing': true,
	});
	t.deepEqual(
		mode?.forms.map(({ op, 'modv:function': name }) => [op, name]),
		[
			[['readproperty'], undefined],
			[['writeproperty'], 'writeMultipleHoldingRegisters'],
		],
	);
	t.like(relay?.forms[0], {
		href: '0?quantity=1',
		op: ['readproperty', 'writeproperty'],
		'modv:entity': 'Coil',
		'modv:type': 'xsd:boolean',
	});
});

test('cells that a spreadsheet would take for formulas are made harmless, and come back as they were', (t) => {
	const csv = csvOf(METER);
	t.true(csv.includes("'=Power"));
	t.false(/(?:^|,)"?=/m.test(csv));
	const { document } = importFile('csv', Buffer.from(csv), optionsOf());
	t.deepEqual(parseTemplate('acme-meter', document), METER);
});

test('texts of a number below zero are no formula either', (t) => {
	const points = METER.points.map((point) => (point.key === 'mode' ? { ...point, enum: { '-1': 'cmd' } } : point));
	const csv = csvOf({ ...METER, points });
	t.true(csv.includes("'-1=cmd"));
	t.deepEqual(parseTemplate('acme-meter', importFile('csv', Buffer.from(csv), optionsOf()).document), {
		...METER,
		points,
	});
});

test('a device on Modbus TCP is described as a Thing, with the points that it has', async (t) => {
	const api = await server(t, overTcp);
	const { statusCode, payload, headers } = await api.inject({
		url: '/devices/meter-1/thing-description',
		headers: bearer('viewer'),
	});
	t.is(statusCode, 200);
	t.regex(String(headers['content-type']), /application\/td\+json/);
	const thing: unknown = JSON.parse(payload);
	t.like(thing, { '@type': 'Thing', base: 'modbus+tcp://[fe80::1]:1502/7/', security: ['nosec_sc'] });
	t.deepEqual(Object.keys(propertiesOf(Object(thing))), ['power', 'mode']);
	const serial: Connection = {
		...overTcp,
		line: { transport: 'rtu', path: '/dev/ttyUSB0', baudRate: 9600, parity: 'none', dataBits: 8, stopBits: 1 },
	};
	const secured: Connection = { ...overTcp, line: { transport: 'tcp', host: 'box', port: 802, tls: {} } };
	for (const connection of [serial, secured]) {
		const other = await server(t, connection);
		const refused = await other.inject({ url: '/devices/meter-1/thing-description', headers: bearer('viewer') });
		t.is(refused.statusCode, 409);
		t.regex(refused.payload, /not on plain Modbus TCP/);
	}
});

test('REST: a template is exported in every format under its own name', async (t) => {
	const api = await server(t, null);
	for (const [format, type, begin] of [
		['json', /^application\/json/, '{'],
		['csv', /^text\/csv/, '# addressing'],
		['xlsx', /spreadsheetml/, 'PK'],
		['wot', /^application\/tm\+json/, '{'],
	] as const) {
		const answer = await api.inject({
			url: `/templates/acme-meter/export?format=${format}`,
			headers: bearer('viewer'),
		});
		t.is(answer.statusCode, 200, format);
		t.regex(String(answer.headers['content-type']), type);
		t.regex(String(answer.headers['content-disposition']), /filename="acme-meter\./);
		t.true(answer.rawPayload.toString('latin1').startsWith(begin), format);
	}
	t.is(
		(await api.inject({ url: '/templates/acme-meter/export?format=pdf', headers: bearer('viewer') })).statusCode,
		422,
	);
});

test('REST: a template of serial frames is exported as JSON only', async (t) => {
	const scale = JSON.parse(readFileSync('config/template/weighing-scale-ascii.json', 'utf8')) as unknown;
	const api = await server(t, null, parseTemplate('weighing-scale-ascii', scale));
	const asked = (format: string) =>
		api.inject({ url: `/templates/weighing-scale-ascii/export?format=${format}`, headers: bearer('viewer') });
	t.is((await asked('json')).statusCode, 200);
	for (const format of ['csv', 'xlsx', 'wot']) t.regex((await asked(format)).payload, /serial frames/);
});

test('REST: a file is previewed by whoever may store it; as text or as base64', async (t) => {
	const api = await server(t, null);
	const content = 'name,address,type\nPower,0,uint16\nWrong,x,uint16\n';
	const call = (role: 'viewer' | 'manager', payload: object) =>
		api.inject({ method: 'POST', url: '/templates/import', headers: bearer(role), payload });
	t.is((await call('viewer', { content })).statusCode, 403);
	const expected = {
		key: 'my-meter',
		format: 'csv',
		is_sound: false,
		notes: [
			{
				severity: 'mistake',
				line: 3,
				column: 2,
				field: 'address',
				value: 'x',
				sheet: null,
				cell: null,
				rule: 'must be a number, or name its table as in hr:0, 4x1 or 400001',
			},
		],
	};
	const text = await call('manager', { content, file_name: 'C:\\files\\My Meter.csv' });
	t.is(text.statusCode, 200);
	t.like(JSON.parse(text.payload), expected);
	const coded = await call('manager', {
		content: Buffer.from(content).toString('base64'),
		encoding: 'base64',
		file_name: 'My meter.csv',
	});
	t.like(JSON.parse(coded.payload), expected);
	t.is((await call('manager', { content: '%%', encoding: 'base64' })).statusCode, 422);
	const wide = await call('manager', { content: 'x'.repeat(1_100_000) });
	t.is(wide.statusCode, 422);
});
