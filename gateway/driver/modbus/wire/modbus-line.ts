import type { ReadFunction } from '../../../../config/template/template.ts';
import type { EpochMs } from '../../../../core/kernel/clock.ts';

/** Most registers one read may carry: 125 words fill the 253-byte PDU. */
export const MAX_REGISTERS_PER_READ = 125;

/** Most coils or discrete inputs one read may carry (Application Protocol V1.1b3, 6.1). */
export const MAX_BITS_PER_READ = 2000;

/** Most registers one write may carry (1.1b3, 6.12). */
export const MAX_REGISTERS_PER_WRITE = 123;

/** Most coils one write may carry (1.1b3, 6.11). */
export const MAX_COILS_PER_WRITE = 1968;

/** Most registers that function 23 may write (1.1b3, 6.17); it reads as many as a read. */
export const MAX_REGISTERS_PER_READ_WRITE = 121;

interface Addressed {
	/** 0 to 255; 1 to 247 on a serial line. */
	readonly unitId: number;
	/** Longest wait for the device, ms; a serial line adds the time the bytes need on the wire. */
	readonly timeoutMs: number;
}

/** Changes something in the device. */
interface Changing extends Addressed {
	/** Silence on the line before and after it, ms. */
	readonly guardMs: number;
}

/** A read. `address` is the protocol address, 0-based. */
export interface ModbusRequest extends Addressed {
	readonly functionCode: ReadFunction;
	readonly address: number;
	readonly count: number;
}

/** A write: function 5 sets one coil, 6 one register, 15 several coils, 16 several registers. `address` is 0-based. */
export interface ModbusWrite extends Changing {
	readonly functionCode: 5 | 6 | 15 | 16;
	readonly address: number;
	/** The registers as they go over the wire; of a coil 0 or 1. */
	readonly words: readonly number[];
}

/** Function 22: the register becomes `(register AND andMask) OR (orMask AND NOT andMask)` in the device (1.1b3, 6.16). */
export interface ModbusMaskWrite extends Changing {
	readonly functionCode: 22;
	readonly address: number;
	readonly andMask: number;
	readonly orMask: number;
}

/** Function 23: writes `words` from `writeAddress` on, then reads `count` registers from `address` on, in one transaction. */
export interface ModbusReadWrite extends Changing {
	readonly functionCode: 23;
	readonly address: number;
	readonly count: number;
	readonly writeAddress: number;
	readonly words: readonly number[];
}

/**
 * Function 43/14, what the device says about itself. `readCode` 1 asks for the basic objects, 2 for the regular, 3 for the
 * extended ones, from `objectId` on; 4 for the one object `objectId` (1.1b3, 6.21).
 */
export interface ModbusIdentification extends Addressed {
	readonly functionCode: 43;
	readonly readCode: 1 | 2 | 3 | 4;
	/** 0 to 255. */
	readonly objectId: number;
}

/** Function 17: identifier and run state, the rest in a form of the maker's own (1.1b3, 6.13). */
export interface ModbusServerId extends Addressed {
	readonly functionCode: 17;
}

/** What asks the device to change something. */
export type ModbusChange = ModbusWrite | ModbusMaskWrite | ModbusReadWrite;

/** One request, of any function. */
export type ModbusExchange = ModbusRequest | ModbusChange | ModbusIdentification | ModbusServerId;

export const isRead = (exchange: ModbusExchange): exchange is ModbusRequest => exchange.functionCode <= 4;

/** Whether the exchange changes something; function 23 does, though it also reads. */
export const isWrite = (exchange: ModbusExchange): exchange is ModbusChange => 'guardMs' in exchange;

/** Registers or bits that an exchange is about; 0 when it is about the device as a whole. */
export function countOf(exchange: ModbusExchange): number {
	if ('count' in exchange) return exchange.count;
	if ('words' in exchange) return exchange.words.length;
	return exchange.functionCode === 22 ? 1 : 0;
}

export interface ModbusAnswer {
	/**
	 * Functions 1 to 4, 17 and 23: the bytes after the byte count. Function 43: from the conformity level on, see
	 * `decodeIdentification`. Functions 5, 6, 15, 16 and 22: none, the echo was checked. The caller may keep it.
	 */
	readonly data: Buffer;
	/** The instant the last byte of the reply arrived. */
	readonly readAt: EpochMs;
	/** From the end of the request's hand-over to the last byte of the reply. */
	readonly latencyMs: number;
}

/**
 * One connection to a line. Used by one caller at a time: the bus. Once closed or lost it is not opened again; a bus that ends
 * its connection after each round closes this one and opens a fresh one when it next has something to ask.
 */
export interface ModbusLine {
	/** Exchanges that may be under way at once: 1 on everything but Modbus TCP with a depth of its own. */
	readonly depth: number;
	/**
	 * @param lost called at most once when the connection ends without `close`: with a sentence, or with `null` when the line itself did
	 * not fail and is only to be opened anew.
	 * @throws Fault `unreachable`, `state-conflict` or `forbidden`: a sentence that says why the port cannot be used.
	 */
	open(signal: AbortSignal, lost: (reason: string | null) => void): Promise<void>;
	/** @throws ModbusFault; always settles. RangeError when more than `depth` are under way. */
	transact(exchange: ModbusExchange): Promise<ModbusAnswer>;
	/** Rejects what is pending and lets go of the port. */
	close(): Promise<void>;
}

/** Data bytes of the answer to a read. */
export const dataBytes = (functionCode: ReadFunction, count: number): number =>
	functionCode <= 2 ? Math.ceil(count / 8) : 2 * count;
