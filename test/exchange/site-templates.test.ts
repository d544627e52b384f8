import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { parseTemplate } from '../../config/template/template-schema.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { checksumOf, type JsonObject } from '../../core/configuration/canonical-json.ts';
import type { Device } from '../../core/device/device.ts';
import { FieldsFault } from '../../core/kernel/fault.ts';
import { deviceId, deviceUid } from '../../core/kernel/id.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { openTemplateShelf } from '../../gateway/configuration/template-shelf.ts';
import type { Learnt } from '../../gateway/driver/modbus/plan/learnt.ts';
import { openTemplateLibrary } from '../../gateway/template/template-library.ts';
import { templateRoutes } from '../../gateway/template/template-routes.ts';
import { createTemplateService } from '../../gateway/template/template-service.ts';
import { bareServer, bearer } from '../fake/bare-server.ts';
import { plainDevice } from '../fake/plain-device.ts';

const point = (key: string, address: number, changes: JsonObject = {}): JsonObject => ({
	key,
	name: key,
	function: 3,
	address,
	count: 1,
	type: 'uint16',
	byte_order: 'AB',
	...changes,
});

const documentOf = (...points: readonly JsonObject[]): JsonObject => ({
	manufacturer: 'Acme',
	model: 'Meter',
	category: 'energy meter',
	transports: ['rtu'],
	points,
});

const VENDOR = parseTemplate('acme-meter', documentOf(point('a', 0), point('b', 1)));
const base: ReadonlyMap<string, TemplateDocument> = new Map([[VENDOR.key, VENDOR]]);

const meter = (template: string): Device =>
	plainDevice({
		id: deviceId('dd000000-0000-4000-8000-000000000001'),
		uid: deviceUid('meter-1'),
		connection: {
			driver: 'modbus',
			line: { transport: 'tcp', host: '127.0.0.1', port: 1502 },
			unitId: 1,
			template,
			periodMs: 1000,
			timeoutMs: 500,
		},
	});

