import Joi from 'joi';

import type { LineView } from '../../config/connection/connection-schema.ts';
import type { Line, Parity } from '../../config/connection/connection.ts';
import type { ReadFunction } from '../../config/template/template.ts';
import { fieldFault } from '../../core/kernel/fault.ts';
import { ADDRESSES } from './address-meanings.ts';
import type { ScanRequest, SerialMode } from './scan.ts';
import { functionField, lineField, timeoutField, unitField } from './try-schema.ts';

interface SerialBody {
	readonly kind: 'serial';
	readonly transport: 'rtu' | 'ascii';
	readonly paths: readonly string[];
	readonly baud_rates: readonly number[];
	readonly parities: readonly Parity[];
	readonly stop_bits: readonly (1 | 2)[];
	readonly unit_ids: readonly number[];
	readonly timeout_ms: number;
	readonly exhaustive: boolean;
	readonly pause_polling: boolean;
}

interface TcpBody {
	readonly kind: 'tcp';
	readonly subnets?: readonly string[];
	readonly ports: readonly number[];
	readonly unit_ids?: readonly number[];
	readonly timeout_ms: number;
}

interface RegistersBody {
	readonly kind: 'registers';
	readonly line: string | LineView;
	readonly unit_id: number;
	readonly function: ReadFunction;
	readonly from: number;
	readonly to: number;
	readonly timeout_ms: number;
	readonly pause_ms: number;
	readonly thorough: boolean;
}

/** Body of a new scan after validation. */
export type ScanBody = SerialBody | TcpBody | RegistersBody;

/** Questions of one address sweep: a night at the slowest rate. */
const MOST_QUESTIONS = 30_000;

const EVERY_UNIT = Array.from({ length: 247 }, (_, k) => k + 1);

const unitList = () => Joi.array().items(unitField()).min(1).max(256).unique();
const listOf = (item: Joi.Schema, most: number) => Joi.array().items(item).min(1).max(most).unique();

const serialBody = Joi.object({
	kind: Joi.valid('serial').required(),
	transport: Joi.valid('rtu', 'ascii').default('rtu'),
	paths: listOf(
		Joi.string()
			.pattern(/^\/[\w./:@+-]+$/)
			.max(255),
		8,
	).required(),
	baud_rates: listOf(Joi.number().integer().min(300).max(4_000_000), 12).default([
		9_600, 19_200, 38_400, 57_600, 115_200, 4_800, 2_400,
	]),
	parities: listOf(Joi.valid('none', 'even', 'odd'), 3).default(['none', 'even']),
	stop_bits: listOf(Joi.valid(1, 2), 2).default([1]),
	unit_ids: unitList().default(EVERY_UNIT),
	timeout_ms: timeoutField(300),
	exhaustive: Joi.boolean().default(false),
	pause_polling: Joi.boolean().default(false),
});

const tcpBody = Joi.object({
	kind: Joi.valid('tcp').required(),
	subnets: listOf(Joi.string().max(18), 8),
	ports: listOf(Joi.number().integer().min(1).max(65_535), 8).default([502]),
	unit_ids: unitList(),
	timeout_ms: timeoutField(500),
});

const address = () =>
	Joi.number()
		.integer()
		.min(0)
		.max(ADDRESSES - 1);

const registersBody = Joi.object({
	kind: Joi.valid('registers').required(),
	line: lineField.required(),
	unit_id: unitField().default(1),
	function: functionField().default(3),
	from: address().default(0),
	to: address()
		.min(Joi.ref('from'))
		.default(ADDRESSES - 1),
	timeout_ms: timeoutField(500),
	pause_ms: Joi.number().integer().min(0).max(10_000).default(20),
	thorough: Joi.boolean().default(false),
});

export const scanBody = Joi.alternatives().conditional('.kind', {
	switch: [
		// oxlint-disable-next-line unicorn/no-thenable -- joi writes its conditions with a key named `then`
		{ is: 'serial', then: serialBody },
		// oxlint-disable-next-line unicorn/no-thenable -- the same
		{ is: 'tcp', then: tcpBody },
		// oxlint-disable-next-line unicorn/no-thenable -- the same
		{ is: 'registers', then: registersBody },
	],
	otherwise: Joi.object({ kind: Joi.valid('serial', 'tcp', 'registers').required() }).unknown(),
});

export const scanParams = Joi.object({ scan_id: Joi.string().guid({ separator: '-' }).lowercase().required() });

/** How installers find most devices set, the usual first. */
const USUAL_MODES: readonly string[] = ['9600 none 1', '19200 even 1', '9600 even 1', '19200 none 1', '115200 none 1'];

function rank({ baudRate, parity, stopBits }: SerialMode): number {
	const at = USUAL_MODES.indexOf(`${baudRate} ${parity} ${stopBits}`);
	return at === -1 ? USUAL_MODES.length : at;
}

function modesOf({ baud_rates: rates, parities, stop_bits: stops }: SerialBody): readonly SerialMode[] {
	const modes = rates.flatMap((baudRate) =>
		parities.flatMap((parity) => stops.map((stopBits): SerialMode => ({ baudRate, parity, stopBits }))),
	);
	return modes.toSorted((one, other) => rank(one) - rank(other));
}

/** @throws Fault `rule-violation` when it would take days */
function serialRequest(body: SerialBody): ScanRequest {
	const modes = modesOf(body);
	const questions = body.paths.length * modes.length * body.unit_ids.length;
	if (questions > MOST_QUESTIONS) {
		const rule = `${body.paths.length} ports x ${modes.length} settings x ${body.unit_ids.length} units are ${questions} questions; one scan asks at most ${MOST_QUESTIONS}`;
		throw fieldFault('rule-violation', 'unit_ids', rule);
	}
	return {
		kind: 'serial',
		transport: body.transport,
		paths: body.paths,
		modes,
		unitIds: body.unit_ids,
		timeoutMs: body.timeout_ms,
		isExhaustive: body.exhaustive,
		mayPausePolling: body.pause_polling,
	};
}

/**
 * The scan that a body asks for.
 * @param lineOf the line that a body names or writes out
 * @throws Fault of the field at fault
 */
export function toScanRequest(body: ScanBody, lineOf: (line: string | LineView) => Line): ScanRequest {
	switch (body.kind) {
		case 'serial':
			return serialRequest(body);
		case 'tcp':
			return {
				kind: 'tcp',
				subnets: body.subnets ?? null,
				ports: body.ports,
				unitIds: body.unit_ids ?? null,
				timeoutMs: body.timeout_ms,
			};
		case 'registers':
			return {
				kind: 'registers',
				line: lineOf(body.line),
				unitId: body.unit_id,
				functionCode: body.function,
				first: body.from,
				last: body.to,
				timeoutMs: body.timeout_ms,
				pauseMs: body.pause_ms,
				isThorough: body.thorough,
			};
	}
}
