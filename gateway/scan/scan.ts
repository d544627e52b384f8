import type { Line, Parity } from '../../config/connection/connection.ts';
import type { ReadFunction } from '../../config/template/template.ts';
import type { EpochMs } from '../../core/kernel/clock.ts';
import type { SunspecIdentity } from '../sunspec/sunspec-discovery.ts';
import type { AddressSpan } from './cap-search.ts';
import type { SweepFindings } from './register-sweep.ts';
import type { Hint } from './wiring-hints.ts';

/** Settings of a serial port that are tried together. */
export interface SerialMode {
	readonly baudRate: number;
	readonly parity: Parity;
	readonly stopBits: 1 | 2;
}

/** Looks for units on serial ports: every mode, every unit id. */
export interface SerialSweep {
	readonly kind: 'serial';
	readonly transport: 'rtu' | 'ascii';
	readonly paths: readonly string[];
	/** In the order in which they are tried. */
	readonly modes: readonly SerialMode[];
	readonly unitIds: readonly number[];
	readonly timeoutMs: number;
	/** False: the modes of a port end with the first at which a unit answered, since all devices on a line share one. */
	readonly isExhaustive: boolean;
	/** Whether polling of these ports may rest meanwhile. */
	readonly mayPausePolling: boolean;
}

/** Looks for devices in networks that this box is part of. */
export interface TcpSweep {
	readonly kind: 'tcp';
	/** e.g. `192.168.1.0/24`; `null`: the private networks of the box, as far as they are small. */
	readonly subnets: readonly string[] | null;
	readonly ports: readonly number[];
	/** `null`: the usual ones of devices without units, until one answers. */
	readonly unitIds: readonly number[] | null;
	readonly timeoutMs: number;
}

/** Looks for the addresses that a unit answers. */
export interface RegisterScan extends AddressSpan {
	readonly kind: 'registers';
	readonly line: Line;
	readonly unitId: number;
	readonly functionCode: ReadFunction;
	readonly timeoutMs: number;
	/** Pause between two reads, ms. */
	readonly pauseMs: number;
	readonly isThorough: boolean;
}

export type ScanRequest = SerialSweep | TcpSweep | RegisterScan;

/** What a device says about itself. */
export interface Identification {
	/** Function 43/14: texts by their name in the specification, e.g. `vendor_name`. */
	readonly objects: readonly { readonly name: string; readonly text: string }[];
	/** Function 17: identifier as hex, and the readable part of what follows. */
	readonly serverId: { readonly hex: string; readonly text: string; readonly isRunning: boolean | null } | null;
	/** What a SunSpec device says in its common model. */
	readonly sunspec: SunspecIdentity | null;
}

/** A template that may fit. */
export interface Candidate {
	readonly template: string;
	/** 0 to 1. */
	readonly confidence: number;
	/** Sentences. */
	readonly why: readonly string[];
}

/** A unit that answered. */
export interface FoundUnit {
	readonly unitId: number;
	readonly line: Line;
	/** Median of its answers with data, ms; `null`: it sent none. */
	readonly latencyMs: number | null;
	readonly identification: Identification;
	/** The likeliest first. */
	readonly candidates: readonly Candidate[];
	readonly hints: readonly Hint[];
}

/** Registers (hex, 4 digits each) or bits (0 and 1) from an address on. */
export interface FoundBlock extends AddressSpan {
	readonly data: string;
}

/** What a register scan found. */
export interface FoundRegisters extends SweepFindings {
	readonly answered: readonly FoundBlock[];
	readonly reads: number;
}

export interface ScanProgress {
	readonly done: number;
	readonly total: number;
	/** Time left at the pace so far, s; `null`: not known yet. */
	readonly etaSeconds: number | null;
	/** What is done now, e.g. `/dev/ttyUSB0 9600 8N1, unit 12`. */
	readonly doing: string;
}

export type ScanState = 'running' | 'done' | 'cancelled' | 'failed';

export interface Scan {
	/** UUID. */
	readonly id: string;
	readonly request: ScanRequest;
	readonly state: ScanState;
	/** Address of the person who started it. */
	readonly startedBy: string;
	readonly startedAt: EpochMs;
	readonly endedAt: EpochMs | null;
	/** Why it failed or was cut short; `null`. */
	readonly reason: string | null;
	readonly progress: ScanProgress;
	readonly found: readonly FoundUnit[];
	readonly registers: FoundRegisters | null;
	/** About the lines as a whole. */
	readonly hints: readonly Hint[];
}

/** How a sweep tells what it does; it gives up at the next request once the signal is aborted. */
export interface SweepContext {
	/** e.g. `scan 4f2c`, for the sentences that others get. */
	readonly owner: string;
	readonly signal: AbortSignal;
	readonly progress: (done: number, total: number, doing: string) => void;
	readonly found: (unit: FoundUnit) => void;
	readonly hint: (hint: Hint) => void;
}
