import { member } from '../../system/kit/rest.ts';
import type { Case, Plan } from '../kit/case.ts';
import { cursorMistakes, unknownCursor } from './cursor-mistakes.ts';
import { expecting, repeats } from './expecting.ts';

const measured = { telemetry_type: 'environment', payload: { temperature: 22.5, humidity: 60 } };

/** How an instant may be written, and how it is answered (R4). */
const INSTANTS: Readonly<Record<string, string>> = {
	'2025-08-22T12:34:56Z': '2025-08-22T12:34:56.000Z',
	'2025-08-22T14:34:56+02:00': '2025-08-22T12:34:56.000Z',
	'2025-08-22T07:04:56-0530': '2025-08-22T12:34:56.000Z',
	'2025-08-22T12:34:56.789': '2025-08-22T12:34:56.789Z',
	'2025-08-22T12:34': '2025-08-22T12:34:00.000Z',
	'2025-08-22': '2025-08-22T00:00:00.000Z',
};

const createTelemetry: Plan = {
	request: async (stage, who, example) => ({
		path: { device_id: await stage.newDevice(who) },
		body: example ?? measured,
	}),
	verify: (answer, { body }) => [
		...expecting({ telemetry_type: member(body, 'telemetry_type'), payload: member(body, 'payload') })(answer),
		...(member(body, 'recorded_at') === undefined
			? []
			: expecting({ recorded_at: '2025-08-22T12:34:56.000Z' })(answer)),
	],
	cases: [
		...Object.entries(INSTANTS).map(([given, answered]): Case => ({
			name: `recorded_at ${given} is answered as ${answered}`,
			status: 201,
			async run(stage, operation) {
				const who = await stage.people.of('editor');
				const path = { device_id: await stage.newDevice(null) };
				return stage.send(operation, { path, body: { ...measured, recorded_at: given } }, who.accessToken);
			},
			verify: expecting({ recorded_at: answered }),
		})),
		{
			name: 'by the device_uid',
			status: 201,
			async run(stage, operation) {
				const uid = stage.unique('measured');
				await stage.newDevice(null, { device_uid: uid });
				return stage.sendAs('editor', operation, { path: { device_id: uid }, body: measured });
			},
			verify: (answer) => repeats(answer, { body: measured }),
		},
		{
			name: 'a device of somebody else, as viewer',
			status: 403,
			code: 'PERMISSION_DENIED',
			amendment: 'D1: writing telemetry needs telemetry:write or the device',
			async run(stage, operation) {
				const path = { device_id: await stage.newDevice(null) };
				return stage.sendAs('viewer', operation, { path, body: measured });
			},
		},
	],
};

const listTelemetry: Plan = {
	async request(stage, who) {
		const device = await stage.newDevice(who);
		await stage.newTelemetry(device, { temperature: 22.5 }, '2025-08-22T12:34:56Z');
		return { path: { device_id: device } };
	},
	verify: (answer) => [
		...(Array.isArray(answer.body) && answer.body.length === 1 ? [] : ['not the one record']),
		...(answer.header('x-limit') === '10' ? [] : ['the default limit is not 10']),
	],
	cases: [
		{
			name: 'newest first, part by part',
			status: 200,
			async run(stage, operation) {
				const device = await stage.newDevice(null);
				for (const day of ['02', '01', '03'])
					await stage.newTelemetry(device, { day: Number(day) }, `2025-08-${day}T00:00:00Z`);
				return stage.sendAs('viewer', operation, { path: { device_id: device }, query: { limit: '2' } });
			},
			verify: async (answer, stage) => [
				...expecting({ recorded_at: '2025-08-03T00:00:00.000Z' })({ body: member(answer.body, '0') }),
				...(await cursorMistakes(answer, 2, (path) => stage.callAs('viewer', 'GET', path))),
			],
		},
		unknownCursor,
	],
};

/** Records of telemetry. */
export const telemetryPlans: Readonly<Record<string, Plan>> = { createTelemetry, listTelemetry };
