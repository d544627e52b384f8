import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { type LineView, toLine } from '../../config/connection/connection-schema.ts';
import type { Line } from '../../config/connection/connection.ts';
import { noteChange } from '../../core/audit/audit-note.ts';
import { actorOf, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { hangUpOf } from '../../core/http/hang-up.ts';
import { fieldFault } from '../../core/kernel/fault.ts';
import { lineName } from '../driver/modbus/line-name.ts';
import type { ScanLines } from './scan-line.ts';
import { type ScanBody, scanBody, scanParams, toScanRequest } from './scan-request-schema.ts';
import { scanAnswer, scanSummary, scanSummaryAnswer, scanView } from './scan-schema.ts';
import type { ScanService } from './scan-service.ts';
import { toTryRequest, tryAnswer, type TryBody, tryBody, tryView } from './try-schema.ts';
import type { TryRegister } from './try-service.ts';

export interface ScanRoutesOptions {
	readonly scans: Pick<ScanService, 'start' | 'all' | 'get' | 'cancel'>;
	readonly tryRegister: TryRegister;
	readonly lines: Pick<ScanLines, 'named'>;
}

type Named = Request<{ Params: { scan_id: string } }>;

/** Whoever may set up devices may look for them; it costs the lines time, so nobody else does. */
const access = ofBox(permitted('devices:write'));
const api = (operationId: string, summary: string) => ({ operationId, tag: 'Lines', summary });

/** Finding devices and registers, and trying one register, before there is a template for it. */
export const scanRoutes: Plugin<ScanRoutesOptions> = {
	name: 'scan-routes',
	register(server, { scans, tryRegister, lines }) {
		/** @throws Fault of `line` when no device uses a line of this name */
		function lineOf(line: string | LineView): Line {
			if (typeof line !== 'string') return toLine(line);
			const known = lines.named(line);
			if (known !== null) return known;
			const rule = `must be the name of a line in use, or a line written out; found ${JSON.stringify(line)}`;
			throw fieldFault('rule-violation', 'line', rule);
		}

		const tried = described(access, {
			...api('tryRegister', 'Read one register and show everything it could mean'),
			answers: { 200: tryAnswer },
			refusals: [409, 429, 502, 503, 504],
		});
		server.route({
			method: 'POST',
			path: '/lines/try',
			options: {
				...tried,
				app: { ...tried.app, audit: 'attempts' },
				validate: { payload: tryBody },
				handler: async (request: Request<{ Payload: TryBody }>) => {
					const wanted = toTryRequest(request.payload, lineOf(request.payload.line));
					noteChange(request, { target: lineName(wanted.line), before: null, after: { ...request.payload } });
					return tryView(wanted, await tryRegister.read(wanted, hangUpOf(request)));
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/scans',
			options: {
				...described(access, {
					...api(
						'startScan',
						'Look for units on serial ports, for devices in own networks, or for registers of a unit',
					),
					answers: { 201: scanAnswer },
					refusals: [409],
				}),
				validate: { payload: scanBody },
				handler: async (request: Request<{ Payload: ScanBody }>, h: ResponseToolkit) => {
					const scan = await scans.start(toScanRequest(request.payload, lineOf), actorOf(request).email);
					noteChange(request, { target: scan.id, before: null, after: scanSummary(scan) });
					return h.response(scanView(scan)).code(201);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/scans',
			options: {
				...described(access, {
					...api('listScans', 'The last scans, the newest first, without what they found'),
					answers: { 200: Joi.array().items(scanSummaryAnswer) },
				}),
				handler: () => scans.all().map(scanSummary),
			},
		});
		server.route({
			method: 'GET',
			path: '/scans/{scan_id}',
			options: {
				...described(access, {
					...api('getScan', 'How far a scan is, and what it has found'),
					answers: { 200: scanAnswer },
				}),
				validate: { params: scanParams },
				handler: (request: Named) => scanView(scans.get(request.params.scan_id)),
			},
		});
		server.route({
			method: 'DELETE',
			path: '/scans/{scan_id}',
			options: {
				...described(access, {
					...api('cancelScan', 'End a scan; what it has found stays'),
					answers: { 200: scanAnswer },
				}),
				validate: { params: scanParams },
				handler: async (request: Named) => {
					const before = scanSummary(scans.get(request.params.scan_id));
					const scan = await scans.cancel(request.params.scan_id);
					noteChange(request, { target: scan.id, before, after: scanSummary(scan) });
					return scanView(scan);
				},
			},
		});
	},
};
