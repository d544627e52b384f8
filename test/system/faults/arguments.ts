import { parseArgs } from 'node:util';

import { FAULT_KINDS, type FaultKind } from './fault.ts';

export interface FaultArguments {
	/** Faults in all. */
	readonly count: number;
	/** Seed of the first round; each further round has the next one. */
	readonly seed: number;
	readonly kinds: readonly FaultKind[];
	/** Faults of one world; then everything is examined, and the next world begins. */
	readonly perRound: number;
}

/** The command line that `parseFaultArguments` understands, for messages. */
export const FAULTS_USAGE = `faults [--count N] [--seed N] [--per-round N] [--kinds ${FAULT_KINDS.join(',')}]`;

function wholeNumber(name: string, text: string, least: number, most: number): number {
	const number = Number(text);
	if (!Number.isInteger(number) || number < least || number > most)
		throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
	return number;
}

function kindOf(text: string): FaultKind {
	const kind = FAULT_KINDS.find((known) => known === text);
	if (kind === undefined) throw new RangeError(`--kinds knows ${FAULT_KINDS.join(', ')}, not "${text}"`);
	return kind;
}

/** @throws RangeError or TypeError with a sentence when the arguments make no run. */
export function parseFaultArguments(args: readonly string[]): FaultArguments {
	const { values } = parseArgs({
		args: [...args],
		options: {
			count: { type: 'string', default: '50' },
			seed: { type: 'string', default: String(Date.now() % 1_000_000) },
			'per-round': { type: 'string', default: '50' },
			kinds: { type: 'string' },
		},
	});
	return {
		count: wholeNumber('--count', values.count, 1, 1_000_000),
		seed: wholeNumber('--seed', values.seed, 0, 0x7fff_ffff),
		perRound: wholeNumber('--per-round', values['per-round'], 1, 1_000),
		kinds: values.kinds === undefined ? FAULT_KINDS : values.kinds.split(',').map(kindOf),
	};
}
