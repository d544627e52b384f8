import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import specs from '@asyncapi/specs';
import type { Plugin } from '@hapi/hapi';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import test from 'ava';

import { publicAccess } from '../../core/http/access.ts';
import { asyncApiDocument } from '../../core/http/openapi/asyncapi-document.ts';
import { documentRoutes } from '../../core/http/openapi/document-routes.ts';
import { createHttpServer, part } from '../../core/http/server.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';
import { DEVICE_TOPICS } from '../../core/telemetry/telemetry-topics.ts';
import { createApiCheck } from './kit/api-check.ts';
import { type Box, type HullRole, startBox } from './kit/box.ts';
import { isTree, type Tree, treeAt } from './kit/document.ts';

const ROLES: readonly HullRole[] = ['gateway', 'hub'];
const boxes = new Map<HullRole, Box>();

test.before(async () => {
	for (const role of ROLES) boxes.set(role, await startBox(role));
});

test.after.always(async () => {
	for (const box of boxes.values()) await box.stop();
});

function boxOf(role: HullRole): Box {
	const box = boxes.get(role);
	if (box === undefined) throw new Error(`there is no ${role}`);
	return box;
}

async function documentOf(role: HullRole): Promise<Tree> {
	const answer = await boxOf(role).server.inject('/api/openapi.json');
	const document: unknown = JSON.parse(answer.payload);
	if (answer.statusCode !== 200 || !isTree(document)) throw new Error(`no document: ${answer.payload}`);
	return document;
}

for (const role of ROLES) {
	test(`the OpenAPI document of a ${role} is valid, and anybody may read it`, async (t) => {
		const document = await documentOf(role);
		t.is(document['openapi'], '3.1.0');
		const { valid, errors } = await new Validator().validate(structuredClone(document));
		t.true(valid, JSON.stringify(errors ?? null).slice(0, 2_000));
	});

	test(`every route of a ${role} below /api is in its document, once and under a name of its own`, async (t) => {
		const document = await documentOf(role);
		const routes = boxOf(role)
			.server.table()
			.filter(({ path }) => path.startsWith('/api/'));
		const missing = routes
			.filter(({ settings }) => settings.app?.api === undefined)
			.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
		t.deepEqual(missing, []);
		const names = routes.flatMap(({ settings }) => settings.app?.api?.operationId ?? []);
		t.is(new Set(names).size, names.length, names.toString());
		const documented = Object.values(treeAt(document, 'paths')).flatMap((path) =>
			Object.keys(isTree(path) ? path : {}),
		);
		t.is(documented.length, names.length);
	});

	test(`each operation of a ${role} says who may call it, and which errors it gives in the words of its family`, async (t) => {
		const document = await documentOf(role);
		for (const [path, methods] of Object.entries(treeAt(document, 'paths'))) {
			for (const [method, operation] of Object.entries(isTree(methods) ? methods : {})) {
				if (!isTree(operation)) continue;
				const name = `${method} ${path}`;
				t.is(typeof operation['x-permission'], 'string', name);
				const isPublic = operation['x-permission'] === 'public';
				t.deepEqual(operation['security'], isPublic ? [] : [{ bearerAuth: [] }], name);
				const family = path.startsWith('/api/v1/') ? 'V1Error' : 'PlatformError';
				t.deepEqual(treeAt(operation, 'responses')['429'], { $ref: `#/components/responses/${family}429` }, name);
				// A public route may refuse what it is given, e.g. a password.
				if (!isPublic) t.true('401' in treeAt(operation, 'responses'), name);
			}
		}
	});
}

