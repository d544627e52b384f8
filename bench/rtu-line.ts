import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Compiled code is two folders below the sources. */
const SOURCE = fileURLToPath(new URL('../../bench/load/rtu-line.c', import.meta.url));
/** A UART hands over so many bytes at once. */
const PIECE_BYTES = 16;

/** What the slave saw of the line's discipline. */
export interface LineReport {
	readonly answers: number;
	/** Requests that came before 3.5 characters of silence had passed. */
	readonly early: number;
	readonly leastSilenceMs: number;
}

export interface ModelledLine {
	readonly path: string;
	/** Ends the line. */
	stop(): Promise<LineReport>;
}

export interface LineMaker {
	start(baudRate: number, bitsPerChar: number): Promise<ModelledLine>;
	remove(): Promise<void>;
}

async function firstLine(stream: Readable): Promise<string> {
	const [chunk]: unknown[] = await once(stream, 'data');
	return String(chunk).trim();
}

async function startLine(program: string, baudRate: number, bitsPerChar: number): Promise<ModelledLine> {
	const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
		program,
		[baudRate, bitsPerChar, PIECE_BYTES].map(String),
		{ stdio: ['pipe', 'pipe', 'inherit'] },
	);
	const path = await firstLine(child.stdout);
	return {
		path,
		async stop() {
			const told = firstLine(child.stdout);
			const ended = once(child, 'exit');
			child.stdin.end();
			const [answers = 0, early = 0, leastUs = 0] = (await told).split(' ').map(Number);
			await ended;
			return { answers, early, leastSilenceMs: leastUs / 1000 };
		},
	};
}

/** Compiles the line; `null` where there is no C compiler. */
export async function makeLines(): Promise<LineMaker | null> {
	const folder = await mkdtemp(join(tmpdir(), 'rtu-bench-'));
	const program = join(folder, 'rtu-line');
	const compiled = spawnSync('cc', ['-O2', '-o', program, SOURCE], { stdio: ['ignore', 'ignore', 'inherit'] });
	const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
	if (compiled.status !== 0) {
		await remove();
		return null;
	}
	return { start: (baudRate, bitsPerChar) => startLine(program, baudRate, bitsPerChar), remove };
}
