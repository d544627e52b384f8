/** What hears of a byte link. */
export interface ByteLinkListener {
	bytes(chunk: Buffer): void;
	/** The link ended without being closed: a sentence. */
	lost(reason: string): void;
}

/** A serial port, reduced to what framing needs; tests put a wire in memory in its place. */
export interface ByteLink {
	/** @throws Fault with a sentence that says why the port cannot be used. */
	open(listener: ByteLinkListener): Promise<void>;
	write(bytes: Buffer): void;
	/** Idempotent; waits until the port is free again. */
	close(): Promise<void>;
}
