import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { fillDisk } from '../../fake/small-disk.ts';
import type { Role } from '../kit/hull-process.ts';
import { member } from '../kit/rest.ts';
import { json, type LedgerView } from '../kit/telemetry.ts';
import type { LiveFault, Moment, PlannedFault } from './fault.ts';
import type { Subject, World } from './fault-world.ts';
import type { ClockSpan, Span } from './truth.ts';

/** Where faults are put in, and what they leave behind for the oracle. */
export interface Scene {
	readonly world: World;
	/** Times in which the gateway was dead, dumb or frozen. */
	readonly deaths: Span[];
	/** Times that the gateway has forgotten. */
	readonly forgotten: Span[];
	/** Times in which the gateway's clock stood wrong, or the hub's, which a gateway may take its time from. */
	readonly clocks: ClockSpan[];
	/** Times in which the gateway's disk was full, and a little more. */
	readonly full: Span[];
	/** Since when a disk is full; null: it is not. */
	readonly fullSince: Record<Role, number | null>;
}

/** Longest wait for the moment to strike; then it strikes anyhow. */
const MOMENT_WITHIN_MS = 6_000;
/** From the moment to the blow, at most. */
const BLOW_WITHIN_MS = 25;
/** A start takes about so long; one that is hit is hit somewhere in it. */
const START_MS = 1_500;
/** A freeze that is longer than the gateway waits for its devices makes it throw away their answers. */
const HARMLESS_FREEZE_MS = 4_000;
const WAKING_MS = 500;
/** A disk with room is used by then: a commit that is under way may still find none. */
const WRITES_AGAIN_MS = 1_500;
const CLOCK_LAG_MS = 2_000;
/** Longest time without the hub in a row, and somewhat more. */
const TAKEN_TIME_MS = 30_000;
/** Times as long as it is dead a hull lives on before it is put back to its copy. */
const LIVES_ON = 3;
const POLL_MS = 50;

async function until(isSo: () => boolean): Promise<void> {
	while (!isSo()) await sleep(POLL_MS);
}

/** Resolves with the next change of a file below the folder, or after a while. */
function nextChange(folder: string): Promise<void> {
	return new Promise((resolve) => {
		let watcher: FSWatcher | null = null;
		const timer = setTimeout(done, MOMENT_WITHIN_MS);
		function done(): void {
			clearTimeout(timer);
			watcher?.close();
			resolve();
		}
		try {
			watcher = watch(folder, { recursive: true }, done);
			watcher.on('error', done);
		} catch {
			// No such folder, or no more watchers: any moment is as good.
			done();
		}
	});
}

const MOMENTS: Readonly<Record<Exclude<Moment, 'start'>, (world: World, subject: Subject) => Promise<void>>> = {
	now: async () => undefined,
	publish: ({ senders }) => Promise.race(senders.map((sender) => sender.nextPublish(MOMENT_WITHIN_MS))),
	journal: (_world, { hull }) => nextChange(join(hull.dataFolder, 'journal')),
	seal: (_world, { hull }) => nextChange(join(hull.dataFolder, 'history')),
};

type Inject = (scene: Scene, fault: PlannedFault, subject: Subject) => Promise<void>;

/** Starts a hull. On a full disk it may refuse; then somebody makes room, and starts it again. */
async function start(scene: Scene, { role, hull }: Subject): Promise<void> {
	const isFull = (): boolean => scene.fullSince[role] !== null;
	for (;;) {
		const wasFull = isFull();
		try {
			await hull.start();
			return;
		} catch (error) {
			if (!wasFull && !isFull()) throw error;
			await until(() => !isFull());
		}
	}
}

/** Does something that silences a gateway, and notes the time from its beginning to its end. */
async function silencing(scene: Scene, { role }: Subject, work: () => Promise<unknown>): Promise<void> {
	// What a full disk had not taken is only told as lost by the process that knows of it.
	const fromMs = scene.fullSince[role] ?? Date.now();
	try {
		await work();
	} finally {
		if (role === 'gateway') scene.deaths.push({ fromMs, toMs: Date.now() });
	}
}

const kill: Inject = async (scene, { moment, forMs, dice }, subject) => {
	const { hull } = subject;
	if (moment !== 'start') {
		await MOMENTS[moment](scene.world, subject);
		await sleep(dice * BLOW_WITHIN_MS);
	}
	await silencing(scene, subject, async () => {
		await hull.kill9();
		await sleep(forMs);
		if (moment === 'start') {
			const starting = hull.start().catch(() => undefined);
			await sleep(dice * START_MS);
			await hull.kill9();
			await starting;
		}
		await start(scene, subject);
	});
};

