/** What hears of a byte link. */
export interface ByteLinkListener {
	/** @param chunk valid during the call: the link reads the next bytes into the same memory */
	bytes(chunk: Buffer): void;
	/** The link ended without being closed: a sentence. Called at most once, and never before it was open. */
	lost(reason: string): void;
}

/** A serial port or a socket, reduced to what framing needs; tests put a wire in memory in its place. */
export interface ByteLink {
	/** @throws Fault with a sentence that says why the port cannot be used. */
	open(listener: ByteLinkListener): Promise<void>;
	/** @param bytes belong to the link from now on */
	write(bytes: Buffer): void;
	/** The next bytes that matter are so far away, ms, that nobody need wake up before. */
	rest?(ms: number): void;
	/** Idempotent; waits until the port is free again. Also ends an opening that is under way. */
	close(): Promise<void>;
}
