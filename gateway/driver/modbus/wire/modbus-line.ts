import type { ReadFunction } from '../../../../config/template/template.ts';
import type { EpochMs } from '../../../../core/kernel/clock.ts';

/** Most registers one read may carry: 125 words fill the 253-byte PDU. */
export const MAX_REGISTERS_PER_READ = 125;

/** Most coils or discrete inputs one read may carry (Application Protocol V1.1b3, 6.1). */
export const MAX_BITS_PER_READ = 2000;

/** A read. `address` is the protocol address, 0-based. */
export interface ModbusRequest {
	readonly unitId: number;
	readonly functionCode: ReadFunction;
	readonly address: number;
	readonly count: number;
	/** Longest wait for the device, ms; a serial line adds the time the bytes need on the wire. */
	readonly timeoutMs: number;
}

/** Most registers one write may carry (Application Protocol V1.1b3, 6.12). */
export const MAX_REGISTERS_PER_WRITE = 123;

/** A write: function 5 sets one coil, 6 one register, 16 several. `address` is the protocol address, 0-based. */
export interface ModbusWrite {
	readonly unitId: number;
	readonly functionCode: 5 | 6 | 16;
	readonly address: number;
	/** The registers as they go over the wire; of a coil one, 0 or 1. */
	readonly words: readonly number[];
	/** Longest wait for the device, ms; a serial line adds the time the bytes need on the wire. */
	readonly timeoutMs: number;
	/** Silence on the line before and after it, ms. */
	readonly guardMs: number;
}

export type ModbusExchange = ModbusRequest | ModbusWrite;

export const isWrite = (exchange: ModbusExchange): exchange is ModbusWrite => 'words' in exchange;

/** Registers or bits that an exchange is about. */
export const countOf = (exchange: ModbusExchange): number =>
	isWrite(exchange) ? exchange.words.length : exchange.count;

export interface ModbusAnswer {
	/** The data bytes, without unit, function and byte count; of a write none: its echo was checked. */
	readonly data: Buffer;
	/** The instant the last byte of the reply arrived. */
	readonly readAt: EpochMs;
	/** From the end of the request's hand-over to the last byte of the reply. */
	readonly latencyMs: number;
}

/** One connection to a line. Used by one caller at a time: the bus. Once closed or lost it is not opened again. */
export interface ModbusLine {
	/**
	 * @param lost called at most once when the connection ends without `close`: with a sentence, or with `null` when the line itself did
	 * not fail and is only to be opened anew.
	 * @throws Fault `unreachable`, `state-conflict` or `forbidden`: a sentence that says why the port cannot be used.
	 */
	open(signal: AbortSignal, lost: (reason: string | null) => void): Promise<void>;
	/** @throws ModbusFault; always settles. */
	transact(exchange: ModbusExchange): Promise<ModbusAnswer>;
	/** Rejects what is pending and lets go of the port. */
	close(): Promise<void>;
}

/** Data bytes of the answer to a read. */
export const dataBytes = (functionCode: ReadFunction, count: number): number =>
	functionCode <= 2 ? Math.ceil(count / 8) : 2 * count;
