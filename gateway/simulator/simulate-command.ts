import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { SettingsFault } from '../../config/settings-fault.ts';
import { readTemplates } from '../../config/template/template-schema.ts';
import { systemClock } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import { parseCapture } from '../diagnose/capture.ts';
import { parseScenario } from './scenario-schema.ts';
import { type SimulateOptions, SIMULATE_USAGE, parseSimulateOptions } from './simulate-options.ts';
import { type PlayedTemplate, type TemplateSimulator, startTemplateSimulator } from './template-simulator.ts';

/** Exit codes of sysexits.h. */
const EX_USAGE = 64;
const EX_NOINPUT = 66;
const EX_UNAVAILABLE = 69;
const EX_CONFIG = 78;

/** Templates of the product, seen from `dist/gateway/simulator`. */
const PRODUCT_TEMPLATES = fileURLToPath(new URL('../../../config/template', import.meta.url));

/** Ends the command with this exit code. */
class CommandEnd extends Error {
	readonly code: number;

	constructor(code: number, message: string) {
		super(message);
		this.code = code;
	}
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** What a file holds. @throws CommandEnd when it is not there or not sound */
async function readWith<T>(path: string, parse: (text: string) => T): Promise<T> {
	let text: string;
	try {
		text = await readFile(path, 'utf8');
	} catch (error) {
		throw new CommandEnd(EX_NOINPUT, messageOf(error));
	}
	try {
		return parse(text);
	} catch (error) {
		if (error instanceof SettingsFault) throw new CommandEnd(EX_CONFIG, `${path}:\n${error.message}`);
		throw error;
	}
}

async function playedTemplates({ devices, templates: folder }: SimulateOptions): Promise<readonly PlayedTemplate[]> {
	const product = await readTemplates(PRODUCT_TEMPLATES);
	// Those of the folder may extend those of the product, as on a gateway.
	const own = folder === null ? null : await readTemplates(folder, product.templates);
	const folders = own === null ? [product] : [product, own];
	const known = new Map(folders.flatMap(({ templates }) => [...templates]));
	return devices.map(({ template: key, unitIds }) => {
		const template = known.get(key);
		if (template?.serial !== undefined)
			throw new CommandEnd(
				EX_CONFIG,
				`${key} is of a serial device that is not Modbus; only Modbus devices are simulated`,
			);
		if (template !== undefined) return { template, unitIds };
		const mistakes = folders.flatMap((each) => each.mistakes).filter(({ path }) => path.startsWith(`${key}.json`));
		const why = mistakes.map(({ path, message }) => `\n${path}: ${message}`).join('');
		const others = [...known.keys()].toSorted().join(', ');
		throw new CommandEnd(EX_CONFIG, `there is no sound template ${key}${why}\nthere are: ${others}`);
	});
}

function announce({ lines }: TemplateSimulator, { isJson, devices, replay }: SimulateOptions): void {
	if (isJson) {
		say(JSON.stringify({ event: 'ready', lines: lines.map(({ name, port }) => ({ line: name, port })) }));
		return;
	}
	const units = devices.map(({ template, unitIds }) => `${template} as unit ${unitIds.join(', ')}`);
	const played = replay === null ? units : [`the recording ${replay}`, ...units];
	for (const { name } of lines) say(`${name}: ${played.join('; ')}`);
	say('Ctrl-C ends it');
}

const stopSignal = (): Promise<void> =>
	new Promise((resolve) => {
		for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve());
	});

async function simulate(options: SimulateOptions): Promise<void> {
	const devices = await playedTemplates(options);
	const scenario = options.scenario === null ? null : await readWith(options.scenario, parseScenario);
	const replay = options.replay === null ? null : await readWith(options.replay, parseCapture);
	let simulator: TemplateSimulator;
	try {
		simulator = await startTemplateSimulator({ ...options, devices, scenario, replay, clock: systemClock });
	} catch (error) {
		throw new CommandEnd(error instanceof RangeError ? EX_CONFIG : EX_UNAVAILABLE, messageOf(error));
	}
	const stopped = stopSignal();
	announce(simulator, options);
	await stopped;
	await simulator.stop();
}

/** Plays devices until it is stopped. @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
	if (args.includes('--help') || args.includes('-h')) {
		say(SIMULATE_USAGE.trimEnd());
		return 0;
	}
	try {
		await simulate(parseSimulateOptions(args));
		return 0;
	} catch (error) {
		const isUsage = error instanceof TypeError || error instanceof RangeError;
		const code = error instanceof CommandEnd ? error.code : isUsage ? EX_USAGE : 1;
		process.stderr.write(`gatewayctl: ${messageOf(error)}\n${isUsage ? `\n${SIMULATE_USAGE}` : ''}`);
		return code;
	}
}
