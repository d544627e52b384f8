/** What hears of an open port. */
export interface PortIoListener {
	/** @param chunk valid during the call */
	bytes(chunk: Buffer): void;
	/** The port cannot be used any more. @param error what the operating system says; `null`: it is no longer there */
	failed(error: Error | null): void;
}

/** Reading and writing of an open port. */
export interface PortIo {
	/** @param bytes belong to the port from now on */
	write(bytes: Buffer): void;
	/** Nothing that matters comes for so long, ms: what arrives is handed over after that. */
	rest(ms: number): void;
	/** Nothing is handed over from now on. The port itself is closed by who opened it. */
	end(): void;
}

/** Bytes that may wait for the port to take them: sixteen of the longest Modbus frames. */
export const MOST_WAITING_BYTES = 4096;

/** Bytes read at once: more than any frame, and what a busy port gathers during a stall. */
export const READ_BYTES = 1024;

/** The error code of the operating system; empty when there is none. */
export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');
