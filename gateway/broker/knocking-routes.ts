import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { deviceView } from '../../core/device/device-schema.ts';
import type { DeviceService } from '../../core/device/device-service.ts';
import { actorOf, permitted } from '../../core/http/access.ts';
import { notFound } from '../../core/kernel/fault.ts';
import { createAdoption } from './adopt-device.ts';
import { type AdoptBody, adoptBody, knockerParams, knockerView } from './knocking-schema.ts';
import type { Knocking } from './knocking.ts';
import type { MqttAccountService } from './mqtt-account-service.ts';

type Named = Request<{ Params: { name: string } }>;
type Adopting = Request<{ Params: { name: string }; Payload: AdoptBody | null }>;

export interface KnockingRoutesDeps {
	readonly knocking: Knocking;
	readonly devices: Pick<DeviceService, 'register' | 'remove' | 'health'>;
	readonly accounts: Pick<MqttAccountService, 'issueForDevice'>;
}

/** Devices that tried to log in and are not known: list, adopt, dismiss. */
export const knockingRoutes: Plugin<KnockingRoutesDeps> = {
	name: 'mqtt-knocking-routes',
	register(server, { knocking, devices, accounts }) {
		const adopt = createAdoption({ knocking, devices, accounts });
		server.route({
			method: 'GET',
			path: '/mqtt/knocking',
			options: { ...permitted('devices:write'), handler: () => knocking.all().map(knockerView) },
		});
		server.route({
			method: 'POST',
			path: '/mqtt/knocking/{name}/adopt',
			options: {
				...permitted('devices:write'),
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
				...permitted('devices:write'),
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
