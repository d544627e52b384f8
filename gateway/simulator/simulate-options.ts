import { parseArgs } from 'node:util';

import type { Parity, SerialSettings } from '../../config/connection/connection.ts';
import type { FramingName } from './slave-framing.ts';

/** Where a simulated line is: a port of this machine's loopback, or a serial port. */
export type SimulatedPlace =
	| {
			readonly kind: 'tcp';
			readonly framing: FramingName;
			readonly port: number;
			/** Rate of the line behind a serial server; `null`: Modbus TCP has none. */
			readonly baudRate: number | null;
	  }
	| { readonly kind: 'serial'; readonly framing: Exclude<FramingName, 'tcp'>; readonly settings: SerialSettings };

/** One device model and the units it is played as. */
export interface SimulatedUnits {
	readonly template: string;
	readonly unitIds: readonly number[];
}

export interface SimulateOptions {
	readonly devices: readonly SimulatedUnits[];
	readonly places: readonly SimulatedPlace[];
	/** File; `null`: nothing goes wrong. */
	readonly scenario: string | null;
	/** File of a recording that answers; `null`: only templates do. */
	readonly replay: string | null;
	/** Folder with more templates; `null`: only those of the product. */
	readonly templates: string | null;
	readonly seed: number;
	/** Answers take the time of their characters. */
	readonly isPaced: boolean;
	readonly isJson: boolean;
}

export const SIMULATE_USAGE = `usage: gatewayctl simulate --template KEY[:UNITS] [options]

  --template KEY[:UNITS]  device model and its units, e.g. eastron-sdm630:1,2; may be given several times
  --unit N[,N...]         units of the templates that name none; 1 unless told
  --tcp PORT              Modbus TCP on 127.0.0.1; 0 takes a free port. 1502 when no line is given
  --rtu-over-tcp PORT     RTU frames over TCP, like a transparent serial server
  --ascii-over-tcp PORT   ASCII frames over TCP
  --rtu PATH              RTU on a serial port or pseudo-terminal
  --ascii PATH            ASCII on a serial port or pseudo-terminal
  --baud N --parity none|even|odd --data-bits 7|8 --stop-bits 1|2   of serial lines; 9600, none, 8, 1. The rate is also
                          that of a line behind a serial server
  --paced                 answers take the time of their characters at this rate, but for Modbus TCP
  --scenario FILE         what goes wrong and when (YAML or JSON), see docs/simulator.md
  --replay FILE           a recording answers what it knows, the templates the rest
  --templates DIR         a folder with more templates
  --seed N                equal seeds give equal values; 1
  --json                  one line of JSON says where the lines are

  Runs until it is stopped. Exit codes: 0 stopped, 64 command line, 66 no such file, 69 port or line taken, 78 a mistake in a file.
`;

const DEFAULT_TCP_PORT = 1502;

function wholeNumber(name: string, text: string, least: number, most: number): number {
	const number = Number(text);
	if (text === '' || !Number.isInteger(number) || number < least || number > most)
		throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
	return number;
}

const unitsOf = (text: string): readonly number[] => text.split(',').map((unit) => wholeNumber('unit', unit, 0, 255));

function deviceOf(text: string, usual: readonly number[]): SimulatedUnits {
	const [template = '', units] = text.split(':');
	if (template === '') throw new RangeError('--template needs the KEY of a template');
	return { template, unitIds: units === undefined ? usual : unitsOf(units) };
}

const port = (name: string, text: string): number => wholeNumber(`--${name}`, text, 0, 65_535);

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
	const found = known.find((each) => each === text);
	if (found === undefined) throw new RangeError(`--${name} is ${known.join(', ')}, not "${text}"`);
	return found;
}

const PARITIES: readonly Parity[] = ['none', 'even', 'odd'];

/** @throws RangeError or TypeError with a sentence when the arguments are not understood */
export function parseSimulateOptions(args: readonly string[]): SimulateOptions {
	const several = { type: 'string', multiple: true, default: [] as string[] } as const;
	const { values } = parseArgs({
		args: [...args],
		options: {
			template: several,
			unit: { type: 'string', default: '1' },
			tcp: several,
			'rtu-over-tcp': several,
			'ascii-over-tcp': several,
			rtu: several,
			ascii: several,
			baud: { type: 'string', default: '9600' },
			parity: { type: 'string', default: 'none' },
			'data-bits': { type: 'string', default: '8' },
			'stop-bits': { type: 'string', default: '1' },
			paced: { type: 'boolean', default: false },
			scenario: { type: 'string' },
			replay: { type: 'string' },
			templates: { type: 'string' },
			seed: { type: 'string', default: '1' },
			json: { type: 'boolean', default: false },
		},
	});
	const usual = unitsOf(values.unit);
	const devices = values.template.map((text) => deviceOf(text, usual));
	if (devices.length === 0 && values.replay === undefined)
		throw new RangeError('nothing to play: give --template or --replay');
	const settings = {
		baudRate: wholeNumber('--baud', values.baud, 300, 4_000_000),
		parity: oneOf('parity', values.parity, PARITIES),
		dataBits: oneOf('data-bits', values['data-bits'], ['7', '8']) === '7' ? 7 : 8,
		stopBits: oneOf('stop-bits', values['stop-bits'], ['1', '2']) === '2' ? 2 : 1,
	} as const;
	const socket = (framing: FramingName, at: number): SimulatedPlace => ({
		kind: 'tcp',
		framing,
		port: at,
		baudRate: framing === 'tcp' ? null : settings.baudRate,
	});
	const tcp = (framing: FramingName, name: 'tcp' | 'rtu-over-tcp' | 'ascii-over-tcp'): readonly SimulatedPlace[] =>
		values[name].map((text) => socket(framing, port(name, text)));
	const serial = (framing: 'rtu' | 'ascii'): readonly SimulatedPlace[] =>
		values[framing].map((path) => ({ kind: 'serial', framing, settings: { path, ...settings } }));
	const places = [
		...tcp('tcp', 'tcp'),
		...tcp('rtu', 'rtu-over-tcp'),
		...tcp('ascii', 'ascii-over-tcp'),
		...serial('rtu'),
		...serial('ascii'),
	];
	return {
		devices,
		places: places.length > 0 ? places : [socket('tcp', DEFAULT_TCP_PORT)],
		scenario: values.scenario ?? null,
		replay: values.replay ?? null,
		templates: values.templates ?? null,
		seed: wholeNumber('--seed', values.seed, 0, 0xffff_ffff),
		isPaced: values.paced,
		isJson: values.json,
	};
}
