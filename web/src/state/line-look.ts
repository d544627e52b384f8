import type { IconName } from '../part/icon.tsx';
import type { Tone } from '../part/status.tsx';
import type { ScanSummaryView, WiringView } from '../wire-field.ts';

/** Shape and colour of a state. */
export interface Look {
	readonly tone: Tone;
	readonly icon: IconName;
}

/** Line states by their looks; an unlisted one is shown in its own words. */
const LINE: Readonly<Record<string, Look>> = {
	open: { tone: 'ok', icon: 'ok' },
	opening: { tone: 'idle', icon: 'wait' },
	closed: { tone: 'idle', icon: 'unknown' },
	failed: { tone: 'bad', icon: 'offline' },
};
const OTHER: Look = { tone: 'idle', icon: 'unknown' };

export const lineLook = (state: string): Look => LINE[state] ?? OTHER;

export const VERDICT_LOOK: Readonly<Record<WiringView['verdict'], Look>> = {
	good: { tone: 'ok', icon: 'ok' },
	fair: { tone: 'warn', icon: 'degraded' },
	poor: { tone: 'bad', icon: 'offline' },
	unknown: OTHER,
};

export const SCAN_LOOK: Readonly<Record<ScanSummaryView['state'], Look>> = {
	running: { tone: 'idle', icon: 'wait' },
	done: { tone: 'ok', icon: 'ok' },
	cancelled: { tone: 'warn', icon: 'degraded' },
	failed: { tone: 'bad', icon: 'offline' },
};

/** Whether the name is of the line of a serial device that is not Modbus: nobody there knows registers. */
export const isStreamLine = (line: string): boolean => /^(serial|socket) /.test(line);

/** A sentence that begins with the name of the line, where the name stands above it already. */
export function sentenceOn(line: string, sentence: string): string {
	if (!sentence.startsWith(`${line} `)) return sentence;
	const rest = sentence.slice(line.length + 1);
	return rest.charAt(0).toUpperCase() + rest.slice(1);
}
