import { join } from 'node:path';

import { type Child, startChild } from '../../../demo/child.ts';
import type { StartedLine } from '../../../gateway/simulator/simulator.ts';
import { startedLines } from '../../../gateway/simulator/started-lines.ts';

/** Fields of a command of the simulator's control channel, in its own words. */
export type ControlFields = Readonly<Record<string, string | number | readonly number[]>>;

/** The simulator as its own process. */
export interface SimulatorProcess {
	readonly child: Child;
	readonly lines: readonly StartedLine[];
	/** Port of a TCP line, in the order of the options. @throws RangeError when that line has none. */
	port(line?: number): number;
	/** Sends one command and waits for its result. @throws Error with the reason when the simulator refuses. */
	control(command: string, fields?: ControlFields): Promise<unknown>;
	/** Makes a float32 register pair (function 4 unless told) read as this value. */
	override(unitId: number, address: number, value: number, fields?: ControlFields): Promise<void>;
	/** `normal`, `silent`, `late` (with delay_ms), `exception` (with exception_code) or `garbage`. */
	behave(unitId: number, behaviour: string, fields?: ControlFields): Promise<void>;
}

const ANSWER_WITHIN_MS = 30_000;
const READY_WITHIN_MS = 180_000;

interface Answer {
	readonly event: string;
	readonly id: number;
	readonly result?: unknown;
	readonly reason?: string;
}

function askChild(child: Child, id: number, request: object): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error('the simulator does not answer')), ANSWER_WITHIN_MS);
		const stopHearing = child.onLine((line) => {
			// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the simulator is ours and says nothing else
			const answer = JSON.parse(line) as Answer;
			if (answer.id !== id) return;
			clearTimeout(timer);
			stopHearing();
			resolve(answer);
		});
		child.send(JSON.stringify({ id, ...request }));
	});
}

/**
 * Starts the simulator with the arguments of its command line.
 * @param onStart hears of the process before it is ready, and owns it.
 */
export async function startSimulatorProcess(
	args: readonly string[],
	onStart: (child: Child) => void,
): Promise<SimulatorProcess> {
	const script = join(process.cwd(), 'dist', 'gateway', 'simulator', 'main.js');
	const child = startChild({ name: 'simulator', args: [script, ...args] });
	onStart(child);
	const { lines } = startedLines(await child.ready(READY_WITHIN_MS));
	let lastId = 0;

	async function control(command: string, fields: ControlFields = {}): Promise<unknown> {
		lastId += 1;
		const { event, result, reason } = await askChild(child, lastId, { command, ...fields });
		if (event !== 'done') throw new Error(`the simulator refuses ${command}: ${reason ?? 'no reason'}`);
		return result;
	}

	return {
		child,
		lines,
		port(line = 0) {
			const port = lines[line]?.port ?? null;
			if (port === null) throw new RangeError(`line ${line} has no port`);
			return port;
		},
		control,
		async override(unitId, address, value, fields = {}) {
			await control('override', { unit_id: unitId, address, value, ...fields });
		},
		async behave(unitId, behaviour, fields = {}) {
			await control('behave', { unit_id: unitId, behaviour, ...fields });
		},
	};
}