test('answers and refusals are what the document says', async (t) => {
	const { server } = boxOf('gateway');
	const check = createApiCheck(await documentOf('gateway'));
	const claim = {
		claim_code: boxOf('gateway').claimCode,
		email: 'a@example.com',
		password: 'grey heron over the weir',
	};
	const claimed = await server.inject({ method: 'POST', url: '/api/v1/setup/claim', payload: claim });
	const tokens: unknown = JSON.parse(claimed.payload);
	const authorization = `Bearer ${isTree(tokens) ? String(tokens['access_token']) : ''}`;
	const device = { name: 'Meter', device_uid: 'meter-1', device_type: 'meter', connection: { driver: 'mqtt' } };
	const at = '/api/v1/devices/meter-1';
	const template = '/api/v1/devices/{device_id}';
	const siteTemplate = {
		manufacturer: 'Acme',
		model: 'M1',
		category: 'energy meter',
		transports: ['tcp'],
		points: [{ key: 'a', name: 'A', function: 3, address: 0, count: 1, type: 'uint16', byte_order: 'AB' }],
	};
	const calls: readonly (readonly [string, string, string, number, object?])[] = [
		['GET', '/api/v1/devices', '/api/v1/devices', 200],
		['POST', '/api/v1/devices', '/api/v1/devices', 201, device],
		['POST', '/api/v1/devices', '/api/v1/devices', 409, device],
		['POST', '/api/v1/devices', '/api/v1/devices', 422, { name: 7 }],
		['GET', '/api/v1/devices?limit=1', '/api/v1/devices', 200],
		['GET', '/api/v1/devices?limit=x', '/api/v1/devices', 422],
		['GET', at, template, 200],
		['GET', '/api/v1/devices/unknown', template, 404],
		['GET', '/api/v1/devices/%20', template, 400],
		['PATCH', at, template, 200, { name: 'Other' }],
		['POST', `${at}/telemetry`, `${template}/telemetry`, 201, { telemetry_type: 'env', payload: { t: 1.5, ok: true } }],
		['GET', `${at}/telemetry`, `${template}/telemetry`, 200],
		['GET', `${at}/latest`, `${template}/latest`, 200],
		['GET', `${at}/series?points=t`, `${template}/series`, 200],
		['POST', `${at}/mqtt-credentials`, `${template}/mqtt-credentials`, 201],
		['POST', '/api/v1/mqtt/readers', '/api/v1/mqtt/readers', 201, { name: 'reader' }],
		['GET', '/api/v1/mqtt/readers', '/api/v1/mqtt/readers', 200],
		['GET', '/api/v1/lines', '/api/v1/lines', 200],
		['GET', '/api/v1/lines/none', '/api/v1/lines/{line}', 404],
		['POST', '/api/v1/lines/none/frames', '/api/v1/lines/{line}/frames', 404, { seconds: 1 }],
		['POST', '/api/v1/lines/none/frames', '/api/v1/lines/{line}/frames', 422, { seconds: 901 }],
		['GET', '/api/v1/lines/none/frames', '/api/v1/lines/{line}/frames', 404],
		['GET', '/api/v1/lines/none/capture', '/api/v1/lines/{line}/capture', 404],
		['GET', '/api/v1/commissioning-report', '/api/v1/commissioning-report', 200],
		['GET', '/api/v1/templates', '/api/v1/templates', 200],
		[
			'POST',
			'/api/v1/templates/import',
			'/api/v1/templates/import',
			200,
			{ content: 'name,address,type\nA,x,uint16\n' },
		],
		['PUT', '/api/v1/templates/own', '/api/v1/templates/{template_key}', 422, { points: [] }],
		['PUT', '/api/v1/templates/own', '/api/v1/templates/{template_key}', 200, siteTemplate],
		['GET', '/api/v1/templates/own', '/api/v1/templates/{template_key}', 200],
		['GET', `${at}/thing-description`, `${template}/thing-description`, 409],
		['DELETE', '/api/v1/templates/own', '/api/v1/templates/{template_key}', 204],
		['GET', '/api/v1/templates/own', '/api/v1/templates/{template_key}', 404],
		['GET', '/api/v1/uplink', '/api/v1/uplink', 200],
		['GET', '/api/v1/system/health', '/api/v1/system/health', 200],
		['DELETE', at, template, 204],
	];
	for (const [method, url, path, status, payload] of calls) {
		const answer = await server.inject({ method, url, headers: { authorization }, ...(payload && { payload }) });
		const name = `${method} ${url}: ${answer.payload}`;
		t.is(answer.statusCode, status, name);
		t.is(check.mistakeOf(method, path, status, answer.payload), null, name);
	}
});

