import type { Request, ResponseToolkit, Server } from '@hapi/hapi';

import { refusal } from './mock-answer.ts';
import { budgetsOf, framesOf, lineOf, linesOf, portsOf, reportOf } from './mock-lines.ts';
import { type MockScan, refusedTry, triedOf } from './mock-scan.ts';
import { madeDocument, templateRoutes } from './mock-template.ts';

const param = (request: Request, name: string): string => String(request.params[name]);

function member(value: unknown, ...path: readonly string[]): unknown {
	let found: unknown = value;
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked to be an object
	for (const key of path) found = typeof found === 'object' ? (found as Record<string, unknown> | null)?.[key] : null;
	return found;
}

/** An inverter says what it is; anything but unit 1 is none. */
function sunspecOf(request: Request, h: ResponseToolkit) {
	if (Number(member(request.payload, 'unit_id')) !== 1)
		return refusal(h, 404, 'RESOURCE_NOT_FOUND', 'unit 9 has no SunSpec marker at 40000, 0 or 50000');
	return {
		base: 40_000,
		manufacturer: 'Fronius',
		model: 'Symo 10.0',
		serial_number: '3041',
		models: [1, 103, 160],
		template: { key: 'sunspec-fronius-symo', document: madeDocument('Fronius', 'Symo 10.0') },
		left_out: ['model 64111 is not known'],
	};
}

interface Recording {
	readonly startedMs: number;
	readonly seconds: number;
	running: boolean;
}

function frameRoutes(server: Server): void {
	let recording: Recording | null = null;
	const view = () =>
		recording && {
			started_at: new Date(recording.startedMs).toISOString(),
			until: new Date(recording.startedMs + recording.seconds * 1_000).toISOString(),
			is_running: recording.running,
			bytes: 4_812,
			dropped: 0,
		};
	server.route([
		{
			method: 'GET',
			path: '/api/v1/lines/{line}/frames',
			handler: () => ({ recording: view(), frames: recording === null ? [] : framesOf(recording.startedMs) }),
		},
		{
			method: 'POST',
			path: '/api/v1/lines/{line}/frames',
			handler(request) {
				const seconds = Number(member(request.payload, 'seconds'));
				if (seconds === 0 && recording !== null) recording.running = false;
				else recording = { startedMs: Date.now(), seconds, running: true };
				return view();
			},
		},
		{
			method: 'DELETE',
			path: '/api/v1/lines/{line}/frames',
			handler(_, h) {
				recording = null;
				return h.response().code(204);
			},
		},
		{
			method: 'GET',
			path: '/api/v1/lines/{line}/capture',
			handler: (_, h) => h.response('{"kind":"capture"}\n').type('application/x-ndjson'),
		},
	]);
}

/** A mistake in one field of what was sent. */
function mistaken(h: ResponseToolkit, field: string, msg: string) {
	return refusal(h, 422, 'VALIDATION_ERROR', msg, [{ loc: ['body', ...field.split('.')], msg, type: 'rule' }]);
}

function startScan(scan: MockScan, payload: unknown, h: ResponseToolkit) {
	const kind = member(payload, 'kind');
	if (kind === 'tcp') return mistaken(h, 'subnets', 'must be networks of this box; found "8.8.8.0/24"');
	if (kind === 'registers' && Number(member(payload, 'to')) > 65_535)
		return mistaken(h, 'to', '"to" must be less than or equal to 65535');
	if (kind === 'registers' && member(payload, 'line') === undefined) return mistaken(h, 'line', 'line is required');
	scan.start(kind);
	return h.response(scan.view()).code(201);
}

function scanRoutes(server: Server, scan: MockScan, isMuted: boolean): void {
	server.route([
		{ method: 'GET', path: '/api/v1/scans', handler: () => scan.list() },
		{
			method: 'POST',
			path: '/api/v1/scans',
			handler: (request, h) => startScan(scan, request.payload, h),
		},
		{
			method: 'GET',
			path: '/api/v1/scans/{id}',
			handler() {
				if (isMuted) scan.look();
				return scan.view();
			},
		},
		{
			method: 'DELETE',
			path: '/api/v1/scans/{id}',
			handler(_, h) {
				scan.cancel();
				return h.response(scan.view()).code(200);
			},
		},
		{
			method: 'POST',
			path: '/api/v1/lines/try',
			handler(request, h) {
				if (member(request.payload, 'line') === undefined) return mistaken(h, 'line', 'line is required');
				return Number(member(request.payload, 'address')) > 9_000 ? refusedTry() : triedOf();
			},
		},
	]);
}

/**
 * What the pages of an installer ask, with one line that is well and one that is not.
 * @param isMuted nobody hears of the scan: each question for it is a step of it
 */
export function fieldRoutes(server: Server, scan: MockScan, isMuted: boolean): void {
	server.route([
		{ method: 'GET', path: '/api/v1/lines', handler: linesOf },
		{
			method: 'GET',
			path: '/api/v1/lines/{line}',
			handler: (request, h) =>
				lineOf(param(request, 'line')) ?? refusal(h, 404, 'RESOURCE_NOT_FOUND', 'there is no such line'),
		},
		{ method: 'GET', path: '/api/v1/lines/budget', handler: budgetsOf },
		{
			method: 'POST',
			path: '/api/v1/lines/budget',
			handler: (request) => {
				const isSerial = member(request.payload, 'connection', 'line', 'transport') === 'rtu';
				return budgetsOf()[isSerial ? 1 : 0];
			},
		},
		{ method: 'GET', path: '/api/v1/ports', handler: portsOf },
		{ method: 'POST', path: '/api/v1/lines/sunspec', handler: sunspecOf },
		{ method: 'GET', path: '/api/v1/commissioning-report', handler: () => reportOf(Date.now()) },
	]);
	frameRoutes(server);
	scanRoutes(server, scan, isMuted);
	templateRoutes(server);
}
