/** Values a log line may carry. Never a secret, a payload or a token. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Logs are events with fields: `log.warn('unit-silent', { unitId, sinceMs })`. Levels by who must act:
 * error = a person, warn = soon, info = life cycle, debug = protocol.
 */
export interface Logger {
	debug(event: string, fields?: LogFields): void;
	info(event: string, fields?: LogFields): void;
	warn(event: string, fields?: LogFields): void;
	error(event: string, fields?: LogFields): void;
	/** A logger that adds these fields to each of its events. */
	child(fields: LogFields): Logger;
}

const nothing = (): void => undefined;

/** For tests and for callers that do not want to hear. */
export const silentLog: Logger = {
	debug: nothing,
	info: nothing,
	warn: nothing,
	error: nothing,
	child: () => silentLog,
};