/** A gateway's templates over a real folder; `reopen` is its next start. */
async function bench(t: ExecutionContext, devices: Device[] = []) {
	const folder = await mkdtemp(join(tmpdir(), 'drawbridge-templates-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const learnt: Learnt = { maxRegisters: 20, maxBits: null, holes: [], refused: ['b'] };
	let rearranged = 0;
	async function reopen() {
		const library = await openTemplateLibrary({ folder: join(folder, 'site'), base, log: silentLog });
		const shelf = await openTemplateShelf({
			folder: join(folder, 'shelf'),
			base: library.templates,
			parse: (key, raw) => parseTemplate(key, raw, base),
			log: silentLog,
		});
		const templates = createTemplateService({
			library,
			shelf,
			devices: { all: () => devices },
			learnt: () => learnt,
			rearranged: async () => {
				rearranged += 1;
			},
		});
		return { library, shelf, templates };
	}
	return { ...(await reopen()), folder, reopen, rearranged: () => rearranged };
}

const always = () => undefined;
const asUploaded = { isResolved: false, learntOf: null };

test('an uploaded template is in use at once, and after the next start', async (t) => {
	const { templates, shelf, reopen, rearranged } = await bench(t);
	const document = documentOf(point('own', 5));
	const shown = await templates.put('mine', document, always);
	t.is(shown.origin, 'site');
	t.deepEqual(shown.document, document);
	t.is(shelf.templates.get('mine')?.points[0]?.address, 5);
	t.is(rearranged(), 1);
	const next = await reopen();
	t.deepEqual(next.templates.shown('mine', asUploaded), shown);
	t.is(next.shelf.templates.get('mine')?.points.length, 1);
});

test('a template of the site over one of the product is shown as uploaded or written out', async (t) => {
	const { templates, shelf } = await bench(t);
	const document = { extends: 'acme-meter', omit: ['a'], points: [{ key: 'b', scale: 0.1 }] };
	await templates.put('mine', document, always);
	t.deepEqual(
		shelf.templates.get('mine')?.points.map(({ key, scale }) => [key, scale]),
		[['b', 0.1]],
	);
	const shown = templates.shown('mine', asUploaded);
	t.deepEqual([shown.document, shown.extends], [document, 'acme-meter']);
	const whole = templates.shown('mine', { isResolved: true, learntOf: null });
	t.is(whole.checksum, shown.checksum);
	t.like(whole.document, { manufacturer: 'Acme', points: [{ key: 'b', scale: 0.1, unit: '' }] });
});

test('a template of the site may stand in front of one of the product, which is there again when it is deleted', async (t) => {
	const { templates, shelf } = await bench(t);
	await templates.put('acme-meter', { extends: 'acme-meter', points: [point('c', 2)] }, always);
	t.is(shelf.templates.get('acme-meter')?.points.length, 3);
	await templates.remove('acme-meter', always);
	t.is(shelf.templates.get('acme-meter'), VENDOR);
	await t.throwsAsync(templates.remove('acme-meter', always), { message: /was not uploaded here/ });
});

test('only the device of a changed template gets another one', async (t) => {
	const { templates, shelf } = await bench(t);
	await templates.put('one', documentOf(point('a', 0)), always);
	await templates.put('two', documentOf(point('a', 0)), always);
	const before = [shelf.templates.get('one'), shelf.templates.get('two'), shelf.templates.get('acme-meter')];
	await templates.put('one', documentOf(point('a', 9)), always);
	t.not(shelf.templates.get('one'), before[0]);
	t.is(shelf.templates.get('two'), before[1]);
	t.is(shelf.templates.get('acme-meter'), before[2]);
});

test('every mistake of an upload is named with its place, and nothing is kept', async (t) => {
	const { templates, folder } = await bench(t);
	const wrong = documentOf(point('a', 70_000), point('a', 1), point('c', 2, { type: 'int32' }));
	const fault = await t.throwsAsync(templates.put('mine', wrong, always), { instanceOf: FieldsFault });
	t.deepEqual(
		fault?.mistakes.map(({ path }) => path),
		['points[0].address', 'points[2].count'],
	);
	t.deepEqual(await readdir(join(folder, 'site')), []);
	await t.throwsAsync(templates.put('mine', { extends: 'nothing' }, always), { message: /installed template/ });
});

test('a template that is in use is not deleted, and its devices are named', async (t) => {
	const devices = [meter('mine')];
	const { templates } = await bench(t, devices);
	await templates.put('mine', documentOf(point('a', 0), point('b', 1)), always);
	t.deepEqual(templates.shown('mine', asUploaded).usedBy, ['meter-1']);
	await t.throwsAsync(templates.remove('mine', always), { message: /used by meter-1/ });
	const [device] = devices.splice(0);
	const learnt = { isResolved: false, learntOf: device ?? null };
	t.throws(() => templates.shown('mine', learnt), { message: /not read by template mine/ });
	await templates.remove('mine', always);
	t.throws(() => templates.shown('mine', asUploaded), { message: /does not exist/ });
});

test('what a device has taught is shown in its template', async (t) => {
	const device = meter('mine');
	const { templates } = await bench(t, [device]);
	await templates.put('mine', documentOf(point('a', 0), point('b', 1)), always);
	const { document } = templates.shown('mine', { isResolved: false, learntOf: device });
	t.like(document, { max_registers: 20, quirks: ['One device of this model does not have b.'] });
});

test('a template of the configuration of the hub is changed there only', async (t) => {
	const { templates, shelf, library } = await bench(t);
	await templates.put('mine', documentOf(point('own', 5)), always);
	const content = documentOf(point('hub', 7));
	const sha256 = checksumOf(content);
	await shelf.keep(sha256, content);
	await shelf.install({ mine: { sha256 } });
	t.is(templates.shown('mine', asUploaded).origin, 'hub');
	await t.throwsAsync(templates.put('mine', documentOf(point('x', 1)), always), {
		message: /configuration of the hub/,
	});
	await shelf.install({});
	t.is(shelf.templates.get('mine'), library.templates.get('mine'));
	t.is(templates.shown('mine', asUploaded).origin, 'site');
});

test('a file that was damaged is named, can be replaced, and keeps no other from loading', async (t) => {
	const { templates, folder, reopen } = await bench(t);
	await templates.put('good', documentOf(point('a', 0)), always);
	await writeFile(join(folder, 'site', 'bad.json'), '{"points":');
	await writeFile(join(folder, 'site', 'wrong.json'), '{"extends":"acme-meter","points":[{"key":"a","scale":0}]}');
	await writeFile(join(folder, 'site', 'deep.json'), '['.repeat(400_000) + ']'.repeat(400_000));
	const next = await reopen();
	const lines = next.templates.all().map(({ key, mistakes }) => [key, mistakes.map(({ path }) => path)]);
	t.deepEqual(Object.fromEntries(lines), {
		'acme-meter': [],
		bad: [''],
		deep: [''],
		good: [],
		wrong: ['points[0].scale'],
	});
	await next.templates.put('bad', documentOf(point('a', 0)), always);
	await next.templates.remove('wrong', always);
	t.is(next.templates.shown('deep', { isResolved: false, learntOf: null }).document, null);
	await next.templates.remove('deep', always);
	t.is((await reopen()).templates.all().length, 3);
});

test('an upload that is nested too deep is refused with its place', async (t) => {
	const { templates } = await bench(t);
	for (const depth of [9_000, 300_000]) {
		const points: JsonValue = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
		const fault = await t.throwsAsync(templates.put('deep', { points }, always), { instanceOf: FieldsFault });
		t.true(fault.message.includes('points'));
	}
});

test('there is an end to what a site may upload', async (t) => {
	const { templates } = await bench(t);
	const long = { ...documentOf(point('a', 0)), quirks: Array.from({ length: 100 }, () => 'x'.repeat(1000)) };
	await t.notThrowsAsync(templates.put('long', long, always));
	const points = Array.from({ length: 5000 }, (_, index) => point(`p${index}`, index, { name: 'n'.repeat(200) }));
	await t.throwsAsync(templates.put('huge', documentOf(...points), always), { message: /at most 1048576 bytes/ });
});

test('REST: shown, uploaded, changed under an ETag, deleted; each by whoever may', async (t) => {
	const { templates } = await bench(t);
	const server = await bareServer(templateRoutes, {
		templates,
		mistakes: [{ path: 'broken.json: points', message: 'is required' }],
		devices: { get: () => meter('mine') },
	});
	const call = (
		method: 'GET' | 'PUT' | 'DELETE',
		url: string,
		role: 'viewer' | 'manager' | 'admin',
		payload?: object,
		headers = {},
	) => server.inject({ method, url, headers: { ...bearer(role), ...headers }, ...(payload && { payload }) });
	const document = documentOf(point('a', 0));
	t.is((await call('PUT', '/templates/mine', 'viewer', document)).statusCode, 403);
	t.is((await call('PUT', '/templates/Mine', 'manager', document)).statusCode, 422);
	const made = await call('PUT', '/templates/mine', 'manager', document);
	t.is(made.statusCode, 200);
	t.like(JSON.parse(made.payload), { key: 'mine', origin: 'site', used_by: [], mistakes: [], document });
	const tag = String(made.headers['etag']);
	t.is((await call('GET', '/templates/mine', 'viewer', undefined, { 'if-none-match': tag })).statusCode, 304);
	const changed = documentOf(point('a', 3));
	t.is((await call('PUT', '/templates/mine', 'manager', changed, { 'if-match': tag })).statusCode, 200);
	t.is((await call('PUT', '/templates/mine', 'manager', document, { 'if-match': tag })).statusCode, 412);
	t.is((await call('PUT', '/templates/mine', 'manager', document, { 'if-match': 'x' })).statusCode, 400);
	t.is((await call('PUT', '/templates/new', 'manager', document, { 'if-match': '*' })).statusCode, 412);
	const list: unknown = JSON.parse((await call('GET', '/templates', 'viewer')).payload);
	t.deepEqual(Array.isArray(list) && list.map(({ key, origin, points, mistakes }) => [key, origin, points, mistakes]), [
		['acme-meter', 'product', 2, []],
		['mine', 'site', 1, []],
		['broken', 'product', 0, ['broken.json: points: is required']],
	]);
	t.is((await call('DELETE', '/templates/mine', 'manager')).statusCode, 403);
	t.is((await call('DELETE', '/templates/mine', 'admin')).statusCode, 204);
	t.is((await call('GET', '/templates/mine', 'viewer')).statusCode, 404);
});
