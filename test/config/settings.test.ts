import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import fc from 'fast-check';

import { nearest } from '../../config/known-keys.ts';
import { readAdministrator, readSettings, readSettingsFile } from '../../config/read-settings.ts';
import { SettingsFault, type SettingsMistake } from '../../config/settings-fault.ts';
import type { Connection } from '../../config/connection/connection.ts';

function mistakesOf(read: () => unknown): readonly SettingsMistake[] {
	try {
		read();
	} catch (error) {
		if (error instanceof SettingsFault) return error.mistakes;
		throw error;
	}
	return [];
}

const gateway = (text: string, environment: Readonly<Record<string, string>> = {}) =>
	readSettings({ role: 'gateway', file: { path: 'gateway.yaml', text }, environment });

const gatewayMistakes = (text: string, environment: Readonly<Record<string, string>> = {}) =>
	mistakesOf(() => gateway(text, environment));

test('without file and environment the documented defaults hold', (t) => {
	const settings = readSettings({ role: 'gateway', environment: {} });
	t.deepEqual(settings.http, { host: '0.0.0.0', port: 8000, requestsPerSecond: 30, corsOrigins: [] });
	t.deepEqual(settings.https, { enabled: true, host: '0.0.0.0', port: 8443 });
	t.deepEqual(settings.mqtt, { host: '0.0.0.0', port: 1883 });
	t.deepEqual(settings.mqttTls, { enabled: true, host: '0.0.0.0', port: 8883 });
	t.deepEqual(settings.journal, {
		flushIntervalMs: 1_000,
		flushBytes: 65_536,
		minFlushGapMs: 20,
		segmentBytes: 4_194_304,
		maxBytes: 2_147_483_648,
		minFreeBytes: 67_108_864,
	});
	t.deepEqual(settings.uplink, {
		hubUrl: '',
		enrolmentCode: '',
		linkHost: '',
		linkPort: 0,
		backfillBytesPerSecond: 1_048_576,
		remoteCalls: true,
	});
	t.deepEqual(settings.templates, { folder: '' });
	t.deepEqual(settings.identity, { accessTokenMinutes: 30, refreshTokenDays: 30, registration: 'closed' });
	t.is(settings.history.retentionDays, 365);
	t.is(settings.log.level, 'info');
	t.deepEqual(settings.devices, []);

	const hub = readSettings({ role: 'hub', environment: {} });
	t.deepEqual(hub.http, { host: '0.0.0.0', port: 8101, requestsPerSecond: 30, corsOrigins: [] });
	t.deepEqual(hub.https, { enabled: true, host: '0.0.0.0', port: 8444 });
	t.deepEqual(hub.link, { host: '0.0.0.0', port: 8884, publicHost: '' });
});

test('the example files are valid and show the defaults', async (t) => {
	const file = await readSettingsFile(join(process.cwd(), 'config/example/gateway.yaml'));
	const { devices, ...rest } = readSettings({ role: 'gateway', file, environment: {} });
	const { devices: none, ...defaults } = readSettings({ role: 'gateway', environment: {} });
	t.deepEqual(rest, defaults);
	t.deepEqual(none, []);
	t.deepEqual(
		devices.map(({ uid, connection }) => [uid, connection.driver]),
		[
			['meter-main', 'modbus'],
			['meter-solar', 'modbus'],
			['door-sensor', 'mqtt'],
		],
	);

	const hubFile = await readSettingsFile(join(process.cwd(), 'config/example/hub.yaml'));
	t.deepEqual(
		readSettings({ role: 'hub', file: hubFile, environment: {} }),
		readSettings({ role: 'hub', environment: {} }),
	);
});

test('a declared device has the names of the product and the defaults of its line', (t) => {
	const { devices } = gateway(`
devices:
  - uid: m1
    name: Meter
    device_type: energy_meter
    connection: { driver: modbus, unit_id: 7, template: eastron-sdm630, line: { transport: rtu, path: /dev/ttyUSB0 } }
`);
	t.deepEqual(devices[0], {
		uid: 'm1',
		name: 'Meter',
		deviceType: 'energy_meter',
		connection: {
			driver: 'modbus',
			line: { transport: 'rtu', path: '/dev/ttyUSB0', baudRate: 9_600, parity: 'none', dataBits: 8, stopBits: 1 },
			unitId: 7,
			template: 'eastron-sdm630',
			periodMs: 1_000,
			timeoutMs: 1_000,
		},
	});
});

test('a declared connection is a connection of the product as it stands', (t) => {
	const { devices } = gateway('devices: [{uid: a, name: A, device_type: t, connection: {driver: mqtt}}]');
	const connection: Connection | undefined = devices[0]?.connection;
	t.deepEqual(connection, { driver: 'mqtt' });
});

