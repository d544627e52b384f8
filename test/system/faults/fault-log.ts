import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What has happened, one line of JSON each, in the order in which it did. */
export interface FaultLog {
	readonly path: string;
	/** Notes something, with the instant and the time since the beginning. */
	note(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

export function openFaultLog(path: string): FaultLog {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, '');
	const startMs = performance.now();
	return {
		path,
		note(event, fields = {}) {
			const line = { at: new Date().toISOString(), t_ms: Math.round(performance.now() - startMs), event, ...fields };
			appendFileSync(path, `${JSON.stringify(line)}\n`);
		},
	};
}
