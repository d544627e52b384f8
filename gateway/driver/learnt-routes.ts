import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { deviceParams } from '../../core/device/device-schema.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import type { Device } from '../../core/device/device.ts';
import { actorOf, anyUser, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { DeviceId } from '../../core/kernel/id.ts';
import type { Learnt } from './modbus/plan/learnt.ts';

export interface LearntOptions {
	readonly devices: Pick<DeviceService, 'get'>;
	/** `null`: the device is not polled over Modbus. */
	readonly learnt: (id: DeviceId) => Learnt | null;
	readonly forget: (id: DeviceId) => Promise<void>;
}

type Wire = Request<{ Params: { device_id: string } }>;

const learntView = (device: Device, { maxRegisters, maxBits, holes, refused }: Learnt) => ({
	device_id: device.id,
	max_registers: maxRegisters,
	max_bits: maxBits,
	holes: holes.map(({ functionCode, first, last }) => ({ function: functionCode, first, last })),
	refused_points: refused,
});

const learntAnswer = Joi.object({
	device_id: Joi.string(),
	max_registers: Joi.number().allow(null),
	max_bits: Joi.number().allow(null),
	holes: Joi.array().items(
		Joi.object({ function: Joi.valid(1, 2, 3, 4), first: Joi.number(), last: Joi.number() }).options({
			presence: 'required',
		}),
	),
	refused_points: Joi.array().items(Joi.string()),
})
	.options({ presence: 'required' })
	.label('LearntOfDevice');

/** What a Modbus device turned out to allow: the longest reads, addresses that none may touch, points it does not have. */
export const learntRoutes: Plugin<LearntOptions> = {
	name: 'learnt-routes',
	register(server, { devices, learnt, forget }) {
		function known(request: Wire): { readonly device: Device; readonly found: Learnt } {
			const device = devices.get(request.params.device_id, actorOf(request));
			const found = learnt(device.id);
			if (found === null) throw new Fault('not-found', `device ${device.uid} is not polled over Modbus`);
			return { device, found };
		}

		server.route({
			method: 'GET',
			path: '/devices/{device_id}/learnt',
			options: {
				...described(anyUser, {
					operationId: 'getLearntOfDevice',
					tag: 'Devices',
					summary: 'What a polled device turned out to allow: lengths of reads, holes, points it does not have',
					answers: { 200: learntAnswer },
				}),
				validate: { params: deviceParams },
				handler(request: Wire) {
					const { device, found } = known(request);
					return learntView(device, found);
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/devices/{device_id}/learnt',
			options: {
				...described(permitted('devices:write'), {
					operationId: 'forgetLearntOfDevice',
					tag: 'Devices',
					summary: 'Forget it: the device is asked everything again, e.g. after a firmware update',
					answers: { 204: null },
				}),
				validate: { params: deviceParams },
				async handler(request: Wire, h: ResponseToolkit) {
					const { device, found } = known(request);
					await forget(device.id);
					noteChange(request, { target: device.id, before: learntView(device, found), after: null });
					return h.response().code(204);
				},
			},
		});
	},
};
