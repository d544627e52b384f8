import test from 'ava';

import { systemClock } from '../../core/kernel/clock.ts';
import { createModbusSlave } from '../../gateway/simulator/modbus-slave.ts';
import { startTcpSlave } from '../../gateway/simulator/modbus-tcp-slave.ts';
import { createSdm630Image } from '../../gateway/simulator/sdm630-image.ts';
import { startBox } from '../contract/kit/box.ts';
import { waitFor } from '../system/kit/wait-for.ts';

const SOON_MS = 60_000;

test('in a real gateway a polled meter is tried and scanned by the name of its line, and the start is in the audit log', async (t) => {
	const box = await startBox('gateway');
	t.teardown(() => box.stop());
	const images = new Map([[1, createSdm630Image(1)]]);
	const slave = await startTcpSlave(createModbusSlave({ clock: systemClock, images }), 0);
	t.teardown(() => slave.stop());

	let authorization = '';
	async function call(method: string, url: string, payload?: object) {
		const answer = await box.server.inject({
			method,
			url: `/api/v1${url}`,
			headers: { authorization },
			...(payload !== undefined && { payload }),
		});
		const body: unknown = JSON.parse(answer.payload);
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test looks at what it is
		return { status: answer.statusCode, body: body as Record<string, unknown>, text: answer.payload };
	}

	const claim = { claim_code: box.claimCode, email: 'ann@example.com', password: 'grey heron over the weir' };
	const { body: tokens } = await call('POST', '/setup/claim', claim);
	authorization = `Bearer ${String(tokens['access_token'])}`;

	const line = `tcp 127.0.0.1:${slave.port}`;
	const connection = {
		driver: 'modbus',
		line: { transport: 'tcp', host: '127.0.0.1', port: slave.port },
		unit_id: 1,
		template: 'eastron-sdm630',
	};
	const device = { name: 'Meter', device_uid: 'meter-1', device_type: 'meter', connection };
	t.is((await call('POST', '/devices', device)).status, 201);

	const tried = await call('POST', '/lines/try', { line, function: 4, address: 0, count: 2, expect: 230 });
	t.is(tried.status, 200, tried.text);
	t.regex(tried.text, /"type":"float32","byte_order":"ABCD"/);

	const { status, body, text } = await call('POST', '/scans', {
		kind: 'registers',
		line,
		function: 4,
		to: 399,
		pause_ms: 0,
	});
	t.is(status, 201, text);
	const at = `/scans/${String(body['id'])}`;
	const scan = await waitFor('the end of the scan', SOON_MS, async () => {
		const now = await call('GET', at);
		return now.body['state'] !== 'running' && now;
	});
	t.is(scan.body['state'], 'done', scan.text);
	t.regex(scan.text, /"most_per_read":80,"most_per_read_known":true,"pairs_only":true/);

	const audit = await call('GET', '/audit');
	t.regex(audit.text, /startScan/);
	t.regex(audit.text, /"action":"tryRegister"/);
	t.deepEqual(box.errors(), []);
});
