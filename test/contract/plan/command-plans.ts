import type { Role } from '../../../core/identity/role.ts';
import { member } from '../../system/kit/rest.ts';
import type { Case, Plan } from '../kit/case.ts';
import { cursorMistakes, unknownCursor } from './cursor-mistakes.ts';
import { expecting } from './expecting.ts';

/** D1 where the reference says "any authenticated user": commands need `devices:command`, or the device. */
const D1 = 'D1: commands need devices:command or the device';

const RESTART = { command_name: 'restart', payload: { delay: 5 } };

const notTheirs = (role: Role, body: object, withCommand: boolean): Case => ({
	name: `a device of somebody else, as ${role}`,
	status: 403,
	code: 'PERMISSION_DENIED',
	amendment: D1,
	async run(stage, operation) {
		const device = await stage.newDevice(null);
		const path = { device_id: device, ...(withCommand ? { command_id: await stage.newCommand(device) } : {}) };
		return stage.sendAs(role, operation, { path, body });
	},
});

const createCommand: Plan = {
	request: async (stage, who, example) => ({
		path: { device_id: await stage.newDevice(who) },
		body: example ?? RESTART,
	}),
	verify: expecting({ ...RESTART, status: 'pending', executed_at: null }),
	cases: [
		{
			name: 'without a payload it is empty, and the device may be named by its uid',
			status: 201,
			async run(stage, operation) {
				const uid = stage.unique('ordered');
				await stage.newDevice(null, { device_uid: uid });
				const request = { path: { device_id: uid }, body: { command_name: 'restart' } };
				return stage.sendAs('manager', operation, request);
			},
			verify: expecting({ payload: {}, status: 'pending' }),
		},
		notTheirs('viewer', RESTART, false),
		notTheirs('editor', RESTART, false),
	],
};

const listCommands: Plan = {
	async request(stage, who) {
		const device = await stage.newDevice(who);
		await stage.newCommand(device);
		return { path: { device_id: device } };
	},
	verify: (answer) => (Array.isArray(answer.body) && answer.body.length === 1 ? [] : ['not the one command']),
	cases: [
		{
			name: 'newest first, part by part',
			status: 200,
			async run(stage, operation) {
				const device = await stage.newDevice(null);
				for (let made = 0; made < 3; made += 1) await stage.newCommand(device);
				return stage.sendAs('viewer', operation, { path: { device_id: device }, query: { limit: '1' } });
			},
			verify: async (answer, stage) => cursorMistakes(answer, 1, (path) => stage.callAs('viewer', 'GET', path)),
		},
		unknownCursor,
	],
};

const EXECUTED = { status: 'executed', executed_at: '2025-08-22T12:40:00Z' };

const updateCommand: Plan = {
	async request(stage, who, example) {
		const device = await stage.newDevice(who);
		return { path: { device_id: device, command_id: await stage.newCommand(device) }, body: example ?? EXECUTED };
	},
	verify: (answer) => expecting({ status: 'executed', executed_at: '2025-08-22T12:40:00.000Z' })(answer),
	cases: [
		{
			name: 'executed without a time: that of the receipt',
			status: 200,
			async run(stage, operation) {
				const who = await stage.people.of('manager');
				const request = await updateCommand.request(stage, who, null);
				return stage.send(operation, { ...request, body: { status: 'executed' } }, who.accessToken);
			},
			verify: ({ body }) => (typeof member(body, 'executed_at') === 'string' ? [] : ['executed_at is not set']),
		},
		...(['executed', 'failed'] as const).map((last): Case => ({
			name: `another status after ${last}`,
			status: 409,
			code: 'STATE_CONFLICT',
			async run(stage, operation) {
				const who = await stage.people.of('manager');
				const request = await updateCommand.request(stage, who, null);
				await stage.send(operation, { ...request, body: { status: last } }, who.accessToken);
				return stage.send(operation, { ...request, body: { status: 'sent' } }, who.accessToken);
			},
		})),
		{
			name: 'a command of another device',
			status: 404,
			code: 'RESOURCE_NOT_FOUND',
			async run(stage, operation) {
				const who = await stage.people.of('manager');
				const command = await stage.newCommand(await stage.newDevice(who));
				const path = { device_id: await stage.newDevice(who), command_id: command };
				return stage.send(operation, { path, body: EXECUTED }, who.accessToken);
			},
		},
		notTheirs('viewer', EXECUTED, true),
	],
};

/** The queue of commands. */
export const commandPlans: Readonly<Record<string, Plan>> = { createCommand, listCommands, updateCommand };
