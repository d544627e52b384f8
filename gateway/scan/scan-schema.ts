import Joi from 'joi';

import { lineView } from '../../config/connection/connection-schema.ts';
import { toIso } from '../../core/kernel/clock.ts';
import { lineName } from '../driver/modbus/line-name.ts';
import type { FoundUnit, Identification, Scan, ScanRequest } from './scan.ts';

/** What is scanned, in a line. */
function subjectOf(request: ScanRequest): string {
	switch (request.kind) {
		case 'serial':
			return `${request.paths.join(', ')}: ${request.modes.length} settings, ${request.unitIds.length} units`;
		case 'tcp':
			return `${request.subnets?.join(', ') ?? 'own networks'}: ports ${request.ports.join(', ')}`;
		case 'registers':
			return `${lineName(request.line)}, unit ${request.unitId}: function ${request.functionCode}, ${request.first} to ${request.last}`;
	}
}

/** A scan without what it found: for lists and for events. */
export const scanSummary = (scan: Scan) => ({
	id: scan.id,
	kind: scan.request.kind,
	subject: subjectOf(scan.request),
	state: scan.state,
	reason: scan.reason,
	started_by: scan.startedBy,
	started_at: toIso(scan.startedAt),
	ended_at: scan.endedAt === null ? null : toIso(scan.endedAt),
	done: scan.progress.done,
	total: scan.progress.total,
	eta_seconds: scan.state === 'running' ? scan.progress.etaSeconds : null,
	doing: scan.progress.doing,
	found_count: scan.found.length,
	hint_count: scan.hints.length,
});

const identificationView = ({ objects, serverId, sunspec }: Identification) => ({
	objects,
	server_id: serverId === null ? null : { hex: serverId.hex, text: serverId.text, running: serverId.isRunning },
	sunspec:
		sunspec === null
			? null
			: {
					base: sunspec.base,
					manufacturer: sunspec.manufacturer,
					model: sunspec.model,
					serial_number: sunspec.serialNumber,
					models: sunspec.models,
				},
});

const foundView = (unit: FoundUnit) => ({
	unit_id: unit.unitId,
	line: lineView(unit.line),
	line_name: lineName(unit.line),
	latency_ms: unit.latencyMs,
	identification: identificationView(unit.identification),
	candidates: unit.candidates,
	hints: unit.hints,
});

/** Which unit and which table is asked; `null` of a scan that looks for units. */
const askedView = (request: ScanRequest) =>
	request.kind === 'registers'
		? {
				line: lineView(request.line),
				line_name: lineName(request.line),
				unit_id: request.unitId,
				function: request.functionCode,
				from: request.first,
				to: request.last,
			}
		: null;

export const scanView = (scan: Scan) => ({
	...scanSummary(scan),
	asked: askedView(scan.request),
	found: scan.found.map(foundView),
	registers:
		scan.registers === null
			? null
			: {
					answered: scan.registers.answered,
					silent: scan.registers.silent,
					most_per_read: scan.registers.mostPerRead,
					most_per_read_known: scan.registers.isCapKnown,
					pairs_only: scan.registers.answersPairsOnly,
					reads: scan.registers.reads,
				},
	hints: scan.hints,
});

const must = { presence: 'required' } as const;
const count = () => Joi.number().integer().min(0);

const summaryFields = {
	id: Joi.string().guid(),
	kind: Joi.valid('serial', 'tcp', 'registers'),
	subject: Joi.string(),
	state: Joi.valid('running', 'done', 'cancelled', 'failed'),
	reason: Joi.string().allow(null),
	started_by: Joi.string().allow(''),
	started_at: Joi.string().isoDate(),
	ended_at: Joi.string().isoDate().allow(null),
	done: count(),
	total: count(),
	eta_seconds: count().allow(null),
	doing: Joi.string().allow(''),
	found_count: count(),
	hint_count: count(),
};

/** What `scanSummary` answers, for the API document. */
export const scanSummaryAnswer = Joi.object(summaryFields).options(must).label('ScanSummary');

const hintAnswer = Joi.object({
	code: Joi.string(),
	severity: Joi.valid('info', 'warning'),
	sentence: Joi.string(),
})
	.options(must)
	.label('WiringHint');

const identificationAnswer = Joi.object({
	objects: Joi.array().items(Joi.object({ name: Joi.string(), text: Joi.string().allow('') }).options(must)),
	server_id: Joi.object({
		hex: Joi.string().allow(''),
		text: Joi.string().allow(''),
		running: Joi.boolean().allow(null),
	})
		.options(must)
		.allow(null),
	sunspec: Joi.object({
		base: count(),
		manufacturer: Joi.string().allow(''),
		model: Joi.string().allow(''),
		serial_number: Joi.string().allow(''),
		models: Joi.array().items(count()),
	})
		.options(must)
		.allow(null),
}).options(must);

const foundAnswer = Joi.object({
	unit_id: count(),
	line: Joi.object().unknown(),
	line_name: Joi.string(),
	latency_ms: Joi.number().allow(null),
	identification: identificationAnswer,
	candidates: Joi.array().items(
		Joi.object({
			template: Joi.string(),
			confidence: Joi.number().min(0).max(1),
			why: Joi.array().items(Joi.string()),
		}).options(must),
	),
	hints: Joi.array().items(hintAnswer),
})
	.options(must)
	.label('FoundUnit');

const span = { first: count(), last: count() };

/** What `scanView` answers, for the API document. */
export const scanAnswer = Joi.object({
	...summaryFields,
	asked: Joi.object({
		line: Joi.object().unknown(),
		line_name: Joi.string(),
		unit_id: count(),
		function: Joi.valid(1, 2, 3, 4),
		from: count(),
		to: count(),
	})
		.options(must)
		.allow(null),
	found: Joi.array().items(foundAnswer),
	registers: Joi.object({
		answered: Joi.array().items(Joi.object({ ...span, data: Joi.string() }).options(must)),
		silent: Joi.array().items(Joi.object(span).options(must)),
		most_per_read: count(),
		most_per_read_known: Joi.boolean(),
		pairs_only: Joi.boolean(),
		reads: count(),
	})
		.options(must)
		.allow(null),
	hints: Joi.array().items(hintAnswer),
})
	.options(must)
	.label('Scan');
