import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { type Child, type ExitOutcome, type ReadyLine, portOf, startChild } from '../../../demo/child.ts';
import { writeSettings } from '../../../demo/demo-settings.ts';
import { waitFor } from './wait-for.ts';

export type Role = 'gateway' | 'hub';

/** Ports of the last start by the names of the ready line (`http_port`, `mqtt_port`, `link_port`); 0 before the first. */
export type PortOf = (name: string) => number;

/** A gateway or hub as its own process. It keeps data and settings from start to start. */
export interface HullProcess {
	readonly role: Role;
	readonly dataFolder: string;
	/** The process of the last start. */
	child(): Child;
	/** Base address of REST and pages. */
	url(): string;
	port: PortOf;
	/** Starts it and waits until it serves. */
	start(): Promise<ReadyLine>;
	/** SIGKILL at once; returns when the process is gone. */
	kill9(): Promise<ExitOutcome>;
	/** Ends it politely. */
	stop(): Promise<void>;
	/** Ends it politely and starts it again. */
	restart(): Promise<ReadyLine>;
	/** Code for the first administrator; waits until the file is there. */
	claimCode(): Promise<string>;
}

export interface HullOptions {
	readonly role: Role;
	/** Gets `data/` and `settings.yaml`. */
	readonly folder: string;
	/** The settings of each start. Ports that are to be the same after a restart are named by them. */
	readonly settings: object;
	readonly env: () => Readonly<Record<string, string>>;
	/** Arguments of `node` that run the hull. */
	readonly command: (role: Role, settingsFile: string, dataFolder: string) => readonly string[];
	/** Hears of every process that is started. */
	readonly onStart: (child: Child) => void;
}

const CLAIM_CODE_WITHIN_MS = 30_000;
/** A start takes a second or two; on a machine that does ten other things it was seen to take more than a minute. */
const READY_WITHIN_MS = 180_000;
/** A hull that is told to end is killed after this only: a test of its end is no race against a loaded machine. */
const ENDS_WITHIN_MS = 30_000;

export function createHullProcess(options: HullOptions): HullProcess {
	const { role, folder } = options;
	const dataFolder = join(folder, 'data');
	const settingsFile = join(folder, 'settings.yaml');
	const logFile = join(folder, `${role}.log`);
	let current: Child | null = null;
	let ready: ReadyLine = {};
	let starts = 0;

	const port: PortOf = (name) => (name in ready ? portOf(ready, name) : 0);

	function child(): Child {
		if (current === null) throw new Error(`the ${role} was never started`);
		return current;
	}

	async function start(): Promise<ReadyLine> {
		mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
		writeSettings(settingsFile, options.settings);
		// What earlier lives have said is kept beside it.
		if (existsSync(logFile)) renameSync(logFile, join(folder, `${role}-${starts}.log`));
		starts += 1;
		current = startChild({
			name: role,
			args: options.command(role, settingsFile, dataFolder),
			env: options.env(),
			logFile,
			graceMs: ENDS_WITHIN_MS,
		});
		options.onStart(current);
		ready = await current.ready(READY_WITHIN_MS);
		return ready;
	}

	return {
		role,
		dataFolder,
		child,
		url: () => `http://127.0.0.1:${port('http_port')}`,
		port,
		start,
		kill9: () => child().kill9(),
		stop: () => child().stop(),
		async restart() {
			await child().stop();
			return start();
		},
		claimCode() {
			const path = join(dataFolder, 'claim-code');
			return waitFor(`claim code of the ${role}`, CLAIM_CODE_WITHIN_MS, () =>
				existsSync(path) ? readFileSync(path, 'utf8').trim() : null,
			);
		},
	};
}
