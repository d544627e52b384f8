import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { deviceParams } from '../../core/device/device-schema.ts';
import { noteChange } from '../../core/audit/audit-note.ts';
import { actorOf, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { loginAnswer, readerAnswer, readerCreate, readerParams, readerView } from './mqtt-account-schema.ts';
import type { MqttAccountService } from './mqtt-account-service.ts';

type ForDevice = Request<{ Params: { device_id: string } }>;
type ForReader = Request<{ Params: { name: string } }>;
type NewReader = Request<{ Payload: { name: string } }>;

const api = (operationId: string, summary: string) => ({ operationId, tag: 'MQTT', summary });

/** Logins of the local MQTT broker. A password is shown in the answer that made it, and never again. */
export const mqttAccountRoutes: Plugin<{ readonly accounts: MqttAccountService }> = {
	name: 'mqtt-account-routes',
	register(server, { accounts }) {
		server.route({
			method: 'POST',
			path: '/devices/{device_id}/mqtt-credentials',
			options: {
				...described(permitted('devices:write'), {
					...api('issueMqttCredentials', 'MQTT login of a device; the password is shown this once'),
					answers: { 201: loginAnswer },
				}),
				validate: { params: deviceParams },
				handler: async (request: ForDevice, h: ResponseToolkit) => {
					const login = await accounts.issueForDevice(request.params.device_id, actorOf(request));
					noteChange(request, { target: request.params.device_id, before: null, after: { username: login.username } });
					return h.response(login).code(201);
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/devices/{device_id}/mqtt-credentials',
			options: {
				...described(permitted('devices:write'), {
					...api('revokeMqttCredentials', 'Revoke the MQTT login of a device'),
					answers: { 204: null },
				}),
				validate: { params: deviceParams },
				handler: async (request: ForDevice, h: ResponseToolkit) => {
					await accounts.revokeOfDevice(request.params.device_id, actorOf(request));
					noteChange(request, { target: request.params.device_id, before: null, after: null });
					return h.response().code(204);
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/mqtt/readers',
			options: {
				...described(ofBox(permitted('devices:write')), {
					...api('createMqttReader', 'A login that reads all devices; the password is shown this once'),
					answers: { 201: loginAnswer },
				}),
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
			options: {
				...described(ofBox(permitted('devices:write')), {
					...api('listMqttReaders', 'Logins that read all devices'),
					answers: { 200: Joi.array().items(readerAnswer) },
				}),
				handler: () => accounts.readers().map(readerView),
			},
		});
		server.route({
			method: 'DELETE',
			path: '/mqtt/readers/{name}',
			options: {
				...described(ofBox(permitted('devices:write')), {
					...api('removeMqttReader', 'Remove a login that reads all devices'),
					answers: { 204: null },
				}),
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
