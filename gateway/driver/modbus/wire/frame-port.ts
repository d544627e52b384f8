import type { ModbusExchange } from './modbus-line.ts';

/** What hears of a frame port. */
export interface FramePortListener {
	/** The frame that answers the open request. @param pdu from the function on, without unit and checksum; valid during the call */
	reply(pdu: Buffer): void;
	/** The reply to the open request came, and it is damaged or does not fit: a few words. */
	corrupt(why: string): void;
	/** The link ended without being closed: a sentence. */
	lost(reason: string): void;
}

/**
 * A line whose frames carry no transaction id: RTU or ASCII. It sends one request after the other and hands on only frames that
 * by unit, function, length and checksum can be the answer to the open one; all else is counted.
 */
export interface FramePort {
	/** Monotonic instant at which the last byte of the open request was handed to the link. */
	readonly sentAtMs: number;
	/** Whether the adapter hears what it sends; `null` before a request has shown it. */
	readonly hasEcho: boolean | null;
	/** @throws Fault with a sentence that says why the link cannot be used. */
	open(listener: FramePortListener): Promise<void>;
	/**
	 * Sends once the line has been silent long enough. One request is open at a time.
	 * @throws RangeError, at once, for a count that the function does not allow
	 */
	send(exchange: ModbusExchange): void;
	/** Nobody waits for the answer to the open request any more. */
	abandon(): void;
	/** Drops all input until the line has been silent for `holdMs`. Ends early when the port closes. */
	quarantine(holdMs: number): Promise<void>;
	/** Idempotent; waits until the link is free again. */
	close(): Promise<void>;
}
