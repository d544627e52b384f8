import type { Line, LinePlace, SerialLine } from '../../config/connection/connection.ts';
import type { ModbusAnswer, ModbusExchange } from '../driver/modbus/wire/modbus-line.ts';

/** Counters of a line whose growth tells of its wiring. */
export interface LineEvidence {
	readonly crcErrors: number;
	/** Bursts of bytes that belonged to no request. */
	readonly strayFrames: number;
}

/** A line in the hands of a scan or of somebody who tries a register. */
export interface ScanLine {
	/** e.g. `rtu /dev/ttyUSB0 9600 8N1` */
	readonly name: string;
	/** @throws ModbusFault, or Fault when the line is not open, not free in time, or was taken back. */
	request(exchange: ModbusExchange, signal?: AbortSignal): Promise<ModbusAnswer>;
	evidence(): LineEvidence;
	/** Gives the line back. Idempotent, never rejects. */
	release(): Promise<void>;
}

/** A serial port that nobody else uses meanwhile. */
export interface HeldPort {
	/** The port with these settings; the one before is to be released first. */
	open(line: SerialLine): Promise<ScanLine>;
	/** Gives the port back; what polled it goes on. Idempotent, never rejects. */
	release(): Promise<void>;
}

/** Where scans and tries have their lines from. */
export interface ScanLines {
	/**
	 * The line beside whoever polls it. One that nobody uses is opened, and closed some seconds after the last request.
	 * @throws Fault `state-conflict` when its port is used with other settings, or held by a scan; `rate-limited` when too many lines are
	 * lent for tests
	 */
	share(line: Line, priority: 'test' | 'scan'): Promise<ScanLine>;
	/** The same at the lowest priority; a line that nobody uses is closed with `release`, for devices that take one connection only. */
	visit(line: Line): Promise<ScanLine>;
	/**
	 * A serial port for one owner alone, whatever it is set to: its polling rests until `release`, or until the port was not used for
	 * half a minute, so that a scan that hangs cannot keep it.
	 * @throws Fault `state-conflict` when a scan holds it already
	 */
	hold(path: string, owner: string): Promise<HeldPort>;
	/** The line of the devices that use this port, under whatever name, or this host; `null` when none does. */
	inUse(place: LinePlace): Promise<Line | null>;
	/** The line of this name among those in use. */
	named(name: string): Line | null;
}
