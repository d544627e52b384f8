import { type Line, portOf } from '../../../config/connection/connection.ts';
import { Fault } from '../../../core/kernel/fault.ts';
import type { Bus } from '../bus.ts';
import { lineName } from './line-name.ts';
import type { PolledLineDeps } from './polled-line.ts';

type CreateLine = PolledLineDeps['createLine'];

/** A line that may want the same port. */
interface Neighbour {
	readonly line: Line;
	readonly bus: Pick<Bus, 'stats' | 'isLeased' | 'isSuspended' | 'suspend'>;
	/** Whether no device is polled on it. */
	readonly isEmpty: boolean;
}

/** @throws Fault `state-conflict` when the rival keeps the port */
function checkGivesWay(rival: Neighbour, isLeased: boolean): void {
	const { leasedTo } = rival.bus.stats();
	const name = lineName(rival.line);
	if (leasedTo !== null) throw new Fault('state-conflict', `the port is held by ${leasedTo} as ${name}`);
	if (rival.isEmpty || isLeased) return;
	throw new Fault(
		'state-conflict',
		`the port is polled as ${name}; whoever wants other settings has to take it for himself, as a scan does`,
	);
}

/**
 * Makes a serial port give way: it has one setting at a time, and somebody may want another one than its devices have. A line that
 * is leased takes the port from one that is polled, and gives it back when its connection ends; one that is only visited gives way
 * to anybody.
 */
export function sharePorts(createLine: CreateLine, lines: () => Iterable<Neighbour>): CreateLine {
	/** The other settings in which this port is known. */
	function rivalsOf(line: Line): readonly Neighbour[] {
		const isRival = (other: Line): boolean => portOf(other) === portOf(line) && lineName(other) !== lineName(line);
		return [...lines()].filter((other) => isRival(other.line) && !other.bus.isSuspended);
	}

	return (line, meter) => {
		const inner = createLine(line, meter);
		if (!('path' in line)) return inner;
		const giveBack: (() => void)[] = [];
		return {
			depth: inner.depth,
			async open(signal, lost) {
				const own = [...lines()].find((other) => lineName(other.line) === lineName(line));
				const rivals = rivalsOf(line);
				for (const rival of rivals) checkGivesWay(rival, own?.bus.isLeased === true);
				for (const rival of rivals) {
					giveBack.push(await rival.bus.suspend(`its port is used as ${lineName(line)} for a while`));
				}
				await inner.open(signal, lost);
			},
			transact: (exchange) => inner.transact(exchange),
			async close() {
				await inner.close();
				for (const back of giveBack.splice(0)) back();
			},
		};
	};
}
