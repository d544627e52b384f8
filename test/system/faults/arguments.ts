import { parseArgs } from 'node:util';

import { LIVE_FAULTS, type LiveFault, POWER_CUT } from './fault.ts';

export interface FaultArguments {
	/** Faults in all. */
	readonly count: number;
	/** Seed of the first round; each further round has the next one. */
	readonly seed: number;
	/** Empty: power cuts. */
	readonly kinds: readonly LiveFault[];
	/** Faults, or cuts, of one world; then everything is examined, and the next world begins. */
	readonly perRound: number;
	/** Keeps the folders of a round in which nothing was wrong, too: what was excused can be traced. Of faults, not of power cuts. */
	readonly keep: boolean;
}

/** The command line that `parseFaultArguments` understands, for messages. */
export const FAULTS_USAGE = `faults [--count N] [--seed N] [--per-round N] [--keep] [--kinds ${LIVE_FAULTS.join(',')}] | faults --kinds ${POWER_CUT} [--count N] [--seed N] [--per-round N]`;

function wholeNumber(name: string, text: string, least: number, most: number): number {
	const number = Number(text);
	if (!Number.isInteger(number) || number < least || number > most)
		throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
	return number;
}

function kindOf(text: string): LiveFault {
	const kind = LIVE_FAULTS.find((known) => known === text);
	if (kind === undefined)
		throw new RangeError(`--kinds knows ${LIVE_FAULTS.join(', ')}, and ${POWER_CUT} alone, not "${text}"`);
	return kind;
}

function kindsOf(text: string | undefined): readonly LiveFault[] {
	if (text === undefined) return LIVE_FAULTS;
	return text === POWER_CUT ? [] : text.split(',').map(kindOf);
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
			keep: { type: 'boolean', default: false },
		},
	});
	return {
		count: wholeNumber('--count', values.count, 1, 1_000_000),
		seed: wholeNumber('--seed', values.seed, 0, 0x7fff_ffff),
		perRound: wholeNumber('--per-round', values['per-round'], 1, 1_000),
		kinds: kindsOf(values.kinds),
		keep: values.keep,
	};
}
