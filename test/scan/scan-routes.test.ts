import { once } from 'node:events';
import { request as callHttp } from 'node:http';

import type { Server } from '@hapi/hapi';
import test, { type ExecutionContext } from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { createScanRealtime } from '../../gateway/scan/scan-realtime.ts';
import { scanRoutes } from '../../gateway/scan/scan-routes.ts';
import { scanAnswer, scanSummaryAnswer } from '../../gateway/scan/scan-schema.ts';
import type { TryResult } from '../../gateway/scan/try-service.ts';
import { tryAnswer } from '../../gateway/scan/try-schema.ts';
import { createModbusSlave } from '../../gateway/simulator/modbus-slave.ts';
import { startTcpSlave } from '../../gateway/simulator/modbus-tcp-slave.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { ask, heard, passOf, realtimeBox } from '../fake/realtime-box.ts';
import { createFakeSlave } from '../fake/modbus-slave.ts';
import { type ScanBox, scanBox } from '../fake/scan-box.ts';

interface Stage {
	readonly server: Server;
	readonly box: ScanBox;
	/** Port of a simulated meter. */
	readonly port: number;
}

async function stage(t: ExecutionContext): Promise<Stage> {
	const images = new Map([[1, createSdm630Image(1)]]);
	const slave = await startTcpSlave(createModbusSlave({ clock: systemClock, images }), 0);
	t.teardown(() => slave.stop());
	const box = await scanBox();
	t.teardown(() => box.stop());
	const server = await bareServer(scanRoutes, box);
	return { server, box, port: slave.port };
}

interface Answer {
	readonly status: number;
	readonly body: Record<string, unknown>;
	readonly text: string;
}

async function call(
	server: Server,
	method: string,
	url: string,
	payload?: object,
	role: 'manager' | 'editor' = 'manager',
): Promise<Answer> {
	const { statusCode, payload: text } = await server.inject({
		method,
		url,
		headers: bearer(role),
		...(payload !== undefined && { payload }),
	});
	const body: unknown = text === '' ? {} : JSON.parse(text);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test looks at what it is
	return { status: statusCode, body: body as Record<string, unknown>, text };
}

const lineTo = (port: number) => ({ transport: 'tcp', host: '127.0.0.1', port });

test('a register is tried over REST: words in hex and decimal, latency, and every decoding', async (t) => {
	const { server, port } = await stage(t);
	const payload = { line: lineTo(port), unit_id: 1, function: 4, address: 1, count: 2, expect: 230 };
	const { status, body, text } = await call(server, 'POST', '/lines/try', payload);
	t.is(status, 200, text);
	t.is(tryAnswer.validate(body, { convert: false }).error?.message, undefined);
	t.regex(text, /"hex":"436[0-9A-F]"/);
	t.regex(text, /"notation":"one-based","address":0,"reference":"300001"/);
	t.regex(text, /"type":"float32","byte_order":"ABCD"/);
	t.regex(text, /"latency_ms":\d/);
});

test('what the device refuses is an answer with the code and its text', async (t) => {
	const { server, port } = await stage(t);
	const payload = { line: lineTo(port), function: 3, address: 60_000 };
	const { status, body, text } = await call(server, 'POST', '/lines/try', payload);
	t.is(status, 200, text);
	t.is(tryAnswer.validate(body, { convert: false }).error?.message, undefined);
	t.regex(text, /"exception_code":2,"exception":"illegal data address: the device has no such register"/);
});

const badTries: readonly (readonly [body: object, sentence: RegExp])[] = [
	[{}, /"line" is required/],
	[{ line: 'tcp 10.9.9.9:502', address: 0 }, /^line: must be the name of a line in use/],
	[{ line: { transport: 'rtu' }, address: 0 }, /line\.path/],
	[{ line: { transport: 'tcp', host: 'a', port: 1 }, address: 0, function: 5 }, /"function" must be one of/],
	[
		{ line: { transport: 'tcp', host: 'a', port: 1 }, address: 0, count: 126 },
		/"count" must be less than or equal to 125/,
	],
	[
		{ line: { transport: 'tcp', host: 'a', port: 1 }, address: 0, function: 1, count: 2001 },
		/"count" must be less than or equal to 2000/,
	],
	[{ line: { transport: 'tcp', host: 'a', port: 1 }, address: 65_535, count: 3 }, /^count: 3 from 65535 end beyond/],
	[
		{ line: { transport: 'tcp', host: 'a', port: 1 }, address: 500_000 },
		/"address" must be less than or equal to 465536/,
	],
	[{ line: { transport: 'tcp', host: 'a', port: 1 }, address: 0, timeout_ms: 1 }, /"timeout_ms"/],
];

