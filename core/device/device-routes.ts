import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../audit/audit-note.ts';
import { actorOf, anyUser, permitted } from '../http/access.ts';
import { withCursorHeaders } from '../http/cursor-headers.ts';
import { described } from '../http/describe.ts';
import { ifMatch, withEtag } from '../http/etag.ts';
import { byPage, cutAtLimit, DEFAULT_CURSOR_LIMIT, DEFAULT_PAGE_SIZE } from '../http/paging.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Logger } from '../kernel/log.ts';
import {
	type DeviceBody,
	type ListQuery,
	deviceAnswer,
	deviceCreate,
	deviceListQuery,
	deviceParams,
	devicePatch,
	deviceView,
	toChange,
	toCursor,
	toNewDevice,
} from './device-schema.ts';
import { seesAllDevices } from './device-access.ts';
import type { DeviceService } from './device-service.ts';
import type { Device } from './device.ts';

type Wire<T> = Request<{ Params: { device_id: string }; Query: ListQuery; Payload: T }>;

const api = (operationId: string, summary: string) => ({ operationId, tag: 'Devices', summary });

export interface DeviceRoutesOptions {
	readonly devices: DeviceService;
	/**
	 * What whoever saved this device should know although it was saved, e.g. that its line will not keep up; `null`: nothing. `isNamed`:
	 * other devices may be named to them.
	 */
	readonly notice?: (device: Device, isNamed: boolean) => string | null;
	readonly log: Logger;
}

/** A header can carry neither other letters nor quotation marks inside the quoted text (RFC 7234, 5.5). */
const warningOf = (notice: string): string => `299 - "${notice.replaceAll(/[^ !#-[\]-~]/g, '?')}"`;

/** `/devices` of references 000 and 002. Registered below the prefix of its family. */
export const deviceRoutes: Plugin<DeviceRoutesOptions> = {
	name: 'device-routes',
	register(server, { devices, notice, log }) {
		const view = (device: Device) => deviceView(device, devices.health(device));

		const documentOf = (device: Device, h: ResponseToolkit) => withEtag(h.response(view(device)), device.revision);

		/** The device is saved by now: whatever goes wrong here is no reason to answer that it is not. */
		function noticeOf(device: Device, request: Wire<DeviceBody>): string | null {
			try {
				return notice?.(device, seesAllDevices(actorOf(request))) ?? null;
			} catch (error) {
				log.error('device-notice-failed', { device: device.uid, reason: messageOf(error) });
				return null;
			}
		}

		/** The document, and a `Warning` when there is something to know about it. */
		function savedOf(device: Device, request: Wire<DeviceBody>, h: ResponseToolkit) {
			const response = documentOf(device, h);
			const sentence = noticeOf(device, request);
			return sentence === null ? response : response.header('warning', warningOf(sentence));
		}

		function listByPage(request: Wire<unknown>) {
			const { page = 1, size = DEFAULT_PAGE_SIZE } = request.query;
			const { items, total } = devices.page(byPage.windowOf({ page, size }), actorOf(request));
			return byPage.answer({ items: items.map(view), total }, { page, size });
		}

		function listByCursor(request: Wire<unknown>, h: ResponseToolkit) {
			const { limit = DEFAULT_CURSOR_LIMIT, cursor = null } = request.query;
			const { items, next } = cutAtLimit(devices.after(cursor, limit + 1, actorOf(request)), limit, toCursor);
			return withCursorHeaders(h.response(items.map(view)), request, limit, next);
		}

		server.route({
			method: 'GET',
			path: '/devices',
			options: {
				...described(anyUser, {
					...api('listDevices', 'Devices by page, or by cursor as a bare array'),
					answers: { 200: Joi.alternatives(byPage.schemaOf(deviceAnswer), Joi.array().items(deviceAnswer)) },
				}),
				validate: { query: deviceListQuery },
				handler: (request: Wire<unknown>, h: ResponseToolkit) =>
					request.query.limit === undefined && request.query.cursor === undefined
						? listByPage(request)
						: listByCursor(request, h),
			},
		});
		server.route({
			method: 'POST',
			path: '/devices',
			options: {
				...described(permitted('devices:write'), {
					...api('createDevice', 'Register a device'),
					answers: { 201: deviceAnswer },
					etag: true,
				}),
				validate: { payload: deviceCreate },
				handler: async (request: Wire<DeviceBody>, h: ResponseToolkit) => {
					const device = await devices.register(toNewDevice(request.payload, actorOf(request)));
					noteChange(request, { target: device.id, before: null, after: view(device) });
					return savedOf(device, request, h).code(201);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/devices/{device_id}',
			options: {
				...described(anyUser, {
					...api('getDevice', 'One device, under its id or device_uid'),
					answers: { 200: deviceAnswer },
					etag: true,
				}),
				validate: { params: deviceParams },
				handler: (request: Wire<unknown>, h: ResponseToolkit) =>
					documentOf(devices.get(request.params.device_id, actorOf(request)), h),
			},
		});
		server.route({
			method: 'PATCH',
			path: '/devices/{device_id}',
			options: {
				...described(permitted('devices:write'), {
					...api('updateDevice', 'Change a device; absent fields keep their value'),
					answers: { 200: deviceAnswer },
					etag: true,
				}),
				validate: { params: deviceParams, payload: devicePatch },
				handler: async (request: Wire<DeviceBody>, h: ResponseToolkit) => {
					const { params, payload } = request;
					const before = devices.get(params.device_id, actorOf(request));
					const device = await devices.patch(params.device_id, toChange(payload), actorOf(request), ifMatch(request));
					noteChange(request, { target: device.id, before: view(before), after: view(device) });
					return savedOf(device, request, h);
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/devices/{device_id}',
			options: {
				...described(permitted('devices:delete'), {
					...api('deleteDevice', 'Remove a device; its history stays'),
					answers: { 204: null },
					etag: true,
				}),
				validate: { params: deviceParams },
				handler: async (request: Wire<unknown>, h: ResponseToolkit) => {
					const before = devices.get(request.params.device_id, actorOf(request));
					await devices.remove(before.id, actorOf(request), ifMatch(request));
					noteChange(request, { target: before.id, before: view(before), after: null });
					return h.response().code(204);
				},
			},
		});
	},
};
