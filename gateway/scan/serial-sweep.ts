import type { Line, SerialLine } from '../../config/connection/connection.ts';
import { fieldFault, messageOf } from '../../core/kernel/fault.ts';
import { lineName, serialName } from '../driver/modbus/line-name.ts';
import type { ModbusExchange } from '../driver/modbus/wire/modbus-line.ts';
import type { IdentifyUnit } from './identify-unit.ts';
import type { SerialMode, SerialSweep, SweepContext } from './scan.ts';
import type { ScanLine, ScanLines } from './scan-line.ts';
import { type ModeEvidence, portHints } from './wiring-hints.ts';
import { createWitness, type Witness } from './witness.ts';

export interface SerialSweepDeps {
	readonly lines: Pick<ScanLines, 'hold' | 'visit' | 'inUse'>;
	readonly identify: IdentifyUnit;
}

/**
 * Registers that are asked for to find out whether there is somebody; what they hold does not matter, a refusal is an answer too. The
 * second is for devices that are silent about what they do not have, and asked for by an exhaustive sweep only.
 */
const KNOCKS = [
	{ functionCode: 3, address: 0, count: 2 },
	{ functionCode: 4, address: 0, count: 2 },
] as const;

/** Most devices have one of the first ids: at unknown settings these are asked at all of them before anybody else is. */
const LIKELY_UNITS = 16;

/** A damaged answer is asked for again: noise is not a device. */
const TRIES = 2;

/** Exceptions of a gateway: nobody is there. */
const PATH_UNAVAILABLE = 10;
const TARGET_SILENT = 11;

type Presence = 'whole' | 'damaged' | 'nobody';

/** Whether a unit answers one question at all. */
async function knockOnce(witness: Witness, exchange: ModbusExchange): Promise<Presence> {
	let presence: Presence = 'nobody';
	for (let tries = 0; tries < TRIES; tries += 1) {
		const outcome = await witness.ask(exchange);
		if (outcome.kind === 'answer') return 'whole';
		if (outcome.kind === 'exception')
			return outcome.code === PATH_UNAVAILABLE || outcome.code === TARGET_SILENT ? 'nobody' : 'whole';
		if (outcome.kind === 'silent') return presence;
		presence = 'damaged';
	}
	return presence;
}

/** Whether a unit answers at all. */
async function knock(witness: Witness, unitId: number, { timeoutMs, isExhaustive }: SerialSweep): Promise<Presence> {
	for (const question of isExhaustive ? KNOCKS : KNOCKS.slice(0, 1)) {
		const presence = await knockOnce(witness, { ...question, unitId, timeoutMs });
		if (presence !== 'nobody') return presence;
	}
	return 'nobody';
}

/** Units that are asked at one setting of a port, in one go. */
interface Pass {
	readonly mode: SerialMode;
	readonly unitIds: readonly number[];
}

const isLikely = (unitId: number): boolean => unitId <= LIKELY_UNITS;

function passesOf({ modes, unitIds, isExhaustive }: SerialSweep): readonly Pass[] {
	const [likely, others] = [unitIds.filter(isLikely), unitIds.filter((unitId) => !isLikely(unitId))];
	const groups = isExhaustive || modes.length === 1 ? [unitIds] : [likely, others];
	return groups.flatMap((group) => (group.length === 0 ? [] : modes.map((mode) => ({ mode, unitIds: group }))));
}

const lineAt = (sweep: SerialSweep, path: string, mode: SerialMode): SerialLine => ({
	transport: sweep.transport,
	path,
	...mode,
	dataBits: sweep.transport === 'ascii' ? 7 : 8,
});

/** How a port is used, e.g. `rtu 9600 8N1`. */
const modeName = (line: Line): string => ('path' in line ? `${line.transport} ${serialName(line)}` : '');

/** Whether a port has to be taken from its polling: it is used, and not only as it is polled. */
const mustPause = (sweep: SerialSweep, used: Line | null): boolean =>
	used !== null && sweep.modes.some((mode) => modeName(lineAt(sweep, '', mode)) !== modeName(used));

/** A way to use one port: with its polling paused, or beside it. */
interface PortUse {
	open(line: SerialLine): Promise<ScanLine>;
	release(): Promise<void>;
}

