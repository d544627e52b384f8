import { randomUUID } from 'node:crypto';

import { member } from '../../system/kit/rest.ts';
import type { Case, Plan } from '../kit/case.ts';
import type { Answer } from '../kit/http-client.ts';
import type { Stage } from '../kit/stage.ts';
import { cursorMistakes } from './cursor-mistakes.ts';
import { expecting, pageMistakes, repeats } from './expecting.ts';

const listDevices: Plan = {
	async request(stage, who) {
		await stage.newDevice(who);
		return {};
	},
	verify: (answer) => pageMistakes(answer, 1, 20),
	cases: [
		...Object.entries({ page: '2', size: '1' }).map(([name, value]): Case => ({
			name: `${name}=${value} answers the page form`,
			status: 200,
			run: (stage, operation) => stage.sendAs('manager', operation, { query: { [name]: value } }),
			verify: (answer) => pageMistakes(answer, name === 'page' ? 2 : 1, name === 'size' ? 1 : 20),
		})),
		{
			name: 'limit=1 answers a bare array with the next cursor in the headers, and the cursor goes on there',
			status: 200,
			async run(stage, operation) {
				await stage.newDevice(null);
				await stage.newDevice(null);
				return stage.sendAs('manager', operation, { query: { limit: '1' } });
			},
			verify: async (answer, stage) => cursorMistakes(answer, 1, (path) => stage.callAs('manager', 'GET', path)),
		},
		{
			name: 'an end of the list has neither cursor nor link',
			status: 200,
			async run(stage, operation) {
				const owner = await stage.people.another('user');
				await stage.newDevice(owner);
				return stage.send(operation, { query: { limit: '200' } }, owner.accessToken);
			},
			verify: (answer) =>
				answer.header('x-next-cursor') === null && answer.header('link') === null && answer.header('x-limit') === '200'
					? []
					: ['the end of the list goes on'],
		},
		...[
			{ page: '1', limit: '1' },
			{ size: '1', limit: '1' },
			{ page: '1', cursor: 'abcd123' },
			{ cursor: 'abcd123' },
		].map((query): Case => ({
			name: `the query ${new URLSearchParams(query).toString()}`,
			status: 422,
			code: 'VALIDATION_ERROR',
			run: (stage, operation) => stage.sendAs('manager', operation, { query }),
		})),
	],
};

const createDevice: Plan = {
	async request(stage, who, example) {
		if (example === null)
			return {
				body: { device_uid: stage.unique('made'), name: 'A sensor', device_type: 'sensor', firmware_version: null },
			};
		// The owner of the example has to be a user here.
		return { body: 'owner_id' in example ? { ...example, owner_id: who?.id } : example };
	},
	verify: repeats,
	cases: [
		{
			name: 'a device_uid that is registered already',
			status: 409,
			code: 'DUPLICATE_ENTRY',
			async run(stage, operation) {
				const uid = stage.unique('twin');
				await stage.newDevice(null, { device_uid: uid });
				return stage.sendAs('manager', operation, { body: { device_uid: uid, name: 'B', device_type: 'meter' } });
			},
		},
		{
			name: 'an owner_id that is no user',
			status: 422,
			code: 'BUSINESS_RULE_VIOLATION',
			run: (stage, operation) =>
				stage.sendAs('manager', operation, { body: { name: 'B', device_type: 'meter', owner_id: randomUUID() } }),
		},
		{
			name: 'without device_uid it is the id, and the owner is the caller',
			status: 201,
			run: (stage, operation) =>
				stage.sendAs('manager', operation, { body: { name: 'B', device_type: 'meter', surprise: true } }),
			verify: async ({ body }, stage) =>
				expecting({
					device_uid: member(body, 'id'),
					owner_id: (await stage.people.of('manager')).id,
					status: 'offline',
					metadata: {},
				})({
					body,
				}),
		},
	],
};

/** The device by its id and by its uid (R1). */
const byUid = (stage: Stage, role: 'user' | 'superadmin'): Promise<string> =>
	stage.people.of(role).then(async (owner) => {
		const uid = stage.unique('by-uid');
		await stage.newDevice(owner, { device_uid: uid });
		return uid;
	});

const getDevice: Plan = {
	request: async (stage, who) => ({ path: { device_id: await stage.newDevice(who) } }),
	verify: (answer, { path }) => expecting({ id: path?.['device_id'] })(answer),
	cases: [
		{
			name: 'by its device_uid',
			status: 200,
			async run(stage, operation) {
				const uid = await byUid(stage, 'user');
				return stage.sendAs('user', operation, { path: { device_id: uid } });
			},
			verify: ({ body }) =>
				/^by-uid-\d+$/.test(String(member(body, 'device_uid'))) ? [] : ['another device is answered'],
		},
		{
			name: 'a device of somebody else, as user (D2)',
			status: 404,
			code: 'RESOURCE_NOT_FOUND',
			async run(stage, operation) {
				const id = await stage.newDevice(null);
				return stage.sendAs('user', operation, { path: { device_id: id } });
			},
		},
	],
};

const updateDevice: Plan = {
	request: async (stage, _who, example) => ({
		path: { device_id: await stage.newDevice(null, { metadata: { model: 'esp32' } }) },
		body: example ?? { name: 'Another name', metadata: { location: 'lab' } },
	}),
	verify: repeats,
	cases: [
		{
			name: 'by its device_uid, and what is absent keeps its value',
			status: 200,
			async run(stage, operation) {
				const uid = await byUid(stage, 'superadmin');
				return stage.sendAs('manager', operation, { path: { device_id: uid }, body: { status: 'maintenance' } });
			},
			verify: expecting({ name: 'A device', device_type: 'meter', status: 'maintenance' }),
		},
		{
			name: 'an owner_id that is no user',
			status: 422,
			code: 'BUSINESS_RULE_VIOLATION',
			async run(stage, operation) {
				const id = await stage.newDevice(null);
				return stage.sendAs('manager', operation, { path: { device_id: id }, body: { owner_id: randomUUID() } });
			},
		},
	],
};

const goneAfter = async (answer: Answer, stage: Stage, uid: string): Promise<readonly string[]> => {
	const { status } = await stage.callAs('superadmin', 'GET', `/devices/${uid}`);
	return answer.text === '' && status === 404 ? [] : [`the device is answered with ${status} afterwards`];
};

const deleteDevice: Plan = {
	request: async (stage) => ({ path: { device_id: await stage.newDevice(null) } }),
	cases: [
		{
			name: 'by its device_uid, and it is gone',
			status: 204,
			async run(stage, operation) {
				await stage.newDevice(null, { device_uid: 'to-be-deleted' });
				return stage.sendAs('admin', operation, { path: { device_id: 'to-be-deleted' } });
			},
			verify: (answer, stage) => goneAfter(answer, stage, 'to-be-deleted'),
		},
	],
};

/** The registry of devices. */
export const devicePlans: Readonly<Record<string, Plan>> = {
	listDevices,
	createDevice,
	getDevice,
	updateDevice,
	deleteDevice,
};
