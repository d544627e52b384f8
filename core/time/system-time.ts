/** The monotonic line of one boot: a process that starts again on it can tell how much time has passed. */
export interface BootLine {
	/** Changes with each boot of the machine; with each process where the machine does not say. */
	readonly bootId: string;
	/** Where on the line the process' own monotonic clock has its zero, ms. */
	readonly originMs: number;
}

/** What the machine knows of its own clock. Nothing here waits. */
export interface SystemTime {
	readonly boot: BootLine;
	/** `false`: the machine has no clock that runs without power. `null`: unknown. */
	readonly hasRtc: boolean | null;
	/** Whether a time service has set the clock, as it was last found out; `null`: unknown. */
	isSynchronized(): boolean | null;
}
