import { parseArgs } from 'node:util';

/** What the units are: energy meters, banks of plain registers, or counters of their own reads. */
const MODES = ['sdm630', 'points', 'reads'] as const;
export type SimulatorMode = (typeof MODES)[number];

export interface LineOptions {
	readonly transport: 'tcp' | 'rtu';
	/** Port (0: a free one) of a TCP line; folder of the pseudo-terminals of an RTU line. */
	readonly where: string;
	readonly unitIds: readonly number[];
}

export interface SimulatorOptions {
	readonly lines: readonly LineOptions[];
	readonly mode: SimulatorMode;
	/** Registers of each unit in mode `points`, 1 to 65 536. */
	readonly points: number;
	readonly seed: number;
	readonly baudRate: number;
	readonly isPaced: boolean;
}

/** The command line that `parseSimulatorOptions` understands, for messages. */
export const SIMULATOR_USAGE =
	'simulator [--tcp PORT:UNITS]... [--rtu FOLDER:UNITS]... [--mode sdm630|points|reads] [--points N] [--seed N] [--baud N] [--paced]   UNITS: 1,2,3';

function wholeNumber(name: string, text: string, least: number, most: number): number {
	const number = Number(text);
	if (!Number.isInteger(number) || number < least || number > most)
		throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
	return number;
}

function lineOf(transport: LineOptions['transport'], text: string): LineOptions {
	const cut = text.lastIndexOf(':');
	if (cut < 1)
		throw new RangeError(`--${transport} needs ${transport === 'tcp' ? 'PORT' : 'FOLDER'}:UNITS, not "${text}"`);
	const where = text.slice(0, cut);
	if (transport === 'tcp') wholeNumber('port', where, 0, 65_535);
	const unitIds = text
		.slice(cut + 1)
		.split(',')
		.map((unit) => wholeNumber('unit', unit, 1, 247));
	return { transport, where, unitIds };
}

/** @throws RangeError or TypeError with a sentence when the arguments make no simulator. */
export function parseSimulatorOptions(args: readonly string[]): SimulatorOptions {
	const { values } = parseArgs({
		args: [...args],
		options: {
			tcp: { type: 'string', multiple: true, default: [] },
			rtu: { type: 'string', multiple: true, default: [] },
			mode: { type: 'string', default: 'sdm630' },
			points: { type: 'string', default: '1000' },
			seed: { type: 'string', default: '1' },
			baud: { type: 'string', default: '9600' },
			paced: { type: 'boolean', default: false },
		},
	});
	const mode = MODES.find((known) => known === values.mode);
	if (mode === undefined) throw new RangeError(`--mode is ${MODES.join(', ')}, not "${values.mode}"`);
	const lines = [...values.tcp.map((text) => lineOf('tcp', text)), ...values.rtu.map((text) => lineOf('rtu', text))];
	if (lines.length === 0) throw new RangeError('no line: give --tcp or --rtu');
	return {
		lines,
		mode,
		points: wholeNumber('--points', values.points, 1, 0x1_0000),
		seed: wholeNumber('--seed', values.seed, 0, 0xffff_ffff),
		baudRate: wholeNumber('--baud', values.baud, 1200, 921_600),
		isPaced: values.paced,
	};
}
