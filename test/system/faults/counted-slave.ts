import type { Clock } from '../../../core/kernel/clock.ts';
import type { Stoppable } from '../../../core/kernel/lifecycle.ts';
import type { StartedLine } from '../../../gateway/simulator/simulator.ts';
import { createModbusSlave } from '../../../gateway/simulator/modbus-slave.ts';
import { startTcpSlave } from '../../../gateway/simulator/modbus-tcp-slave.ts';
import { type RegisterImage, createReadsImage } from '../../../gateway/simulator/register-image.ts';

/** A meter that numbers its answers and remembers when it gave each. Alone on its line, which fails at once when it stops. */
export interface CountedSlave extends Stoppable {
	readonly line: StartedLine;
	readonly unitId: number;
	/** When each answer was given, ms since 1970; the answer with number 1 comes first. All of them, however long it runs. */
	answers(): readonly number[];
}

/** The simulator's device of mode `reads`, with a log that is never cut. */
export async function startCountedSlave(clock: Clock, unitId: number): Promise<CountedSlave> {
	const answers: number[] = [];
	const counting = createReadsImage(unitId);
	const image: RegisterImage = {
		read(functionCode, address, count, atMs) {
			const words = counting.read(functionCode, address, count, atMs);
			if (typeof words !== 'number') answers.push(clock.now());
			return words;
		},
		write: (address, words) => counting.write(address, words),
	};
	const slave = createModbusSlave({ clock, images: new Map([[unitId, image]]) });
	const listening = await startTcpSlave(slave, 0);
	return {
		line: { transport: 'tcp', port: listening.port, path: null, unitIds: [unitId] },
		unitId,
		answers: () => answers,
		stop: () => listening.stop(),
	};
}