const restart: Inject = async (scene, { moment }, subject) => {
	if (moment !== 'start') await MOMENTS[moment](scene.world, subject);
	await silencing(scene, subject, async () => {
		await subject.hull.stop();
		await start(scene, subject);
	});
};

const freeze: Inject = async (scene, { forMs }, { role, hull }) => {
	const { pid } = hull.child();
	const fromMs = Date.now();
	process.kill(pid, 'SIGSTOP');
	await sleep(forMs);
	process.kill(pid, 'SIGCONT');
	if (role === 'gateway' && forMs > HARMLESS_FREEZE_MS) scene.deaths.push({ fromMs, toMs: Date.now() + WAKING_MS });
};

const restore: Inject = async (scene, { forMs }, subject) => {
	const { hull, role } = subject;
	let fromMs = 0;
	await silencing(scene, subject, async () => {
		await hull.stop();
		fromMs = Date.now();
		subject.copy('save');
		await hull.start();
	});
	await sleep(forMs * LIVES_ON);
	await silencing(scene, subject, async () => {
		await hull.kill9();
		subject.copy('restore');
		await hull.start();
	});
	if (role === 'gateway') scene.forgotten.push({ fromMs, toMs: Date.now() });
};

/** Makes the wire bad for a while. */
const wire =
	(modeOf: (dice: number) => Parameters<World['link']['setMode']>[0]): Inject =>
	async ({ world: { link } }, { forMs, dice }) => {
		link.setMode(modeOf(dice));
		await sleep(forMs);
		link.setMode({ kind: 'pass' });
	};

const broker =
	(mode: 'duplicate' | 'reorder'): Inject =>
	async ({ world: { middle } }, { forMs }) => {
		middle?.setMode(mode);
		await sleep(forMs);
		middle?.setMode('pass');
	};

const diskFull: Inject = async (scene, { forMs }, { role, disk }) => {
	if (disk === null) return;
	const fromMs = Date.now();
	scene.fullSince[role] = fromMs;
	const free = await fillDisk(disk);
	await sleep(forMs);
	free();
	scene.fullSince[role] = null;
	if (role === 'gateway') scene.full.push({ fromMs, toMs: Date.now() + WRITES_AGAIN_MS });
};

const clock: Inject = async (scene, { forMs, jumpMs }, subject) => {
	const fromMs = Date.now();
	subject.setClock(jumpMs);
	await sleep(forMs + CLOCK_LAG_MS);
	subject.setClock(0);
	// A gateway that does not believe its own clock takes the hub's time, and keeps it until the hub is heard again.
	const toMs = Date.now() + (subject.role === 'hub' ? TAKEN_TIME_MS : 0);
	scene.clocks.push({ fromMs, toMs, offsetMs: jumpMs });
	await sleep(CLOCK_LAG_MS);
};

/** Asks for a piece of what the hub has already: it must not be there twice. */
const resend: Inject = async ({ world }, { dice }) => {
	try {
		const hub = await world.rest('hub');
		const gateways = await json(hub, '/api/v1/gateways');
		const path = `/api/v1/gateways/${String(member(Array.isArray(gateways) ? gateways[0] : null, 'id'))}`;
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract of this page
		const { received } = (await json(hub, `${path}/ledger`)) as LedgerView;
		const ranges = received.flatMap(({ epoch, ranges: list }) =>
			list.map(({ first, last }) => ({ epoch, first, last })),
		);
		const chosen = ranges[Math.floor(dice * ranges.length)];
		if (chosen === undefined) return;
		await hub.post(`${path}/resend`, { ranges: [chosen], even_if_stored: true });
	} catch {
		// The hub is not there to be asked.
	}
};

const DELAY_MS = 1_500;
const SLOW_BYTES_PER_SECOND = 4_096;
const FAST_BYTES_PER_SECOND = 60_000;
const MOST_BYTES_TO_CUT = 6_000;

/** How each kind is done, from its beginning to its end. */
export const INJECT: Readonly<Record<LiveFault, Inject>> = {
	kill,
	restart,
	freeze,
	restore,
	cut: wire(() => ({ kind: 'cut' })),
	'cut-frame': wire((dice) => ({ kind: 'cut-after', bytes: 1 + Math.floor(dice * MOST_BYTES_TO_CUT) })),
	'black-hole': wire(() => ({ kind: 'black-hole' })),
	delay: wire((dice) => ({ kind: 'delay', delayMs: dice * DELAY_MS })),
	throttle: wire((dice) => ({
		kind: 'throttle',
		bytesPerSecond: SLOW_BYTES_PER_SECOND + dice * (FAST_BYTES_PER_SECOND - SLOW_BYTES_PER_SECOND),
	})),
	duplicate: broker('duplicate'),
	reorder: broker('reorder'),
	'disk-full': diskFull,
	clock,
	resend,
};
