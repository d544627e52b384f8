import type { ReadFunction } from '../../config/template/template.ts';
import type { LineCounters } from '../../gateway/driver/line-meter.ts';

/** One read of a scenario and what must become of it. */
export interface ExpectedRead {
	readonly unit: number;
	readonly function: ReadFunction;
	readonly address: number;
	readonly count: number;
	readonly timeout_ms: number;
	/** The data, hex. */
	readonly data?: string;
	/** Kind of the failure, with the code of an exception: `timeout`, `corrupt`, `unproven`, `exception 2`. */
	readonly failure?: string;
	/** With `data`: a failure is right too, other data is not. */
	readonly may_fail?: boolean;
}

/** What stands in the `expect.json` of a scenario. */
export interface Expectation {
	/** What happened in the field, and to whom. */
	readonly story: string;
	readonly reads: readonly ExpectedRead[];
	/** Counters of the line afterwards, in the words of the program. */
	readonly counters?: Partial<LineCounters>;
}
