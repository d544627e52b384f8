import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { findProgram } from '../../../demo/program.ts';

const SOURCE = join(process.cwd(), 'test', 'system', 'power-cut', 'recorder.c');
const COMPILERS = ['cc', 'gcc', 'clang'];

/** Compiles the recorder into a folder; null: there is no compiler here. @throws what the compiler says */
export function buildRecorder(folder: string): string | null {
	const compiler = COMPILERS.map(findProgram).find((path) => path !== null);
	if (compiler === undefined || compiler === null) return null;
	const library = join(folder, 'recorder.so');
	const flags = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-O1', '-fPIC', '-shared'];
	execFileSync(compiler, [...flags, '-o', library, SOURCE, '-ldl', '-pthread'], { stdio: 'pipe' });
	return library;
}

/** Environment of a process whose changes below a folder are recorded under a letter. */
export const recorderEnvironment = (
	library: string,
	{ folder, log, tag }: { readonly folder: string; readonly log: string; readonly tag: string },
): Readonly<Record<string, string>> => ({
	LD_PRELOAD: library,
	DISK_RECORDER_FOLDER: folder,
	DISK_RECORDER_LOG: log,
	DISK_RECORDER_TAG: tag,
	// The kernel's ring would write behind the library's back.
	UV_USE_IO_URING: '0',
});
