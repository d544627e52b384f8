import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian puts libraries into a folder of the machine's architecture. */
const LIBRARIES = '/usr/lib';
/** Of the package `libfaketime`; this one is for programs with threads. */
const LIBRARY = join('faketime', 'libfaketimeMT.so.1');

/** The library that lets a clock jump; null: it is not installed here. */
export const findFakeTime = (): string | null =>
	['', ...readdirSync(LIBRARIES)].map((name) => join(LIBRARIES, name, LIBRARY)).find((path) => existsSync(path)) ??
	null;

/** Environment of a process whose clock is that far from the true time as the file says, e.g. `+3600`; its monotonic clock stays true. */
export function fakeTimeEnvironment(library: string, file: string): Readonly<Record<string, string>> {
	return {
		LD_PRELOAD: library,
		FAKETIME_TIMESTAMP_FILE: file,
		FAKETIME_CACHE_DURATION: '1',
		DONT_FAKE_MONOTONIC: '1',
		NO_FAKE_STAT: '1',
	};
}
