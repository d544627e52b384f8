import { type DestinationStream, type Logger as Pino, pino } from 'pino';

import type { Logger } from '../kernel/log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const wrap = (line: Pino): Logger => ({
	debug: (event, fields) => line.debug(fields ?? {}, event),
	info: (event, fields) => line.info(fields ?? {}, event),
	warn: (event, fields) => line.warn(fields ?? {}, event),
	error: (event, fields) => line.error(fields ?? {}, event),
	child: (fields) => wrap(line.child(fields)),
});

/**
 * JSON lines, one per event: `{"level":"warn","time":"…Z","event":"unit-silent",…}`. To stdout unless told otherwise, written at
 * once: the system's journal collects it, and nothing is held back when the process dies.
 */
export function createLogger({
	level,
	destination,
}: {
	readonly level: LogLevel;
	readonly destination?: DestinationStream;
}): Logger {
	const options = {
		level,
		base: null,
		messageKey: 'event',
		timestamp: pino.stdTimeFunctions.isoTime,
		formatters: { level: (label: string) => ({ level: label }) },
	};
	return wrap(destination === undefined ? pino(options) : pino(options, destination));
}
