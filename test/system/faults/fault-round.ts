import { setTimeout as sleep } from 'node:timers/promises';

import { messageOf } from '../../../core/kernel/fault.ts';
import type { Random } from '../kit/random.ts';
import { createRandom } from '../kit/random.ts';
import type { LiveFault, PlannedFault, Resource } from './fault.ts';
import { fakeTimeEnvironment } from './fake-time.ts';
import type { FaultLog } from './fault-log.ts';
import { planFaults, RESOURCES } from './fault-plan.ts';
import { startWorld, type World, type WorldOptions } from './fault-world.ts';
import { INJECT, type Scene } from './inject.ts';
import { examine, type Examination } from './examine.ts';

export interface RoundOptions {
	readonly seed: number;
	readonly count: number;
	readonly kinds: readonly LiveFault[];
	/** The library that lets clocks jump; null: it is not here. */
	readonly fakeTime: string | null;
	readonly log: FaultLog;
	readonly say: (text: string) => void;
	/** Folders of a round that has failed go there. */
	readonly keepIn: string;
	/** Those of one that has not, as well. */
	readonly isKept: boolean;
}

/** What came of one world and its faults. */
export interface RoundReport {
	readonly seed: number;
	readonly faults: number;
	readonly byKind: Readonly<Record<string, number>>;
	/** Null: it did not come to that. */
	readonly examination: Examination | null;
	/** Empty: nothing is wrong. */
	readonly complaints: readonly string[];
	/** Where the folders are; null: they are gone. */
	readonly keptIn: string | null;
}

/** Who wants a resource waits for those who wanted it before. */
function createTurns() {
	const last = new Map<Resource, Promise<void>>();
	return async (resources: readonly Resource[], work: () => Promise<void>): Promise<void> => {
		const before = resources.map((resource) => last.get(resource) ?? Promise.resolve());
		const done = Promise.all(before).then(work);
		for (const resource of resources) last.set(resource, done);
		await done;
	};
}

async function injectAll(scene: Scene, plan: readonly PlannedFault[], log: FaultLog): Promise<void> {
	const inTurn = createTurns();
	const failures: unknown[] = [];
	const running: Promise<void>[] = [];

	async function inject(fault: PlannedFault): Promise<void> {
		const subject = scene.world.subjects[fault.target];
		await inTurn(RESOURCES[fault.kind](fault), async () => {
			if (failures.length > 0) return;
			log.note('fault', { ...fault });
			await INJECT[fault.kind](scene, fault, subject);
			log.note('over', { index: fault.index });
		}).catch((error: unknown) => {
			if (failures.length === 0) log.note('failed', { index: fault.index, reason: messageOf(error) });
			failures.push(error);
		});
	}

	for (const fault of plan) {
		await sleep(fault.afterMs);
		if (failures.length > 0) break;
		running.push(inject(fault));
	}
	await Promise.all(running);
	if (failures.length > 0) throw failures[0];
}

/** What this seed's world is like. Faults that it cannot have are left out. */
function worldOf(random: Random, options: RoundOptions): WorldOptions {
	const has = (...kinds: readonly LiveFault[]): boolean => kinds.some((kind) => options.kinds.includes(kind));
	const fakeTime = has('clock') ? options.fakeTime : null;
	const dice = [random.below(1), random.below(1), random.below(1)] as const;
	return {
		hasDisks: has('disk-full') && dice[0] < 0.7,
		hasMiddle: has('duplicate', 'reorder') && dice[1] < 0.7,
		isSmall: dice[2] < 0.3,
		preload: ({ clockFile }) => (fakeTime === null ? {} : fakeTimeEnvironment(fakeTime, clockFile)),
		log: options.say,
	};
}

function possible({ kinds, fakeTime }: RoundOptions, world: World): readonly LiveFault[] {
	const isPossible: Readonly<Partial<Record<LiveFault, boolean>>> = {
		'disk-full': world.subjects.hub.disk !== null && world.subjects.gateway.disk !== null,
		clock: fakeTime !== null,
		duplicate: world.middle !== null,
		reorder: world.middle !== null,
	};
	return kinds.filter((kind) => isPossible[kind] ?? true);
}

function countKinds(plan: readonly PlannedFault[]): Readonly<Record<string, number>> {
	const counts: Record<string, number> = {};
	for (const { kind } of plan) counts[kind] = (counts[kind] ?? 0) + 1;
	return counts;
}

/** One world, its faults, and what both stores say afterwards. Leaves no process, mount or folder behind. */
export async function runRound(options: RoundOptions): Promise<RoundReport> {
	const { seed, count, log } = options;
	const random = createRandom(seed);
	const world = await startWorld(worldOf(random, options));
	try {
		const { hasDisks, hasMiddle, isSmall } = world.options;
		const kinds = possible(options, world);
		log.note('world', { seed, count, kinds, has_disks: hasDisks, has_middle: hasMiddle, is_small: isSmall });
		const plan = planFaults(random, count, kinds, Date.now());
		const scene: Scene = {
			world,
			deaths: [],
			forgotten: [],
			full: [],
			clocks: [],
			fullSince: { gateway: null, hub: null },
		};
		let examination: Examination | null = null;
		const complaints: string[] = [];
		try {
			await injectAll(scene, plan, log);
			examination = await examine(scene, plan);
			complaints.push(...examination.complaints);
		} catch (error) {
			complaints.push(messageOf(error));
		}
		for (const complaint of complaints) log.note('complaint', { complaint });
		log.note('examined', { ...examination });
		let keptIn: string | null = null;
		if (complaints.length > 0 || options.isKept) await world.keep((keptIn = `${options.keepIn}/seed-${seed}`));
		return { seed, faults: plan.length, byKind: countKinds(plan), examination, complaints, keptIn };
	} finally {
		await world.stop();
	}
}