/** Finds the units on serial ports. Which ports may be used is settled before the first byte is sent. */
export function createSerialSweep({ lines, identify }: SerialSweepDeps) {
	/** @throws Fault `state-conflict` of `pause_polling` when polling would have to rest and nobody allowed it */
	async function check(sweep: SerialSweep): Promise<void> {
		for (const path of sweep.mayPausePolling ? [] : sweep.paths) {
			const used = await lines.inUse({ path });
			if (used === null || !mustPause(sweep, used)) continue;
			const rule = `must be true: ${path} is polled as ${lineName(used)}, and scanning it at other settings lets its devices rest meanwhile`;
			throw fieldFault('state-conflict', 'pause_polling', rule);
		}
	}

	async function usePort(sweep: SerialSweep, path: string, used: Line | null, owner: string): Promise<PortUse> {
		const isShared = used !== null && !mustPause(sweep, used);
		if (!isShared) return lines.hold(path, owner);
		return { open: (line) => lines.visit(line), release: () => Promise.resolve() };
	}

	interface Sweep {
		readonly sweep: SerialSweep;
		readonly context: SweepContext;
		/** Units asked so far, of all there are to ask. */
		done: number;
		readonly total: number;
	}

	async function sweepPass(run: Sweep, { unitIds }: Pass, line: SerialLine, scanLine: ScanLine): Promise<ModeEvidence> {
		const { sweep, context } = run;
		const witness = createWitness(scanLine, context.signal);
		const answered: number[] = [];
		const damaged: number[] = [];
		for (const unitId of unitIds) {
			context.signal.throwIfAborted();
			context.progress(run.done, run.total, `${line.path} ${serialName(line)}, unit ${unitId}`);
			const presence = await knock(witness, unitId, sweep);
			if (presence === 'whole') answered.push(unitId);
			if (presence === 'damaged') damaged.push(unitId);
			run.done += 1;
		}
		const strayFrames = witness.strayFrames();
		// Where whole answers come, a damaged one is a unit too: two devices that speak at once.
		const present = answered.length > 0 ? [...answered, ...damaged] : [];
		for (const unitId of present) {
			context.signal.throwIfAborted();
			context.progress(run.done, run.total, `${line.path} ${serialName(line)}, who is unit ${unitId}`);
			context.found(await identify(witness, { unitId, line, timeoutMs: sweep.timeoutMs }));
		}
		return { mode: serialName(line), baudRate: line.baudRate, asked: unitIds.length, answered, damaged, strayFrames };
	}

	async function sweepPort(run: Sweep, path: string): Promise<void> {
		const { sweep, context } = run;
		const used = await lines.inUse({ path });
		const configured = used !== null && 'path' in used ? serialName(used) : null;
		const port = await usePort(sweep, path, used, context.owner);
		const evidence: ModeEvidence[] = [];
		/** All devices on a line share one setting. */
		let spoken: SerialMode | null = null;
		try {
			for (const pass of passesOf(sweep)) {
				if (spoken !== null && spoken !== pass.mode) {
					run.done += pass.unitIds.length;
					continue;
				}
				const line = lineAt(sweep, path, pass.mode);
				const scanLine = await port.open(line);
				try {
					const heard = await sweepPass(run, pass, line, scanLine);
					evidence.push(heard);
					if (!sweep.isExhaustive && heard.answered.length > 0) spoken = pass.mode;
				} finally {
					await scanLine.release();
				}
			}
		} finally {
			await port.release();
		}
		for (const hint of portHints({ path, configured, modes: evidence })) context.hint(hint);
	}

	return {
		check,
		/** @throws what the ports throw when none of them can be used, and the reason of the signal */
		async run(sweep: SerialSweep, context: SweepContext): Promise<void> {
			const perPort = sweep.modes.length * sweep.unitIds.length;
			const run: Sweep = { sweep, context, done: 0, total: sweep.paths.length * perPort };
			const failures: unknown[] = [];
			for (const [index, path] of sweep.paths.entries()) {
				try {
					await sweepPort(run, path);
				} catch (error) {
					context.signal.throwIfAborted();
					failures.push(error);
					// The other ports may be fine.
					context.hint({ code: 'port-failed', severity: 'warning', sentence: messageOf(error) });
				}
				run.done = (index + 1) * perPort;
			}
			if (failures.length === sweep.paths.length) throw failures[0];
			context.progress(run.done, run.total, 'done');
		},
	};
}
