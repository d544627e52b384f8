import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';

import { deviceParams } from '../../core/device/device-schema.ts';
import { noteChange } from '../../core/audit/audit-note.ts';
import { permitted } from '../../core/http/access.ts';
import { readerCreate, readerParams, readerView } from './mqtt-account-schema.ts';
import type { MqttAccountService } from './mqtt-account-service.ts';

type ForDevice = Request<{ Params: { device_id: string } }>;
type ForReader = Request<{ Params: { name: string } }>;
type NewReader = Request<{ Payload: { name: string } }>;

/** Logins of the local MQTT broker. A password is shown in the answer that made it, and never again. */
export const mqttAccountRoutes: Plugin<{ readonly accounts: MqttAccountService }> = {
	name: 'mqtt-account-routes',
	register(server, { accounts }) {
		server.route({
			method: 'POST',
			path: '/devices/{device_id}/mqtt-credentials',
			options: {
				...permitted('devices:write'),
				validate: { params: deviceParams },
				handler: async (request: ForDevice, h: ResponseToolkit) => {
					const login = await accounts.issueForDevice(request.params.device_id);
					noteChange(request, { target: request.params.device_id, before: null, after: { username: login.username } });
					return h.response(login).code(201);
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/devices/{device_id}/mqtt-credentials',
			options: {
				...permitted('devices:write'),
				validate: { params: deviceParams },
				handler: async (request: ForDevice, h: ResponseToolkit) => {
					await accounts.revokeOfDevice(request.params.device_id);
					noteChange(request, { target: request.params.device_id, before: null, after: null });
					return h.response().code(204);
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/mqtt/readers',
			options: {
				...permitted('devices:write'),
				validate: { payload: readerCreate },
				handler: async (request: NewReader, h: ResponseToolkit) => {
					const { name } = request.payload;
					const login = await accounts.addReader(name);
					noteChange(request, { target: name, before: null, after: { username: login.username } });
					return h.response(login).code(201);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/mqtt/readers',
			options: { ...permitted('devices:write'), handler: () => accounts.readers().map(readerView) },
		});
		server.route({
			method: 'DELETE',
			path: '/mqtt/readers/{name}',
			options: {
				...permitted('devices:write'),
				validate: { params: readerParams },
				handler: async (request: ForReader, h: ResponseToolkit) => {
					const { name } = request.params;
					await accounts.removeReader(name);
					noteChange(request, { target: name, before: { username: name }, after: null });
					return h.response().code(204);
				},
			},
		});
	},
};
