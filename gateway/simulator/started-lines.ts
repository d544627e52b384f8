import Joi from 'joi';

import type { StartedLine } from './simulator.ts';

/** What the simulator's ready line says. */
export interface StartedSimulator {
	readonly lines: readonly StartedLine[];
	readonly helperPids: readonly number[];
}

interface WireLine {
	readonly transport: 'tcp' | 'rtu';
	readonly port: number | null;
	readonly path: string | null;
	readonly unit_ids: readonly number[];
}

const readySchema = Joi.object<{ readonly lines: readonly WireLine[]; readonly helper_pids: readonly number[] }>({
	lines: Joi.array()
		.items(
			Joi.object({
				transport: Joi.string().valid('tcp', 'rtu').required(),
				port: Joi.number().port().allow(null).required(),
				path: Joi.string().allow(null).required(),
				unit_ids: Joi.array().items(Joi.number()).required(),
			}),
		)
		.required(),
	helper_pids: Joi.array().items(Joi.number()).required(),
}).unknown(true);

/** @throws Error when the line is not one of the simulator. */
export function startedLines(ready: unknown): StartedSimulator {
	const { value, error } = readySchema.validate(ready);
	if (error !== undefined) throw error;
	const lines = value.lines.map(({ transport, port, path, unit_ids: unitIds }) => ({ transport, port, path, unitIds }));
	return { lines, helperPids: value.helper_pids };
}