test('the environment wins over the file and is converted', (t) => {
	const settings = gateway('http: { port: 9000, host: 127.0.0.1 }', {
		DRAWBRIDGE_HTTP_PORT: '0',
		DRAWBRIDGE_SITE_NAME: '42',
		DRAWBRIDGE_JOURNAL_MIN_FLUSH_GAP_MS: '50',
		DRAWBRIDGE_DEVICES: '[{uid: a, name: A, device_type: t, connection: {driver: mqtt}}]',
		DRAWBRIDGE_ADMIN_EMAIL: 'not a setting',
		PATH: '/bin',
	});
	t.like(settings.http, { host: '127.0.0.1', port: 0 });
	t.is(settings.site.name, '42');
	t.is(settings.journal.minFlushGapMs, 50);
	t.is(settings.devices[0]?.uid, 'a');
});

test('settings cannot be changed, at any depth', (t) => {
	const settings = gateway('devices: [{uid: a, name: A, device_type: t, connection: {driver: mqtt}}]');
	t.true(Object.isFrozen(settings));
	t.true(Object.isFrozen(settings.http));
	t.true(Object.isFrozen(settings.devices));
	t.true(Object.isFrozen(settings.devices[0]?.connection));
});

test('a section whose keys are all commented out has its defaults', (t) => {
	t.is(gateway('http:\n  # port: 1\ndevices:\n').http.port, 8000);
	t.is(gateway('').http.port, 8000);
	t.is(gateway('http:\n', { DRAWBRIDGE_HTTP_PORT: '8' }).http.port, 8);
});

const refused: readonly {
	readonly name: string;
	readonly text: string;
	readonly environment?: Readonly<Record<string, string>>;
	readonly path: string;
	readonly message: RegExp;
}[] = [
	{
		name: 'broken YAML',
		text: 'http:\n  port: [1',
		path: 'gateway.yaml',
		message: /^line \d+, column \d+: not valid YAML/,
	},
	{ name: 'a key written twice', text: 'site: {}\nsite: {}', path: 'gateway.yaml', message: /line 2, column 1/ },
	{ name: 'an alias without anchor', text: 'site: *nowhere', path: 'gateway.yaml', message: /alias/ },
	{ name: 'a list at the top', text: '- http', path: 'gateway.yaml', message: /mapping of sections/ },
	{ name: 'an unknown key', text: 'http: { prot: 1 }', path: 'http.prot', message: /did you mean port\?/ },
	{ name: 'an unknown section', text: 'jurnal: {}', path: 'jurnal', message: /did you mean journal\?/ },
	{ name: 'a key like nothing known', text: 'zzzzzzzzz: 1', path: 'zzzzzzzzz', message: /^no such setting$/ },
	{ name: 'a key of the other role', text: 'link: {}', path: 'link', message: /no such setting/ },
	{
		name: 'no requests at all',
		text: 'http: { requests_per_second: 0 }',
		path: 'http.requests_per_second',
		message: /greater than or equal to 1; found 0$/,
	},
	{
		name: 'every origin at once',
		text: "http: { cors_origins: ['*'] }",
		path: 'http.cors_origins.0',
		message: /must be an origin/,
	},
	{
		name: 'an origin with a path',
		text: "http: { cors_origins: ['https://panel.example.com/'] }",
		path: 'http.cors_origins.0',
		message: /without a path/,
	},
	{ name: 'a port out of range', text: 'http: { port: 70000 }', path: 'http.port', message: /65535; found 70000$/ },
	{ name: 'a word for a number', text: 'http: { port: web }', path: 'http.port', message: /number; found "web"$/ },
	{ name: 'a section of the wrong kind', text: 'http: 80', path: 'http', message: /object/ },
	{
		name: 'a quota below one segment',
		text: 'journal: { max_bytes: 2000000 }',
		path: 'journal.max_bytes',
		message: /2000000/,
	},
	{
		name: 'an address of the hub without scheme',
		text: 'uplink: { hub_url: hub.local }',
		path: 'uplink.hub_url',
		message: /uri/,
	},
	{
		name: 'a bad value of the environment, with its variable',
		text: '',
		environment: { DRAWBRIDGE_LOG_LEVEL: 'loud' },
		path: 'log.level (from DRAWBRIDGE_LOG_LEVEL)',
		message: /"loud"/,
	},
	{
		name: 'an unknown variable',
		text: '',
		environment: { DRAWBRIDGE_HTP_PORT: '1' },
		path: 'DRAWBRIDGE_HTP_PORT',
		message: /did you mean DRAWBRIDGE_HTTP_PORT\?/,
	},
	{
		name: 'a unit id that a serial line cannot have',
		text: 'devices: [{uid: a, name: A, device_type: t, connection: {driver: modbus, unit_id: 0, template: x, line: {transport: rtu, path: /dev/x}}}]',
		path: 'devices.0.connection.unit_id',
		message: /1; found 0/,
	},
	{
		name: 'a line of an unknown kind',
		text: 'devices: [{uid: a, name: A, device_type: t, connection: {driver: modbus, unit_id: 1, template: x, line: {transport: udp}}}]',
		path: 'devices.0.connection.line.transport',
		message: /tcp, rtu/,
	},
	{
		name: 'an unknown key of a device, with the nearest of its line',
		text: 'devices: [{uid: a, name: A, device_type: t, connection: {driver: modbus, unit_id: 1, template: x, line: {transport: rtu, path: /dev/x, baudrate: 1}}}]',
		path: 'devices.0.connection.line.baudrate',
		message: /did you mean baud_rate\?/,
	},
	{
		name: 'a device without connection',
		text: 'devices: [{uid: a, name: A, device_type: t}]',
		path: 'devices.0.connection',
		message: /is missing/,
	},
	{
		name: 'two devices with one uid',
		text: 'devices: [{uid: a, name: A, device_type: t, connection: {driver: mqtt}}, {uid: a, name: B, device_type: t, connection: {driver: mqtt}}]',
		path: 'devices.1',
		message: /declared twice/,
	},
];

