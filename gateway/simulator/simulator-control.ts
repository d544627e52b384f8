import Joi from 'joi';

import type { Behaviour, ModbusSlave } from './modbus-slave.ts';

/** A command of the control channel: one JSON object per line on standard input. */
interface ControlCommand {
	/** Repeated in the answer. */
	readonly id: number;
	readonly command: 'override' | 'release' | 'behave' | 'counts' | 'log';
	/** Which line, in the order of the options; 0 is the first. */
	readonly line: number;
	readonly unit_id: number;
	readonly function_code: 3 | 4;
	readonly address: number;
	readonly value?: number;
	readonly words?: readonly number[];
	readonly behaviour: 'normal' | 'silent' | 'late' | 'exception' | 'garbage';
	readonly delay_ms: number;
	readonly exception_code: number;
}

const commandSchema = Joi.object<ControlCommand>({
	id: Joi.number().integer().required(),
	command: Joi.string().valid('override', 'release', 'behave', 'counts', 'log').required(),
	line: Joi.number().integer().min(0).max(63).default(0),
	unit_id: Joi.number().integer().min(1).max(247).default(1),
	function_code: Joi.number().valid(3, 4).default(4),
	address: Joi.number().integer().min(0).max(65_535).default(0),
	value: Joi.number().unsafe(),
	words: Joi.array().items(Joi.number().integer().min(0).max(65_535)).max(125),
	behaviour: Joi.string().valid('normal', 'silent', 'late', 'exception', 'garbage').default('normal'),
	delay_ms: Joi.number().integer().min(0).max(600_000).default(0),
	exception_code: Joi.number().integer().min(1).max(255).default(4),
}).unknown(false);

function behaviourOf(command: ControlCommand): Behaviour {
	switch (command.behaviour) {
		case 'late':
			return { kind: 'late', delayMs: command.delay_ms };
		case 'exception':
			return { kind: 'exception', exceptionCode: command.exception_code };
		case 'normal':
		case 'silent':
		case 'garbage':
			return { kind: command.behaviour };
	}
}

type Run = (slave: ModbusSlave, command: ControlCommand) => unknown;

const RUNS: Readonly<Record<ControlCommand['command'], Run>> = {
	override(slave, { unit_id: unitId, address, function_code: functionCode, value, words }) {
		if (words !== undefined) slave.overrideWords(unitId, address, words, functionCode);
		else if (value !== undefined) slave.override(unitId, address, value, functionCode);
		else throw new RangeError('override needs a value or words');
		return null;
	},
	release: (slave, command) => slave.release(command.unit_id),
	behave: (slave, command) => slave.behave(command.unit_id, behaviourOf(command)),
	counts: (slave) => slave.counts(),
	log: (slave) =>
		slave.log().map(({ at, unitId, functionCode, address, count, outcome }) => ({
			at,
			unit_id: unitId,
			function_code: functionCode,
			address,
			count,
			outcome,
		})),
};

function parse(line: string): unknown {
	try {
		return JSON.parse(line);
	} catch {
		throw new RangeError('a command is one line of JSON');
	}
}

/** The id of anything that has one, so that a mistake in a command can be answered too. */
const idOf = (parsed: unknown): unknown =>
	typeof parsed === 'object' && parsed !== null && 'id' in parsed ? parsed.id : null;

/** Obeys one line of the control channel and returns the line to answer with: `done` or `refused`, never throws. */
export function obey(slaves: readonly ModbusSlave[], line: string): string {
	let id: unknown = null;
	try {
		const parsed = parse(line);
		id = idOf(parsed);
		const { value: command, error } = commandSchema.validate(parsed, { convert: false });
		if (error !== undefined) throw new RangeError(error.message);
		const slave = slaves[command.line];
		if (slave === undefined) throw new RangeError(`there is no line ${command.line}`);
		return JSON.stringify({ event: 'done', id, result: RUNS[command.command](slave, command) ?? null });
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		return JSON.stringify({ event: 'refused', id, reason: error.message });
	}
}
