import { EventEmitter } from 'node:events';

/**
 * A port as modbus-serial's ModbusRTU drives it: it writes RTU frames with CRC and wants such frames back by `data`. Ours only
 * ever pass on a frame that provably answers the open request, so the library is never handed a late or foreign one.
 */
export abstract class ModbusPort extends EventEmitter<{
	data: [frame: Buffer];
	/** The reply to the open request came, and it is damaged or does not fit: a few words. */
	corrupt: [why: string];
	/** The connection ended; `null` when it is only to be made anew and the open request has been told why. */
	lost: [reason: string | null];
	error: [error: Error];
	close: [];
}> {
	/** The library files requests under these; one request is open at a time, so one number does for all. */
	readonly _transactionIdRead = 1;
	readonly _transactionIdWrite = 1;
	/** Monotonic instant at which the open request was handed to the operating system. */
	sentAtMs = 0;

	abstract get isOpen(): boolean;
	/** @throws Fault, through the callback. */
	abstract open(done: (error: Error | null) => void): void;
	abstract close(done: () => void): void;
	abstract write(frame: Buffer): void;
	/** Nobody waits for the answer to the open request any more. */
	abstract abandon(): void;
}
