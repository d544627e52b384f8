import test from 'ava';

import { ifMatch } from '../../core/http/etag.ts';
import { deviceRoutes } from '../../core/device/device-routes.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { alarmRoutes } from '../../core/alarm/alarm-routes.ts';
import { alarmBox } from '../fake/alarm-box.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { logIn, PASSWORD, peopled, textOf } from '../identity/identity-box.ts';
import { member } from '../system/kit/rest.ts';
import { deviceBox } from '../fake/device-box.ts';

const check = (header: string | undefined) => ifMatch({ headers: header === undefined ? {} : { 'if-match': header } });

const accepted = [undefined, '*', '"7"', '"7-abcdefgh"', '"7-abcdefgh-gzip"', '"6", "7-abcdefgh"'];

for (const header of accepted) {
	test(`If-Match ${header ?? 'absent'} lets revision 7 be replaced`, (t) => {
		t.notThrows(() => check(header)(7));
	});
}

for (const header of ['"6"', '"6-abcdefgh", "8"']) {
	test(`If-Match ${header} refuses to replace revision 7`, (t) => {
		const fault = t.throws(() => check(header)(7), { instanceOf: Fault });
		t.is(fault.reason, 'precondition-failed');
		t.regex(fault.message, /revision 7/);
	});
}

for (const header of ['7', 'W/"7"', '""', '"x"', '"7', `"${'9'.repeat(400)}"`, '"7",', `"${'7,'.repeat(2_000)}"`]) {
	test(`If-Match ${header.slice(0, 20)} of ${header.length} characters is malformed`, (t) => {
		t.is(t.throws(() => check(header), { instanceOf: Fault }).reason, 'malformed');
	});
}

test('of two writers who saw the same device, the second is told; without If-Match the last word counts', async (t) => {
	const { devices, close } = await deviceBox();
	t.teardown(close);
	const device = await devices.register({ name: 'Meter', deviceType: 'meter' });
	const server = await bareServer(deviceRoutes, { devices, log: silentLog });
	const url = `/devices/${device.id}`;
	const headers = bearer('admin');

	const first = await server.inject({ url, headers });
	const etag = String(first.headers['etag']);
	t.regex(etag, /^"1-[\w-]{8}"$/);
	t.is((await server.inject({ url, headers: { ...headers, 'if-none-match': etag } })).statusCode, 304);

	const patch = (name: string, more: object) =>
		server.inject({ method: 'PATCH', url, headers: { ...headers, ...more }, payload: { name } });
	const [one, other] = await Promise.all([patch('One', { 'if-match': etag }), patch('Other', { 'if-match': etag })]);
	t.deepEqual(
		[one.statusCode, other.statusCode].toSorted((a, b) => a - b),
		[200, 412],
	);
	t.is((await server.inject({ url, headers: { ...headers, 'if-none-match': etag } })).statusCode, 200);
	t.is((await patch('Last', {})).statusCode, 200);

	const gone = (match: string) => server.inject({ method: 'DELETE', url, headers: { ...headers, 'if-match': match } });
	t.is((await gone(etag)).statusCode, 412);
	t.is((await gone('nonsense')).statusCode, 400);
	t.is((await gone('"3"')).statusCode, 204);
});

test('an answer that differs in health has another ETag than the one before, for the same revision', async (t) => {
	const { devices, clock, close } = await deviceBox();
	t.teardown(close);
	const device = await devices.register({ name: 'Meter', deviceType: 'meter' });
	const server = await bareServer(deviceRoutes, { devices, log: silentLog });
	const etag = async () =>
		(await server.inject({ url: `/devices/${device.id}`, headers: bearer('admin') })).headers['etag'];
	const before = await etag();
	devices.setHealth(device.id, { state: 'unknown', since: clock.now(), reason: 'no answer yet' });
	const after = await etag();
	t.regex(String(after), /^"1-/);
	t.not(after, before);
});

test('of two administrators who saw the same user, the second is told; logins in between do not count', async (t) => {
	const box = await peopled(t);
	const { call, superadmin } = box;
	const made = await call({
		path: '/users',
		token: superadmin.token,
		body: { email: 'new@example.com', password: PASSWORD },
	});
	const path = `/users/${textOf(made, 'id')}`;
	await logIn(box, 'new@example.com');
	const etag = String((await call({ method: 'GET', path, token: superadmin.token })).headers['etag']);
	const change = (phone: string, ifMatchTag: string) =>
		call({ method: 'PATCH', path, token: superadmin.token, body: { phone }, headers: { 'if-match': ifMatchTag } });
	const first = await change('1', etag);
	t.is(first.status, 200);
	const second = await change('2', etag);
	t.is(second.status, 412);
	t.is(second.body['error_code'], 'PRECONDITION_FAILED');
	t.is((await call({ method: 'DELETE', path, token: superadmin.token, headers: { 'if-match': etag } })).status, 412);
	t.is(textOf(await call({ method: 'GET', path, token: superadmin.token }), 'phone'), '1');
	t.is((await change('2', String(first.headers['etag']))).status, 200);
});

test('of two people who saw the same alert rule, the second is told', async (t) => {
	const box = await alarmBox();
	t.teardown(box.close);
	const server = await bareServer(alarmRoutes, { alarms: box.alarms() });
	const send = (method: string, url: string, payload?: object, tag?: string) =>
		server.inject({
			method,
			url,
			headers: { ...bearer('manager'), ...(tag !== undefined && { 'if-match': tag }) },
			...(payload && { payload }),
		});
	const rule = { name: 'Hot', metric: 'temperature', condition: 'gt', threshold: 40 };
	const made = await send('POST', '/monitoring/alert-rules', rule);
	const url = `/monitoring/alert-rules/${String(member(made.result, 'id'))}`;
	const tag = String(made.headers['etag']);
	t.is((await send('PATCH', url, { threshold: 41 }, tag)).statusCode, 200);
	t.is((await send('PATCH', url, { threshold: 42 }, tag)).statusCode, 412);
	t.is((await send('DELETE', url, undefined, tag)).statusCode, 412);
	const now = await send('GET', url);
	t.is(member(now.result, 'threshold'), 41);
	t.is((await send('DELETE', url, undefined, String(now.headers['etag']))).statusCode, 204);
});
