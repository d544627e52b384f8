import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Programs of `bench/load/` in C are compiled where they lie. */
const sourceOf = (name: string): string => fileURLToPath(new URL(`../../bench/load/${name}.c`, import.meta.url));

export interface NativeProgram {
	/** Runs it on one processor to its end. @returns what it printed */
	run(processor: string, args: readonly string[]): Promise<string>;
	remove(): Promise<void>;
}

/** Compiles a program against libmodbus; `null` where the compiler or the library is missing. */
export async function buildWithLibmodbus(name: string): Promise<NativeProgram | null> {
	const folder = await mkdtemp(join(tmpdir(), 'libmodbus-bench-'));
	const binary = join(folder, name);
	const flags = ['-O2', '-I/usr/include/modbus', '-o', binary, sourceOf(name), '-lmodbus'];
	if (spawnSync('gcc', flags).status !== 0) {
		await rm(folder, { recursive: true });
		return null;
	}
	return {
		async run(processor, args) {
			const { stdout } = await run('taskset', ['-c', processor, binary, ...args], { timeout: 120_000 });
			return stdout;
		},
		remove: () => rm(folder, { recursive: true }),
	};
}
