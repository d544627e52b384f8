import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { seesAllDevices } from '../../core/device/device-access.ts';
import { actorOf, anyUser, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import type { FrameRing } from '../driver/frame-ring.ts';
import { captureText } from './capture.ts';
import type { LineDiagnoses } from './line-diagnoses.ts';
import {
	framesAnswer,
	type FramesQuery,
	framesQuery,
	frameView,
	judgedLineAnswer,
	judgedLineView,
	lineDiagnosisAnswer,
	lineDiagnosisView,
	type LineParams,
	lineParams,
	recordingAnswer,
	recordingView,
	type RecordPayload,
	recordPayload,
} from './line-diagnosis-schema.ts';

const TAG = 'Lines';

/** Frames show what is written to devices: they are for those who set the gateway up. */
const expert = ofBox(permitted('gateways:configure'));

/** A file name of a line's name. */
const fileName = (line: string): string =>
	`${line.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-|-$/g, '')}.capture.jsonl`;

/** The lines, and each under a glass: its units, its frames as they pass, and the file that plays them again. Below `/api/v1`. */
export const lineDiagnosisRoutes: Plugin<{ readonly lines: LineDiagnoses }> = {
	name: 'line-diagnosis-routes',
	register(server, { lines }) {
		const ringOf = (request: Pick<Request<{ Params: LineParams }>, 'params'>): FrameRing =>
			lines.ring(request.params.line);

		server.route({
			method: 'GET',
			path: '/lines',
			options: {
				...described(ofBox(anyUser), {
					operationId: 'listLines',
					tag: TAG,
					summary: 'The lines of this gateway with their counters and a judgement of their wiring',
					answers: { 200: Joi.array().items(judgedLineAnswer) },
				}),
				handler: (request) => lines.all().map((line) => judgedLineView(line, seesAllDevices(actorOf(request)))),
			},
		});
		server.route({
			method: 'GET',
			path: '/lines/{line}',
			options: {
				...described(ofBox(anyUser), {
					operationId: 'getLine',
					tag: TAG,
					summary:
						'A line with the counters and latencies of each unit, or of its one serial device, and a judgement of its wiring',
					answers: { 200: lineDiagnosisAnswer },
				}),
				validate: { params: lineParams },
				handler: (request: Request<{ Params: LineParams }>) =>
					lineDiagnosisView(lines.one(request.params.line), seesAllDevices(actorOf(request))),
			},
		});
		server.route({
			method: 'POST',
			path: '/lines/{line}/frames',
			options: {
				...described(expert, {
					operationId: 'recordFrames',
					tag: TAG,
					summary:
						'Records the frames of a line, at most 15 minutes, or up to a week until a device is lost; what was recorded before is forgotten',
					answers: { 200: recordingAnswer },
				}),
				validate: { params: lineParams, payload: recordPayload },
				handler(request: Request<{ Params: LineParams; Payload: RecordPayload }>) {
					const ring = ringOf(request);
					const { seconds, until_fault: untilFault } = request.payload;
					if (seconds === 0) ring.end();
					else if (untilFault) ring.watch(seconds * 1000);
					else ring.record(seconds * 1000);
					const after = { seconds, until_fault: untilFault };
					noteChange(request, { target: request.params.line, before: null, after });
					return recordingView(ring.recording());
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/lines/{line}/frames',
			options: {
				...described(expert, {
					operationId: 'listFrames',
					tag: TAG,
					summary: 'The newest recorded frames of a line, oldest first, with what each says',
					answers: { 200: framesAnswer },
				}),
				validate: { params: lineParams, query: framesQuery },
				handler(request: Request<{ Params: LineParams; Query: FramesQuery }>) {
					const { after_us: afterUs = -1, limit } = request.query;
					const recording = ringOf(request).recording();
					const frames = lines
						.frames(request.params.line)
						.filter(({ sinceStartUs }) => sinceStartUs > afterUs)
						.slice(-limit);
					return {
						recording: recordingView(recording),
						frames: recording === null ? [] : frames.map((frame) => frameView(frame, recording.startedAt)),
					};
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/lines/{line}/frames',
			options: {
				...described(expert, {
					operationId: 'forgetFrames',
					tag: TAG,
					summary: 'Ends the recording of a line and forgets it',
					answers: { 204: null },
				}),
				validate: { params: lineParams },
				handler(request: Request<{ Params: LineParams }>, h: ResponseToolkit) {
					ringOf(request).record(0);
					noteChange(request, { target: request.params.line, before: null, after: null });
					return h.response().code(204);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/lines/{line}/capture',
			options: {
				...described(expert, {
					operationId: 'downloadCapture',
					tag: TAG,
					summary: 'The recorded frames as a file (JSON lines); the simulator plays those of Modbus lines',
					answers: { 200: null },
				}),
				validate: { params: lineParams },
				handler(request: Request<{ Params: LineParams }>, h: ResponseToolkit) {
					return h
						.response(captureText(lines.capture(request.params.line)))
						.type('application/x-ndjson')
						.header('content-disposition', `attachment; filename="${fileName(request.params.line)}"`);
				},
			},
		});
	},
};