const badScans: readonly (readonly [body: object, sentence: RegExp])[] = [
	[{}, /"kind" is required/],
	[{ kind: 'zigbee' }, /"kind" must be one of/],
	[{ kind: 'serial' }, /"paths" is required/],
	[{ kind: 'serial', paths: ['ttyUSB0'] }, /"paths\[0\]"/],
	[{ kind: 'serial', paths: ['/dev/a'], unit_ids: [256] }, /"unit_ids\[0\]"/],
	[{ kind: 'serial', paths: ['/dev/a'], baud_rates: [100] }, /"baud_rates\[0\]"/],
	[{ kind: 'serial', paths: ['/a', '/b', '/c', '/d', '/e', '/f', '/g', '/h', '/i'] }, /"paths" must contain less than/],
	[
		{ kind: 'serial', paths: ['/a', '/b', '/c', '/d', '/e', '/f', '/g', '/h'], stop_bits: [1, 2] },
		/^unit_ids: 8 ports x 28 settings x 247 units are 55328 questions/,
	],
	[{ kind: 'tcp', subnets: ['8.8.8.0/24'] }, /^subnets: 8\.8\.8\.0\/24 must lie in a private network/],
	[{ kind: 'tcp', ports: [0] }, /"ports\[0\]"/],
	[{ kind: 'registers', line: 'x' }, /^line: must be the name/],
	[
		{ kind: 'registers', line: { transport: 'tcp', host: 'a', port: 1 }, from: 10, to: 9 },
		/"to" must be greater than or equal to/,
	],
	[
		{ kind: 'registers', line: { transport: 'tcp', host: 'a', port: 1 }, to: 65_536 },
		/"to" must be less than or equal to 65535/,
	],
];

test('bad input names its field and the rule, and nothing is sent', async (t) => {
	const { server } = await stage(t);
	const all = [
		...badTries.map(([body, sentence]) => ['/lines/try', body, sentence] as const),
		...badScans.map(([body, sentence]) => ['/scans', body, sentence] as const),
	];
	for (const [url, payload, sentence] of all) {
		const { status, body } = await call(server, 'POST', url, payload);
		t.is(status, 422, JSON.stringify([payload, body]));
		t.regex(String(body['detail']), sentence, JSON.stringify(payload));
	}
	t.is((await call(server, 'GET', '/scans/x')).status, 422);
	t.is((await call(server, 'GET', '/scans/cc000000-0000-4000-8000-000000000001')).status, 404);
});

test('a scan is started, followed, listed and cancelled over REST', async (t) => {
	const { server, port } = await stage(t);
	const payload = { kind: 'registers', line: lineTo(port), function: 4, to: 30_000, pause_ms: 20 };
	const { status, body, text } = await call(server, 'POST', '/scans', payload);
	t.is(status, 201, text);
	t.is(scanAnswer.validate(body, { convert: false }).error?.message, undefined);
	t.is(body['state'], 'running');
	t.is(body['started_by'], 'manager@example.com');
	t.like(body['asked'], { unit_id: 1, function: 4, from: 0, to: 30_000, line: lineTo(port) });
	const at = `/scans/${String(body['id'])}`;
	t.is((await call(server, 'POST', '/scans', payload)).status, 409);
	const list = await call(server, 'GET', '/scans');
	t.regex(
		list.text,
		/"kind":"registers","subject":"tcp 127\.0\.0\.1:\d+, unit 1: function 4, 0 to 30000","state":"running"/,
	);
	for (const each of Object.values(list.body))
		t.is(scanSummaryAnswer.validate(each, { convert: false }).error, undefined);
	const ended = await call(server, 'DELETE', at);
	t.is(ended.status, 200);
	t.is(ended.body['state'], 'cancelled');
	t.is(scanAnswer.validate(ended.body, { convert: false }).error?.message, undefined);
	t.is((await call(server, 'GET', at)).body['reason'], 'somebody cancelled it');
});

