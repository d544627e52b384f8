import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { deviceAnswer, deviceView } from '../../core/device/device-schema.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import { actorOf, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { notFound } from '../../core/kernel/fault.ts';
import { createAdoption } from './adopt-device.ts';
import { type AdoptBody, adoptBody, knockerAnswer, knockerParams, knockerView } from './knocking-schema.ts';
import type { Knocking } from './knocking.ts';
import { loginAnswer } from './mqtt-account-schema.ts';
import type { MqttAccountService } from './mqtt-account-service.ts';

type Named = Request<{ Params: { name: string } }>;
type Adopting = Request<{ Params: { name: string }; Payload: AdoptBody | null }>;

export interface KnockingRoutesDeps {
	readonly knocking: Knocking;
	readonly devices: Pick<DeviceService, 'register' | 'remove' | 'health'>;
	readonly accounts: Pick<MqttAccountService, 'issueForDevice'>;
}

const api = (operationId: string, summary: string) => ({ operationId, tag: 'MQTT', summary });

/** Devices that tried to log in and are not known: list, adopt, dismiss. */
export const knockingRoutes: Plugin<KnockingRoutesDeps> = {
	name: 'mqtt-knocking-routes',
	register(server, { knocking, devices, accounts }) {
		const adopt = createAdoption({ knocking, devices, accounts });
		server.route({
			method: 'GET',
			path: '/mqtt/knocking',
			options: {
				...described(ofBox(permitted('devices:write')), {
					...api('listKnockingDevices', 'Devices that tried to log in and are not known'),
					answers: { 200: Joi.array().items(knockerAnswer) },
				}),
				handler: () => knocking.all().map(knockerView),
			},
		});
		server.route({
			method: 'POST',
			path: '/mqtt/knocking/{name}/adopt',
			options: {
				...described(ofBox(permitted('devices:write')), {
					...api('adoptKnockingDevice', 'Register such a device; its password is shown this once'),
					answers: { 201: Joi.object({ device: deviceAnswer.required(), credentials: loginAnswer.required() }) },
				}),
				validate: { params: knockerParams, payload: adoptBody },
				handler: async (request: Adopting, h: ResponseToolkit) => {
					const { name, device_type: deviceType } = request.payload ?? {};
					const wanted = {
						...(name === undefined ? {} : { name }),
						...(deviceType === undefined ? {} : { deviceType }),
					};
					const { device, credentials } = await adopt(request.params.name, wanted, actorOf(request));
					const view = deviceView(device, devices.health(device));
					noteChange(request, { target: device.uid, before: null, after: view });
					return h.response({ device: view, credentials }).code(201);
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/mqtt/knocking/{name}',
			options: {
				...described(ofBox(permitted('devices:write')), {
					...api('dismissKnockingDevice', 'Forget such a device'),
					answers: { 204: null },
				}),
				validate: { params: knockerParams },
				handler: (request: Named, h: ResponseToolkit) => {
					const { name } = request.params;
					const known = knocking.find(name);
					if (known === null || !knocking.forget(name)) throw notFound('knocking device', name);
					noteChange(request, { target: name, before: knockerView(known), after: null });
					return h.response().code(204);
				},
			},
		});
	},
};
