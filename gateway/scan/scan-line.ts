import type { Line } from '../../config/connection/connection.ts';
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
	/** Gives the line back; what polls it goes on. Idempotent, never rejects. */
	release(): Promise<void>;
}

/** Where scans have their lines from. */
export interface ScanLines {
	/**
	 * The line with its own settings, beside whoever polls it; it is opened when nobody uses it.
	 * @throws Fault `state-conflict` when its port is used with other settings; what a port throws that does not open
	 */
	share(line: Line, priority: 'test' | 'scan'): Promise<ScanLine>;
	/**
	 * The port of the line with these settings and for nobody else: polling rests until `release`, or until the line was not used
	 * for half a minute, so that a scan that hangs cannot keep it.
	 * @throws Fault like `share`
	 */
	seize(line: Line, owner: string): Promise<ScanLine>;
	/** The line that uses the port of this one; `null` when none does. */
	inUse(line: Line): Line | null;
	/** The line of this name among those in use. */
	named(name: string): Line | null;
}
