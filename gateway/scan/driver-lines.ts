import { type Line, type LinePlace, portOf, type SerialLine } from '../../config/connection/connection.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { type Bus, createBus } from '../driver/bus.ts';
import type { LineMeter } from '../driver/line-meter.ts';
import { lineName, serialName } from '../driver/modbus/line-name.ts';
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
	/** The device file that a path of a port stands for now: one adapter has several names. Never rejects. */
	readonly deviceOf: (path: string) => Promise<string>;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/** Lines that are lent for tests at once, under whatever name: each may be a host that does not answer. */
export const MOST_TESTS = 8;

const nothing = (): Promise<void> => Promise.resolve();

const modeOf = (line: Line): string => ('path' in line ? `${line.transport} ${serialName(line)}` : '');

/** A serial port speaks one way at a time. */
function refuseContradiction(line: Line, used: Line | null): void {
	if (used === null || !('path' in line) || modeOf(used) === modeOf(line)) return;
	const rule = `it is polled as ${lineName(used)}; use these settings, or scan the port with pause_polling`;
	throw new Fault('state-conflict', `${lineName(line)} cannot be used now: ${rule}`);
}

/** Lends the lines of the drivers to scans and tries, and sees to it that they come back. */
export function createDriverLines(deps: DriverLinesDeps): ScanLines {
	const { lines, bus: busOf, createLine, deviceOf, clock, setTimer, log } = deps;
	/** Who holds which port. */
	const holders = new Map<string, string>();
	let tests = 0;

	/** What tells one port or host from another, under whatever name. */
	const placeOf = async (place: LinePlace): Promise<string> =>
		portOf('path' in place ? { path: await deviceOf(place.path) } : place);

	async function inUse(place: LinePlace): Promise<Line | null> {
		const port = await placeOf(place);
		for (const line of lines()) {
			if ('path' in line === 'path' in place && (await placeOf(line)) === port) return line;
		}
		return null;
	}

	function refuseHeld(port: string, place: LinePlace): void {
		const owner = holders.get(port);
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

	/** The line of others that this one is; `null` when nobody uses it. */
	async function sharable(line: Line): Promise<Line | null> {
		refuseHeld(await placeOf(line), line);
		const used = await inUse(line);
		refuseContradiction(line, used);
		// Another transport at the same host is another line.
		return used !== null && used.transport === line.transport ? used : null;
	}

	/** Lends a line for tests, as long as not too many are. @returns the line, which has to be given back */
	async function lent(line: Line): Promise<ScanLine> {
		if (tests >= MOST_TESTS)
			throw new Fault(
				'rate-limited',
				`${MOST_TESTS} lines are being asked for somebody already; try again when one has answered`,
			);
		tests += 1;
		let isOut = true;
		const release = (): Promise<void> => {
			if (isOut) tests -= 1;
			isOut = false;
			return nothing();
		};
		try {
			return { ...shared((await sharable(line)) ?? line, 'test'), release };
		} catch (error) {
			await release();
			throw error;
		}
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
		const used = await inUse({ path });
		if (used === null) return () => undefined;
		log.info('polling-paused', { line: lineName(used), owner });
		const resume = await busOf(used).suspend(`it rests while ${owner} uses its port`);
		return () => {
			resume();
			log.info('polling-resumed', { line: lineName(used), owner });
		};
	}

	async function hold(path: string, owner: string): Promise<HeldPort> {
		const port = await placeOf({ path });
		refuseHeld(port, { path });
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
		share: async (line, priority) =>
			priority === 'test' ? lent(line) : shared((await sharable(line)) ?? line, priority),
		async visit(line) {
			const used = await sharable(line);
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
