import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import test from 'ava';

import { startBox } from '../contract/kit/box.ts';
import { hasSocat, needs, startPtyPair } from '../driver/peer.ts';

const device = (uid: string, unitId: number, path: string, baudRate: number) => ({
	name: uid,
	device_uid: uid,
	device_type: 'meter',
	connection: {
		driver: 'modbus',
		line: { transport: 'rtu', path, baud_rate: baudRate, parity: 'none', data_bits: 8, stop_bits: 1 },
		unit_id: unitId,
		template: 'eastron-sdm630',
		timeout_ms: 50,
	},
});
const linesIn = (list: unknown): readonly string[] =>
	(Array.isArray(list) ? list : []).map((each: unknown) => String(Reflect.get(Object(each), 'line')));

test('a real gateway opens a port that its devices name in two ways once, and refuses other settings under either name', async (t) => {
	if (!needs(t, 'socat', hasSocat())) return;
	const { near } = await startPtyPair(t);
	const [meters, pump] = [join(dirname(near), 'meters'), join(dirname(near), 'pump')];
	await symlink(near, meters);
	await symlink(near, pump);
	const box = await startBox('gateway');
	t.teardown(() => box.stop());
	const headers = { authorization: '' };
	async function call(method: string, url: string, payload?: object) {
		const answer = await box.server.inject({
			method,
			url: `/api/v1${url}`,
			headers,
			...(payload !== undefined && { payload }),
		});
		const body: unknown = JSON.parse(answer.payload);
		return { status: answer.statusCode, body, text: answer.payload };
	}
	const claim = { claim_code: box.claimCode, email: 'ann@example.com', password: 'grey heron over the weir' };
	const { body: tokens } = await call('POST', '/setup/claim', claim);
	headers.authorization = `Bearer ${String(Reflect.get(Object(tokens), 'access_token'))}`;

	const first = await call('POST', '/devices', device('cellar', 1, meters, 9600));
	t.is(first.status, 201, first.text);
	const refused = await call('POST', '/devices', device('pump', 2, pump, 19_200));
	t.is(refused.status, 422, refused.text);
	const sentence = `${pump} is used by device cellar as ${meters} with 9600 8N1, not 19200 8N1`;
	t.true(refused.text.includes(sentence), refused.text);
	const second = await call('POST', '/devices', device('pump', 2, pump, 9600));
	t.is(second.status, 201, second.text);

	const name = `rtu ${meters} 9600 8N1`;
	const lines = async () => linesIn((await call('GET', '/lines')).body);
	// Devices are applied a moment after they were saved.
	while ((await lines()).length === 0) await sleep(20);
	t.deepEqual(await lines(), [name]);
	const { body: report } = await call('GET', '/commissioning-report');
	t.deepEqual(linesIn(Object(report).report.devices), [name, name], 'both devices are shown on the one line');
	const tried = await call('POST', '/lines/try', {
		line: { transport: 'rtu', path: pump, baud_rate: 9600, parity: 'none', data_bits: 8, stop_bits: 1 },
		address: 0,
		timeout_ms: 50,
	});
	t.is(tried.status, 200, tried.text);
	t.true(tried.text.includes(`"line":"${name}"`), tried.text);
	t.deepEqual(await lines(), [name]);
});
