import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { run } from '../fake/peer-program.ts';

const COMMAND = join(process.cwd(), 'bin', 'drawbridge.js');
const EX_CONFIG = 78;
const SECRET = '0123-4567-89AB-CDEF-WRONG-SECRET';

/** Runs a hull with this settings file to its end. */
async function start(
	t: ExecutionContext,
	role: 'gateway' | 'hub',
	yaml: string,
): Promise<{ readonly code: number | null; readonly said: string }> {
	const folder = mkdtempSync(join(tmpdir(), 'drawbridge-settings-'));
	t.teardown(() => rmSync(folder, { recursive: true, force: true }));
	const file = join(folder, 'settings.yaml');
	writeFileSync(file, yaml);
	const { code, out, err } = await run(process.execPath, [
		COMMAND,
		role,
		'--config',
		file,
		'--data',
		join(folder, 'data'),
	]);
	return { code, said: out + err };
}

test.serial('broken YAML ends the start with line and column, and without the text of the file', async (t) => {
	const { code, said } = await start(t, 'gateway', `uplink:\n  enrolment_code: "${SECRET}\nhttp: [`);
	t.is(code, EX_CONFIG, said);
	t.regex(said, /line \d+, column \d+/);
	t.false(said.includes(SECRET));
});

test.serial('all mistakes of a file are told at once, each with its place, and no secret is shown', async (t) => {
	const yaml = `
http: {port: 99999}
mqtt: {prot: 1883}
uplink: {hub_url: 'ftp://hub', enrolment_code: [${SECRET}]}
journal: {flush_interval_ms: soon}
devices:
  - {uid: meter-1, name: One, device_type: meter, connection: {driver: modbus, unit_id: 300, template: eastron-sdm630, line: {transport: tcp, host: 127.0.0.1}}}
  - {uid: meter-1, name: Two, device_type: meter, connection: {driver: smoke}}
`;
	const { code, said } = await start(t, 'gateway', yaml);
	t.is(code, EX_CONFIG, said);
	for (const place of [
		'http.port',
		'mqtt.prot',
		'uplink.hub_url',
		'uplink.enrolment_code',
		'journal.flush_interval_ms',
		'devices.0',
		'devices.1',
	])
		t.true(said.includes(place), `${place} is named in:\n${said}`);
	t.true(said.includes('did you mean port'), said);
	t.false(said.includes(SECRET));
});

test.serial('a hub refuses what only a gateway has', async (t) => {
	const { code, said } = await start(t, 'hub', 'link: {port: -1}\nmqtt: {port: 1883}\n');
	t.is(code, EX_CONFIG, said);
	t.true(said.includes('link.port') && said.includes('mqtt'), said);
});
