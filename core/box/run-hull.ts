import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { WebFolder } from '../http/static-web.ts';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { createReserve } from '../storage/reserve.ts';
import { createLogger, type LogLevel } from '../system/pino-logger.ts';

/** sysexits.h: a configuration error; systemd is told not to restart on it. */
const EX_CONFIG = 78;
const EX_SOFTWARE = 70;
/** From the signal to the end, however badly stopping goes. */
const STOP_WITHIN_MS = 2_500;

type Environment = Readonly<Record<string, string | undefined>>;

/** A running gateway or hub as its process sees it. */
export interface RunningHull extends Stoppable {
	readonly claimCode: string | null;
	/** Ports that are really listened on, for the ready line. */
	readonly ports: Readonly<Record<string, number>>;
}

export interface HullContext<S, A> {
	readonly settings: S;
	readonly administrator: A;
	/** Absolute folder of everything durable; exists, readable by this user only. */
	readonly data: string;
	/** Absolute folder of the installed product. */
	readonly packageFolder: string;
	readonly web: WebFolder | null;
	readonly version: string;
	readonly clock: Clock;
	readonly log: Logger;
}

export interface HullDefinition<S extends { readonly log: { readonly level: LogLevel } }, A> {
	readonly role: 'gateway' | 'hub';
	readonly argv: readonly string[];
	readonly environment: Environment;
	/** @throws an error with `mistakes` when the settings are wrong */
	readonly readSettings: (
		file: string | null,
		environment: Environment,
	) => Promise<{ readonly settings: S; readonly administrator: A }>;
	readonly compose: (context: HullContext<S, A>) => Promise<RunningHull>;
}

const packageFolder = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

function versionOf(folder: string): string {
	const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
	return typeof manifest === 'object' && manifest !== null && 'version' in manifest
		? String(manifest.version)
		: 'unknown';
}

/** The value after an option; the command line has been checked already. */
function optionOf(argv: readonly string[], name: string): string | null {
	const at = argv.indexOf(name);
	return at < 0 ? null : (argv[at + 1] ?? null);
}

interface Mistake {
	readonly path: string;
	readonly message: string;
}

/** The mistakes that an error of the settings carries; core does not know config, so it asks for the shape. */
function mistakesOf(error: unknown): readonly Mistake[] | null {
	if (!(error instanceof Error) || !('mistakes' in error) || !Array.isArray(error.mistakes)) return null;
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
	return error.mistakes as readonly Mistake[];
}

/** Settings, logger, data folder, composition, signals: the life of a process. The only place that ends it. */
export async function runHull<S extends { readonly log: { readonly level: LogLevel } }, A>(
	definition: HullDefinition<S, A>,
): Promise<void> {
	const { role, argv, environment } = definition;
	let read: { readonly settings: S; readonly administrator: A };
	try {
		read = await definition.readSettings(optionOf(argv, '--config'), environment);
	} catch (error) {
		const mistakes = mistakesOf(error);
		if (mistakes === null) throw error;
		for (const { path, message } of mistakes) process.stderr.write(`drawbridge: ${path}: ${message}\n`);
		process.exitCode = EX_CONFIG;
		return;
	}
	// Databases make their own files: whatever folder they are told, nobody else on this machine reads accounts and keys.
	process.umask(0o077);
	const log = createLogger({ level: read.settings.log.level });
	const data = resolve(optionOf(argv, '--data') ?? join('data', role));
	const reserve = createReserve({ folder: data, log });
	let hull: RunningHull;
	try {
		await mkdir(data, { recursive: true, mode: 0o700 });
		await reserve.release();
		const webFolder = join(packageFolder, 'dist', 'web', role);
		hull = await definition.compose({
			...read,
			data,
			packageFolder,
			web: existsSync(join(webFolder, 'index.html')) ? { folder: webFolder, index: 'index.html' } : null,
			version: versionOf(packageFolder),
			clock: systemClock,
			log,
		});
	} catch (error) {
		log.error('start-failed', { reason: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
		process.exitCode = EX_SOFTWARE;
		return;
	}
	// The console is what proves access to the box; no page shows the code (decision D2).
	if (hull.claimCode !== null) log.info('unclaimed', { claim_code: hull.claimCode });
	log.info('ready', { role, ...hull.ports });
	void reserve.keep();

	let isStopping = false;
	const stop = (signal: string): void => {
		if (isStopping) return;
		isStopping = true;
		log.info('stopping', { signal });
		const force = setTimeout(() => {
			log.error('stop-forced', { afterMs: STOP_WITHIN_MS });
			process.exit(EX_SOFTWARE);
		}, STOP_WITHIN_MS);
		hull
			.stop()
			.catch((error: unknown) => log.error('stop-failed', { reason: messageOf(error) }))
			.finally(() => {
				clearTimeout(force);
				log.info('stopped');
				process.exit(0);
			});
	};
	process.on('SIGTERM', () => stop('SIGTERM'));
	process.on('SIGINT', () => stop('SIGINT'));
	process.on('uncaughtException', (error) => {
		log.error('defect', { reason: error.message, stack: error.stack });
		process.exit(EX_SOFTWARE);
	});
	process.on('unhandledRejection', (reason) => {
		log.error('defect', { reason: messageOf(reason), stack: reason instanceof Error ? reason.stack : undefined });
		process.exit(EX_SOFTWARE);
	});
}
