import { type Line, type LinePlace, portOf, type SerialLine } from '../../config/connection/connection.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { type Bus, createBus } from '../driver/bus.ts';
import type { LineMeter } from '../driver/line-meter.ts';
import { lineName } from '../driver/modbus/line-name.ts';
import type { ModbusLine } from '../driver/modbus/wire/modbus-line.ts';
import type { HeldPort, ScanLine, ScanLines } from './scan-line.ts';

/** A held port that was not used for so long goes back to whoever polls it. */
const HOLD_MS = 30_000;
/** Longest wait for a line that others use, by what for, ms. */
const WAITS_MS = { test: 15_000, scan: 60_000 } as const;

export interface DriverLinesDeps {
	/** Lines of the devices that are polled now. */
	readonly lines: () => Iterable<Line>;
	/** The bus of a line, also of one that no device uses. */
	readonly bus: (line: Line) => Bus;
	/** A fresh connection of our own. */
	readonly createLine: (line: Line, meter: LineMeter) => ModbusLine;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

const nothing = (): Promise<void> => Promise.resolve();

/** A serial port speaks one way at a time. */
function refuseContradiction(line: Line, used: Line | null): void {
	if (used === null || !('path' in line) || lineName(used) === lineName(line)) return;
	throw new Fault(
		'state-conflict',
		`${line.path} is polled as ${lineName(used)}; use it so, or scan it with pause_polling: ${lineName(line)} contradicts it`,
	);
}

/** Lends the lines of the drivers to scans and tries, and sees to it that they come back. */
export function createDriverLines(deps: DriverLinesDeps): ScanLines {
	const { lines, bus: busOf, createLine, clock, setTimer, log } = deps;
	/** Who holds which port. */
	const holders = new Map<string, string>();

	function inUse(place: LinePlace): Line | null {
		const port = portOf(place);
		for (const line of lines()) if (portOf(line) === port) return line;
		return null;
	}

	function refuseHeld(place: LinePlace): void {
		const owner = holders.get(portOf(place));
		if (owner !== undefined)
			throw new Fault('state-conflict', `${portOf(place)} is held by ${owner}; wait until it is done, or cancel it`);
	}

	/** Asks for the bus each time: a line without devices is closed when nobody used it for a while. */
	function shared(line: Line, priority: 'test' | 'scan'): ScanLine {
		return {
			name: lineName(line),
			request: (exchange, signal) => busOf(line).request(exchange, priority, { signal, waitMs: WAITS_MS[priority] }),
			evidence: () => busOf(line).stats(),
			release: nothing,
		};
	}

	function share(line: Line, priority: 'test' | 'scan'): ScanLine {
		refuseHeld(line);
		const used = inUse(line);
		refuseContradiction(line, used);
		// The spelling of the line in use decides whose bus it is.
		return shared(used !== null && lineName(used) === lineName(line) ? used : line, priority);
	}

	/** A connection that nobody else knows of. */
	function own(line: Line): ScanLine {
		const bus = createBus({
			name: lineName(line),
			createLine: (meter) => createLine(line, meter),
			listener: { opened: () => undefined, failed: () => undefined },
			clock,
			log,
			setTimer,
		});
		return {
			name: bus.name,
			request: (exchange, signal) => bus.request(exchange, 'scan', { signal, waitMs: WAITS_MS.scan }),
			evidence: () => bus.stats(),
			release: () =>
				bus.stop().catch((error: unknown) => log.warn('scan-line-not-closed', { reason: messageOf(error) })),
		};
	}

	/** Lets the polling of a port rest. @returns what lets it go on */
	async function pausePolling(path: string, owner: string): Promise<() => void> {
		const used = inUse({ path });
		if (used === null) return () => undefined;
		log.info('polling-paused', { line: lineName(used), owner });
		const resume = await busOf(used).suspend(`it rests while ${owner} uses its port`);
		return () => {
			resume();
			log.info('polling-resumed', { line: lineName(used), owner });
		};
	}

	async function hold(path: string, owner: string): Promise<HeldPort> {
		const port = portOf({ path });
		refuseHeld({ path });
		holders.set(port, owner);
		let resume: () => void;
		try {
			resume = await pausePolling(path, owner);
		} catch (error) {
			holders.delete(port);
			throw error;
		}
		let current: ScanLine | null = null;
		let ending: Promise<void> | null = null;
		let cancelTimer = setTimer(expire, HOLD_MS);

		async function giveBack(): Promise<void> {
			cancelTimer();
			await current?.release();
			holders.delete(port);
			resume();
		}

		/** Once, however often it is asked for. */
		const release = (): Promise<void> => (ending ??= giveBack());

		function expire(): void {
			log.warn('scan-port-taken-back', { path, owner, unusedMs: HOLD_MS });
			void release();
		}

		function renew(): void {
			cancelTimer();
			if (ending === null) cancelTimer = setTimer(expire, HOLD_MS);
		}

		function refuseEnded(): void {
			if (ending !== null) throw new Fault('state-conflict', `${owner} does not hold ${path} any more`);
		}

		return {
			async open(line: SerialLine) {
				refuseEnded();
				await current?.release();
				const opened = own(line);
				current = opened;
				renew();
				return {
					...opened,
					async request(exchange, signal) {
						refuseEnded();
						// It always settles; only what is asked no more is taken back.
						cancelTimer();
						try {
							return await opened.request(exchange, signal);
						} finally {
							renew();
						}
					},
				};
			},
			release,
		};
	}

	return {
		share,
		visit(line) {
			refuseHeld(line);
			const used = inUse(line);
			refuseContradiction(line, used);
			return used === null ? own(line) : shared(used, 'scan');
		},
		hold,
		inUse,
		named(name) {
			for (const line of lines()) if (lineName(line) === name) return line;
			return null;
		},
	};
}
