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
