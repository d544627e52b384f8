import { type ChildProcess, spawn } from 'node:child_process';
import { type WriteStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Stoppable } from '../core/kernel/lifecycle.ts';

/** The line of JSON by which a program says that it serves: `{"event":"ready", ...}` with its ports. */
export type ReadyLine = Readonly<Record<string, unknown>>;

export interface ExitOutcome {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
}

/** A Node program of ours that runs as its own process. */
export interface Child extends Stoppable {
	readonly name: string;
	readonly pid: number;
	/** Resolves with the ready line. @throws Error with the program's last lines when it ends or stays silent instead. */
	ready(withinMs?: number): Promise<ReadyLine>;
	/** Resolves when the process is gone, however it went. */
	readonly exited: Promise<ExitOutcome>;
	/** Writes one line to its standard input. */
	send(line: string): void;
	/** Hears every line of its standard output until the returned function is called. */
	onLine(listener: (line: string) => void): () => void;
	/** The last 40 lines of both outputs. */
	lastLines(): readonly string[];
	/** SIGKILL: it learns nothing and cleans up nothing. Resolves when the process is gone. */
	kill9(): Promise<ExitOutcome>;
}

export interface ChildOptions {
	readonly name: string;
	/** Arguments of `node`: the script and its own arguments. */
	readonly args: readonly string[];
	/** Added to this process's environment, of which settings of the product (`DRAWBRIDGE_...`) are not handed on. */
	readonly env?: Readonly<Record<string, string>>;
	/** Gets both outputs, from empty. */
	readonly logFile?: string;
	/** From SIGTERM to SIGKILL, ms: a person who has pressed Ctrl-C waits no longer than the default, 2 500. */
	readonly graceMs?: number;
}

const KEPT_LINES = 40;
const READY_WITHIN_MS = 60_000;
/** Ends the process with its starter; the fourth stream is its line to it. */
const LEASH = new URL('leash.js', import.meta.url).href;
const GRACE_MS = 2_500;

/** Every process that was started here and still runs: this process takes them along when it ends, however it ends. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
	for (const child of running) child.kill('SIGKILL');
});

/** As the first line of the command says; who names `node` himself has to repeat it. */
const THREADS = { UV_THREADPOOL_SIZE: '8' };

function inheritedEnvironment(): NodeJS.ProcessEnv {
	return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DRAWBRIDGE_')));
}

function readyLine(line: string): ReadyLine | null {
	if (!line.startsWith('{')) return null;
	try {
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON that begins with a brace is an object
		const parsed = JSON.parse(line) as ReadyLine;
		return parsed['event'] === 'ready' ? parsed : null;
	} catch {
		return null;
	}
}

/** A port named in a ready line. @throws Error when it is not there. */
export function portOf(ready: ReadyLine, name: string): number {
	const port = ready[name];
	if (typeof port !== 'number') throw new Error(`the ready line has no ${name}: ${JSON.stringify(ready)}`);
	return port;
}

type Listener = (line: string) => void;

/** Hands every line of both outputs to the listeners (standard output only), the log file and the memory. */
function listenTo(process_: ChildProcess, log: WriteStream | null) {
	const kept: string[] = [];
	const listeners = new Set<Listener>();
	function keep(line: string): void {
		if (kept.length >= KEPT_LINES) kept.shift();
		kept.push(line);
		log?.write(`${line}\n`);
	}
	if (process_.stdout !== null) {
		createInterface({ input: process_.stdout }).on('line', (line) => {
			keep(line);
			for (const listener of listeners) listener(line);
		});
	}
	if (process_.stderr !== null) createInterface({ input: process_.stderr }).on('line', keep);
	return { kept, listeners };
}

/** Starts `node` with the arguments. The caller owns it and has to stop it. */
export function startChild(options: ChildOptions): Child {
	const { name, args, env = {}, logFile, graceMs = GRACE_MS } = options;
	const child = spawn(process.execPath, ['--import', LEASH, '--enable-source-maps', ...args], {
		env: { ...inheritedEnvironment(), ...THREADS, ...env },
		stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
	});
	child.channel?.unref();
	running.add(child);
	const log = logFile === undefined ? null : createWriteStream(logFile, { mode: 0o600 });
	const { kept, listeners } = listenTo(child, log);
	let ready: ReadyLine | null = null;
	let outcome: ExitOutcome | null = null;
	const said = new Promise<void>((resolve) => {
		listeners.add((line) => {
			if (ready !== null) return;
			ready = readyLine(line);
			if (ready !== null) resolve();
		});
	});
	child.stdin?.on('error', () => undefined);
	const exited = new Promise<ExitOutcome>((resolve) => {
		function end(code: number | null, signal: NodeJS.Signals | null): void {
			outcome ??= { code, signal };
			running.delete(child);
			log?.end();
			resolve(outcome);
		}
		child.once('error', (error) => {
			kept.push(error.message);
			end(null, null);
		});
		child.once('close', end);
	});

	async function awaitReady(withinMs = READY_WITHIN_MS): Promise<ReadyLine> {
		const timeout = new AbortController();
		const late = sleep(withinMs, undefined, { signal: timeout.signal }).catch(() => undefined);
		await Promise.race([said, exited, late]);
		timeout.abort();
		if (ready !== null) return ready;
		const what = outcome === null ? `said nothing for ${withinMs} ms` : `ended (${outcome.signal ?? outcome.code})`;
		throw new Error(`${name} ${what} before it was ready\n${kept.join('\n')}`);
	}

	async function stop(): Promise<void> {
		if (outcome === null) child.kill('SIGTERM');
		const timeout = new AbortController();
		const isLate = await Promise.race([
			exited.then(() => false),
			sleep(graceMs, true, { signal: timeout.signal }).catch(() => false),
		]);
		timeout.abort();
		if (isLate) child.kill('SIGKILL');
		await exited;
	}

	return {
		name,
		pid: child.pid ?? 0,
		ready: awaitReady,
		exited,
		send: (line) => void child.stdin?.write(`${line}\n`),
		onLine(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		lastLines: () => [...kept],
		async kill9() {
			child.kill('SIGKILL');
			return exited;
		},
		stop,
	};
}
