import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Server } from '@hapi/hapi';

import { composeHub } from '../../../cloud/compose.ts';
import { readSettings } from '../../../config/read-settings.ts';
import { type Clock, epochMs, systemClock } from '../../../core/kernel/clock.ts';
import type { Stoppable } from '../../../core/kernel/lifecycle.ts';
import { type LogFields, type Logger, silentLog } from '../../../core/kernel/log.ts';
import { composeGateway } from '../../../gateway/compose.ts';

export type HullRole = 'gateway' | 'hub';

/** A real gateway or hub in this process: its own folder, its own stores, free ports of loopback. */
export interface Box extends Stoppable {
	readonly role: HullRole;
	/** Folder of everything durable. */
	readonly data: string;
	readonly httpPort: number;
	readonly httpsPort: number;
	/** Port of the local broker; 0 on a hub, and so is the next. */
	readonly mqttPort: number;
	/** REST as it is mounted, for calls as anybody. */
	readonly server: Server;
	readonly mqttTlsPort: number;
	/** Code for the first administrator. */
	readonly claimCode: string;
	/** Moves the clock of the box: what it sees is the time of the system and this. */
	shiftClock(ms: number): void;
	/** No time passes for the box until the returned function is called: what is limited per second is so on a slow machine, too. */
	holdTime(): () => void;
	/** Events of level error since the start, with their reasons. */
	errors(): readonly string[];
}

export interface BoxOptions {
	/** Settings by their variables, e.g. `DRAWBRIDGE_SITE_NAME`. */
	readonly environment?: Readonly<Record<string, string>>;
	/** Where the clock stands at first, against the time of the system. */
	readonly clockShiftMs?: number;
}

const LOOPBACK = '127.0.0.1';
const TEMPLATES = join(process.cwd(), 'config', 'template');
const SUNSPEC_MODELS = join(process.cwd(), 'config', 'sunspec');

/** More than one person of the tests asks for, less than a burst brings. */
const REQUESTS_PER_SECOND = '300';

const SETTINGS: Readonly<Record<HullRole, Readonly<Record<string, string>>>> = {
	gateway: {
		DRAWBRIDGE_HTTP_HOST: LOOPBACK,
		DRAWBRIDGE_HTTP_PORT: '0',
		DRAWBRIDGE_HTTP_REQUESTS_PER_SECOND: REQUESTS_PER_SECOND,
		DRAWBRIDGE_HTTPS_HOST: LOOPBACK,
		DRAWBRIDGE_HTTPS_PORT: '0',
		DRAWBRIDGE_MQTT_HOST: LOOPBACK,
		DRAWBRIDGE_MQTT_PORT: '0',
		DRAWBRIDGE_MQTT_TLS_HOST: LOOPBACK,
		DRAWBRIDGE_MQTT_TLS_PORT: '0',
		DRAWBRIDGE_IDENTITY_REGISTRATION: 'open',
	},
	hub: {
		DRAWBRIDGE_HTTP_HOST: LOOPBACK,
		DRAWBRIDGE_HTTP_PORT: '0',
		DRAWBRIDGE_HTTP_REQUESTS_PER_SECOND: REQUESTS_PER_SECOND,
		DRAWBRIDGE_HTTPS_HOST: LOOPBACK,
		DRAWBRIDGE_HTTPS_PORT: '0',
		DRAWBRIDGE_LINK_HOST: LOOPBACK,
		DRAWBRIDGE_LINK_PORT: '0',
		DRAWBRIDGE_IDENTITY_REGISTRATION: 'open',
		DRAWBRIDGE_LINK_PUBLIC_HOST: LOOPBACK,
	},
};

function errorLog(errors: string[]): Logger {
	const log: Logger = {
		...silentLog,
		error: (event: string, fields: LogFields = {}) => void errors.push(`${event} ${JSON.stringify(fields)}`),
		child: () => log,
	};
	return log;
}

/** Starts the product as its process does. @throws whatever keeps it from starting */
export async function startBox(role: HullRole, { environment = {}, clockShiftMs = 0 }: BoxOptions = {}): Promise<Box> {
	const data = mkdtempSync(join(tmpdir(), `drawbridge-contract-${role}-`));
	const errors: string[] = [];
	let shiftMs = clockShiftMs;
	let heldAtMs: number | null = null;
	// Time passes; a clock that jumps would not be believed.
	const passedMs = (): number => systemClock.monotonicMs() + shiftMs - clockShiftMs;
	const clock: Clock = {
		now: () => epochMs(systemClock.now() + shiftMs),
		monotonicMs: () => heldAtMs ?? passedMs(),
	};
	const read = { file: null, environment: { ...SETTINGS[role], ...environment } };
	const common = {
		data,
		templateFolders: [TEMPLATES],
		web: null,
		administrator: null,
		version: '0.0.0-contract',
		clock,
		log: errorLog(errors),
	};
	const hull =
		role === 'gateway'
			? await composeGateway({ ...common, sunspecFolder: SUNSPEC_MODELS, settings: readSettings({ ...read, role }) })
			: {
					...(await composeHub({ ...common, settings: readSettings({ ...read, role }) })),
					mqttPort: 0,
					mqttTlsPort: null,
				};
	return {
		role,
		data,
		httpPort: hull.httpPort,
		httpsPort: hull.httpsPort ?? 0,
		mqttPort: hull.mqttPort,
		server: hull.server,
		mqttTlsPort: hull.mqttTlsPort ?? 0,
		claimCode: hull.claimCode ?? '',
		shiftClock: (ms) => {
			shiftMs = ms;
		},
		holdTime() {
			heldAtMs = passedMs();
			return () => {
				heldAtMs = null;
			};
		},
		errors: () => errors,
		async stop() {
			await hull.stop();
			rmSync(data, { recursive: true, force: true });
		},
	};
}
