import { readFileSync } from 'node:fs';

/** What a process has used so far. */
export interface ProcessUsage {
	/** Time on a processor since its start, ms. */
	readonly cpuMs: number;
	/** Memory that is resident now, bytes. */
	readonly rssBytes: number;
}

/** The kernel counts in hundredths of a second (USER_HZ of every Linux port that matters here). */
const MS_PER_TICK = 10;

/** Reads /proc; Linux only. @throws ENOENT when the process is gone. */
export function usageOf(pid: number): ProcessUsage {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
	// The name in parentheses may hold spaces; the fields behind it begin with number 3 of proc(5).
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	const rssKb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
	return {
		cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
		rssBytes: Number(rssKb ?? 0) * 1024,
	};
}