for (const { name, text, environment, path, message } of refused) {
	test(`refused with its path: ${name}`, (t) => {
		const mistakes = gatewayMistakes(text, environment);
		t.is(mistakes.length, 1, JSON.stringify(mistakes));
		t.is(mistakes[0]?.path, path);
		t.regex(mistakes[0]?.message ?? '', message);
	});
}

test('all mistakes are told at once', (t) => {
	const mistakes = gatewayMistakes('http: { prot: 1, port: -1 }\nlog: { level: loud }', {
		DRAWBRIDGE_MQTT_PORT: 'x',
		DRAWBRIDGE_NOPE: '1',
	});
	t.deepEqual(mistakes.map(({ path }) => path).toSorted(), [
		'DRAWBRIDGE_NOPE',
		'http.port',
		'http.prot',
		'log.level',
		'mqtt.port (from DRAWBRIDGE_MQTT_PORT)',
	]);
});

test('the value of a secret is never repeated', (t) => {
	const secret = 'K'.repeat(2_000);
	const inFile = gatewayMistakes(`uplink: { enrolment_code: ${secret} }`);
	const inEnvironment = gatewayMistakes('', { DRAWBRIDGE_UPLINK_ENROLMENT_CODE: secret });
	const inBrokenLine = gatewayMistakes(`uplink: { enrolment_code: "KKKK\nhttp: [`);
	for (const mistakes of [inFile, inEnvironment, inBrokenLine]) {
		t.true(mistakes.length > 0);
		t.notRegex(JSON.stringify(mistakes), /KKKK/);
	}
});

test('a settings file that is not there is a mistake of the settings', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'settings-'));
	try {
		await writeFile(join(folder, 'a.yaml'), 'http: { port: 1 }');
		t.is((await readSettingsFile(join(folder, 'a.yaml'))).text, await readFile(join(folder, 'a.yaml'), 'utf8'));
		const error = await t.throwsAsync(readSettingsFile(join(folder, 'b.yaml')), { instanceOf: SettingsFault });
		t.regex(error.message, /b\.yaml: .*ENOENT/);
	} finally {
		await rm(folder, { recursive: true });
	}
});

const administratorPaths = (environment: Readonly<Record<string, string>>) =>
	mistakesOf(() => readAdministrator(environment)).map(({ path }) => path);

test('the unattended administrator needs both variables, an address and a long enough password', (t) => {
	const email = { DRAWBRIDGE_ADMIN_EMAIL: 'Ada@Example.com' };
	t.is(readAdministrator({}), null);
	t.deepEqual(readAdministrator({ ...email, DRAWBRIDGE_ADMIN_PASSWORD: 'long enough' }), {
		email: 'ada@example.com',
		password: 'long enough',
	});
	t.deepEqual(administratorPaths(email), ['DRAWBRIDGE_ADMIN_EMAIL']);
	t.deepEqual(administratorPaths({ DRAWBRIDGE_ADMIN_EMAIL: 'nobody', DRAWBRIDGE_ADMIN_PASSWORD: 'short' }), [
		'DRAWBRIDGE_ADMIN_EMAIL',
		'DRAWBRIDGE_ADMIN_PASSWORD',
	]);
});

test('whatever the file says, reading ends with settings or with mistakes', (t) => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.json()), fc.string(), (text, value) => {
			const mistakes = gatewayMistakes(text, { DRAWBRIDGE_HTTP_PORT: value });
			for (const { path, message } of mistakes) t.true(path !== '' && message !== '');
		}),
		{ numRuns: 200 },
	);
});

test('the nearest name is the known one with the fewest edits, or none at all', (t) => {
	t.is(nearest('prot', ['port', 'host']), 'port');
	t.is(nearest('flush_interval', ['flush_interval_ms', 'flush_bytes']), 'flush_interval_ms');
	t.is(nearest('completely-else', ['port', 'host']), null);
});