test('the AsyncAPI document is valid, and is the one that is served', async (t) => {
	const ajv = new Ajv({ strict: false, allErrors: true });
	addFormats.default(ajv);
	const validate = ajv.compile(JSON.parse(JSON.stringify(specs.schemasWithoutId['3.0.0'])));
	const document = asyncApiDocument('1.2.3');
	t.true(validate(document), ajv.errorsText(validate.errors).slice(0, 2_000));
	const served = await boxOf('hub').server.inject('/api/asyncapi.json');
	t.deepEqual(JSON.parse(served.payload), asyncApiDocument('0.0.0-contract'));
});

/** What the realtime files of the product register and emit, read from their source: the names are literals there. */
function eventsInSource(): ReadonlyMap<string, ReadonlySet<string>> {
	const found = new Map<string, Set<string>>();
	const files = ['core', 'gateway'].flatMap((folder) =>
		readdirSync(join(process.cwd(), folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
	);
	for (const file of files.filter((name) => name.endsWith('-realtime.ts'))) {
		const source = readFileSync(join(process.cwd(), file), 'utf8');
		const constants = new Map(
			[...source.matchAll(/const (\w+) = '(\w+)'/g)].map(([, name = '', value = '']) => [name, value]),
		);
		const namespace = /\bnamespace\('(\/[\w-]+)'/.exec(source)?.[1];
		if (namespace === undefined) throw new Error(`${file} names no namespace`);
		const uses = source.matchAll(/(?:\.emit|\btell|socket\.on|realtime\.on)\(\s*(?:socket,\s*)?('?)(\w+)\1/g);
		const names = [...uses].flatMap(([, quote, name = '']) => (quote === '' ? (constants.get(name) ?? []) : name));
		const known = found.get(namespace) ?? new Set();
		for (const name of names) if (name !== 'connection' && name !== 'disconnect') known.add(name);
		found.set(namespace, known);
	}
	return found;
}

const channels = (): readonly Tree[] =>
	Object.values(treeAt({ ...asyncApiDocument('1') }, 'channels')).filter((channel): channel is Tree => isTree(channel));

const namesIn = (channel: Tree): readonly string[] =>
	Object.values(treeAt(channel, 'messages')).map((message) => String(isTree(message) ? message['name'] : ''));

/** The namespace base adds it to each. */
const EVERYWHERE = 'authenticate';

test('the AsyncAPI document names every namespace and event of the code, and no other', (t) => {
	const documented = new Map(
		channels()
			.filter(({ address }) => String(address).startsWith('/'))
			.map((channel) => [String(channel['address']), namesIn(channel)]),
	);
	const inSource = eventsInSource();
	t.deepEqual([...documented.keys()].toSorted(), [...inSource.keys()].toSorted());
	for (const [namespace, names] of inSource) {
		t.true(names.size > 0, namespace);
		t.deepEqual(documented.get(namespace)?.toSorted(), [...names, EVERYWHERE].toSorted(), namespace);
	}
});

test('the AsyncAPI document names every topic of devices, both ways, and no other', (t) => {
	const source = readFileSync(join(process.cwd(), 'core/command/command-topics.ts'), 'utf8');
	const down = new Set([...source.matchAll(/topic: '(\w+)'/g)].map(([, topic = '']) => topic));
	const topics = channels()
		.map(({ address }) => String(address))
		.filter((address) => address.startsWith('devices/'));
	t.deepEqual(topics.toSorted(), [...DEVICE_TOPICS, ...down].map((topic) => `devices/{uid}/${topic}`).toSorted());
});

test('a server does not start with a route of the API that its document could not name', async (t) => {
	const secret: Plugin<void> = {
		name: 'secret',
		register: (server) =>
			server.route({ method: 'GET', path: '/api/v1/secret', options: { ...publicAccess, handler: () => ({}) } }),
	};
	const info = { title: 'x', version: '1' };
	const parts = [part(documentRoutes, { info, asyncApi: {} }), part(secret, undefined)];
	const tokens = { verify: () => actorOfRole('viewer') };
	await t.throwsAsync(createHttpServer({ log: silentLog, tokens, web: null, parts }), {
		message: /GET \/api\/v1\/secret does not say what it is/,
	});
});
