import { MAX_COMMANDS } from './link-messages.ts';

/** Parts of a list, each of which fits into one message. */
export function* commandBatches<T>(list: readonly T[]): Generator<readonly T[]> {
	for (let start = 0; start < list.length; start += MAX_COMMANDS) yield list.slice(start, start + MAX_COMMANDS);
}