test('what a scan of a network finds is shown with line, candidates and hints', async (t) => {
	const { server, box, port } = await stage(t);
	const { id } = await box.run({
		kind: 'tcp',
		subnets: ['127.0.0.1/32'],
		ports: [port],
		unitIds: null,
		timeoutMs: 10_000,
	});
	const { body, text } = await call(server, 'GET', `/scans/${id}`);
	t.is(scanAnswer.validate(body, { convert: false }).error?.message, undefined);
	t.regex(
		text,
		/"found":\[\{"unit_id":1,"line":\{"transport":"tcp","host":"127\.0\.0\.1","port":\d+\},"line_name":"tcp 127/,
	);
	t.regex(text, /"template":"eastron-sdm630","confidence":0\.\d+,"why":\[/);
});

test('nobody without the right to set up devices looks for them', async (t) => {
	const { server } = await stage(t);
	const calls: readonly (readonly [string, string])[] = [
		['POST', '/lines/try'],
		['POST', '/scans'],
		['GET', '/scans'],
		['GET', '/scans/cc000000-0000-4000-8000-000000000001'],
		['DELETE', '/scans/cc000000-0000-4000-8000-000000000001'],
	];
	for (const [method, url] of calls) {
		const payload = method === 'POST' ? {} : undefined;
		t.is((await call(server, method, url, payload, 'editor')).status, 403, `${method} ${url}`);
	}
});

test('progress is heard by those who may start scans, and by nobody else', async (t) => {
	const { passes, client, realtime, close } = await realtimeBox();
	t.teardown(close);
	const { box, port } = await stage(t);
	box.scans.listen(createScanRealtime({ realtime }));
	passes.set('ann', passOf('manager'));
	passes.set('bob', passOf('editor'));
	const [ann, bob] = [client('ann', '/scan'), client('bob', '/scan')];
	t.like(await ask(bob, 'watch_scans', {}), { success: false, error_code: 'PERMISSION_DENIED' });
	t.like(await ask(ann, 'watch_scans', {}), { success: true });
	let hasBobHeard = false;
	bob.on('scan_progress', () => {
		hasBobHeard = true;
	});
	const first = heard<object>(ann, 'scan_progress');
	const ends = new Promise<object>((resolve) => {
		ann.on('scan_progress', (body: { readonly state: string }) => {
			if (body.state === 'done') resolve(body);
		});
	});
	await box.run({ kind: 'tcp', subnets: ['127.0.0.1/32'], ports: [port], unitIds: [1], timeoutMs: 10_000 });
	t.is(scanSummaryAnswer.validate(await first).error, undefined);
	t.like(await ends, { kind: 'tcp', state: 'done', found_count: 1 });
	t.false(hasBobHeard);
	// Who may no more hears no more.
	passes.set('ann', passOf('editor'));
	t.like(await ask(ann, 'watch_scans', {}), { success: false });
});

test('a try ends with its caller: nothing is asked any more, and the line is given back', async (t) => {
	const slave = await createFakeSlave(() => ({ kind: 'silence' }));
	t.teardown(() => slave.stop());
	const box = await scanBox();
	t.teardown(() => box.stop());
	let tried: Promise<TryResult> | null = null;
	const server = await bareServer(scanRoutes, {
		...box,
		tryRegister: { read: (wanted, signal) => (tried = box.tryRegister.read(wanted, signal)) },
	});
	await server.initialize();
	server.listener.listen(0, '127.0.0.1');
	await once(server.listener, 'listening');
	t.teardown(() => void server.listener.close());
	const address = server.listener.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	const headers = { ...bearer('manager'), 'content-type': 'application/json' };
	const sent = callHttp({ host: '127.0.0.1', port, path: '/lines/try', method: 'POST', headers, agent: false });
	sent.on('error', () => undefined);
	// Its meanings lie far apart, so that each is a read of its own.
	sent.end(JSON.stringify({ line: lineTo(slave.port), function: 3, address: 40_053, timeout_ms: 2_000 }));
	while (slave.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
	sent.destroy();
	await t.throwsAsync(async () => tried, { message: /was given up/ });
	t.is(slave.requests.length, 1);
});
