import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { createStage } from './stage.ts';

/** A hull reduced to its ready line: the HTTP port is that of its settings, or a free one. */
const STUB = `
const http = require('node:http'), fs = require('node:fs');
const [role, settingsFile, dataFolder] = process.argv.slice(1);
const { parse } = require('yaml');
const settings = parse(fs.readFileSync(settingsFile, 'utf8'));
const server = http.createServer((request, response) => {
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify({ role, port: process.env.DRAWBRIDGE_UPLINK_LINK_PORT ?? null, code: process.env.DRAWBRIDGE_UPLINK_ENROLMENT_CODE ?? null }));
});
server.listen(settings.http.port, '127.0.0.1', () => {
	const { port } = server.address();
	console.log(JSON.stringify({ level: 'info', event: 'starting' }));
	console.log(JSON.stringify({ event: 'ready', http_port: port, mqtt_port: 1, link_port: port }));
});
`;

const read = async (url: string): Promise<unknown> => (await fetch(url)).json();

test('a hull that is killed comes back on its ports, and all processes end with the stage', async (t) => {
	const endings: (() => Promise<void>)[] = [];
	const stage = createStage({ teardown: (end) => endings.push(end) }, (...args) => ['-e', STUB, ...args]);
	t.teardown(async () => {
		for (const end of endings) await end();
	});
	const hub = await stage.spawnHub();
	writeFileSync(join(hub.dataFolder, 'enrolment-code'), 'enrol\n');
	const link = await stage.spawnLink(hub);
	const gateway = await stage.spawnGateway({ devices: [], uplink: { hub, link } });
	t.deepEqual(await read(gateway.url()), { role: 'gateway', port: String(link.port), code: 'enrol' });
	t.deepEqual(await read(`http://127.0.0.1:${link.port}`), { role: 'hub', port: null, code: null });

	const url = hub.url();
	t.deepEqual(await hub.kill9(), { code: null, signal: 'SIGKILL' });
	await t.throwsAsync(read(url));
	await hub.start();
	t.is(hub.url(), url);
	t.like(await read(url), { role: 'hub' });
	await gateway.restart();
	t.like(await read(gateway.url()), { role: 'gateway' });

	writeFileSync(join(hub.dataFolder, 'claim-code'), 'CODE\n');
	t.is(await hub.claimCode(), 'CODE');
	for (const end of endings) await end();
	await t.throwsAsync(read(url));
	await t.throwsAsync(read(gateway.url()));
});
