import type { Clock } from '../../core/kernel/clock.ts';
import { type Lifecycle, createLifecycle } from '../../core/kernel/lifecycle.ts';
import { silentLog } from '../../core/kernel/log.ts';
import { startSerialResponder } from './modbus-serial-slave.ts';
import { type ModbusSlave, createModbusSlave } from './modbus-slave.ts';
import { startTcpSlave } from './modbus-tcp-slave.ts';
import { startPtyPair } from './pty-pair.ts';
import { createPointsImage, createReadsImage } from './register-image.ts';
import { createSdm630Image } from './sdm630-image.ts';
import { createResponder } from './slave-line.ts';
import type { LineOptions, SimulatorOptions } from './simulator-options.ts';

/** A line that is up: the port to connect to, or the path to open. */
export interface StartedLine {
	readonly transport: 'tcp' | 'rtu';
	readonly port: number | null;
	readonly path: string | null;
	readonly unitIds: readonly number[];
}

export interface Simulator {
	readonly lines: readonly StartedLine[];
	/** The units of each line, in the same order. */
	readonly slaves: readonly ModbusSlave[];
	/** Processes the simulator keeps, for those who must end them in its stead. */
	readonly helperPids: readonly number[];
	stop(): Promise<void>;
}

interface Started {
	readonly line: StartedLine;
	readonly helperPid: number | null;
}

async function startLine(
	line: LineOptions,
	index: number,
	slave: ModbusSlave,
	options: SimulatorOptions,
	clock: Clock,
	lifecycle: Lifecycle,
): Promise<Started> {
	const { transport, unitIds } = line;
	if (transport === 'tcp') {
		const { port } = lifecycle.own('tcp', await startTcpSlave(slave, Number(line.where)));
		return { line: { transport, port, path: null, unitIds }, helperPid: null };
	}
	const pair = await startPtyPair(line.where, `rtu-${index}`);
	if (pair === null) throw new RangeError('an RTU line needs socat, which is not installed');
	lifecycle.own('pty', pair);
	const { baudRate, isPaced } = options;
	const responder = createResponder({ slave, clock, scenario: null, unitIds, pacedBaud: isPaced ? baudRate : null });
	const settings = { path: pair.slavePath, baudRate, parity: 'none', dataBits: 8, stopBits: 1 } as const;
	lifecycle.own('rtu', await startSerialResponder(responder, { ...settings, framing: 'rtu', clock }));
	return { line: { transport, port: null, path: pair.masterPath, unitIds }, helperPid: pair.pid };
}

/** Starts all lines. Each unit gets its own seed. @throws what a line throws that cannot start; nothing is left behind. */
export async function startSimulator(options: SimulatorOptions, clock: Clock): Promise<Simulator> {
	const lifecycle = createLifecycle(silentLog);
	const images = {
		points: () => createPointsImage(options.points),
		reads: (_lineIndex: number, unitId: number) => createReadsImage(unitId),
		sdm630: (lineIndex: number, unitId: number) => createSdm630Image(options.seed + lineIndex * 256 + unitId),
	};
	const imageOf = images[options.mode];
	const slaves = options.lines.map(({ unitIds }, index) =>
		createModbusSlave({ clock, images: new Map(unitIds.map((unitId) => [unitId, imageOf(index, unitId)])) }),
	);
	const started: Started[] = [];
	try {
		for (const [index, line] of options.lines.entries()) {
			const slave = slaves[index];
			if (slave !== undefined) started.push(await startLine(line, index, slave, options, clock, lifecycle));
		}
	} catch (error) {
		await lifecycle.stop();
		throw error;
	}
	return {
		lines: started.map(({ line }) => line),
		slaves,
		helperPids: started.flatMap(({ helperPid }) => (helperPid === null ? [] : [helperPid])),
		stop: () => lifecycle.stop(),
	};
}
