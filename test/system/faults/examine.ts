import { setTimeout as sleep } from 'node:timers/promises';

import { gatewayId } from '../../../core/kernel/id.ts';
import { recordId } from '../../../core/telemetry/telemetry-view.ts';
import { member, type Rest } from '../kit/rest.ts';
import { json, type LedgerView, ledgerOf, recordsOf, uplinkOf } from '../kit/telemetry.ts';
import type { FaultKind, PlannedFault } from './fault.ts';
import type { World } from './fault-world.ts';
import type { Scene } from './inject.ts';
import type { ClockSpan, DeviceTruth, Span } from './truth.ts';
import { type Budget, type Counts, judge, type Verdict } from './oracle.ts';

/** What was counted, and what is wrong. */
export interface Examination {
	readonly complaints: readonly string[];
	readonly counts: Counts;
	readonly receivedSamples: number;
	readonly epochs: number;
	/** Samples that are missing for good, by their reason. */
	readonly holes: Readonly<Record<string, number>>;
	readonly drainedMs: number;
}

/** REST of both as their administrator. */
export interface Stores {
	readonly hub: Rest;
	readonly gateway: Rest;
}

const DRAINED_WITHIN_MS = 120_000;
/** Nothing has changed for this long: nothing is under way. */
const QUIET_MS = 2_000;
const POLL_MS = 500;

/** Which kinds of faults may cost samples for which reason; every other hole is one too many. */
const REASONS: Readonly<Record<string, readonly FaultKind[]>> = {
	'not-journalled': ['power-cut', 'kill', 'restart', 'restore', 'disk-full', 'freeze'],
	'disk-full': ['disk-full'],
	// Below the floor of free space too.
	'journal-quota': ['disk-full'],
	'not-kept': ['restore', 'resend'],
	// Of a day that a full disk has cost.
	thinned: ['disk-full'],
	'impossible-time': ['clock'],
};
const QUOTA = 'journal-quota';

/** Waits until both are there, and the hub has everything that the gateway has. @throws Error with what is still missing */
export async function drained(
	{ rest, subjects }: Pick<World, 'rest' | 'subjects'>,
	quietMs = QUIET_MS,
): Promise<Stores> {
	let said = '';
	let since = performance.now();
	const deadline = since + DRAINED_WITHIN_MS;
	let [hub, gateway]: [Rest | null, Rest | null] = [null, null];
	while (performance.now() < deadline) {
		try {
			hub ??= await rest('hub');
			gateway ??= await rest('gateway');
			const [state, backlog] = [await uplinkOf(gateway, 'state'), await uplinkOf(gateway, 'backlog_samples')];
			const {
				received_samples: received,
				missing_samples: missing,
				declared_lost_samples: lost,
			} = await ledgerOf(hub, gateway);
			const now = JSON.stringify({ state, backlog, received, missing, lost });
			if (now !== said) since = performance.now();
			said = now;
			if (state === 'online' && backlog === 0 && missing === 0 && performance.now() - since > quietMs)
				return { hub, gateway };
		} catch {
			// A token of another time, or a process that is not there yet.
			hub = gateway = null;
		}
		await sleep(POLL_MS);
	}
	const logs = Object.values(subjects).map(
		({ role, hull }) => `${role}: ${hull.child().lastLines().slice(-5).join('\n')}`,
	);
	throw new Error(`the backlog does not drain: ${said}\n${logs.join('\n')}`);
}

function idsOf(origin: string, { holes }: LedgerView): ReadonlySet<string> {
	const ids = new Set<string>();
	for (const { epoch, first, last } of holes)
		for (let firstSeq = first; firstSeq <= last; firstSeq += 1)
			ids.add(recordId({ origin: gatewayId(origin), epoch, firstSeq }));
	return ids;
}

function addUp(counts: readonly Counts[]): Counts {
	const sum = (pick: (one: Counts) => number): number => counts.reduce((total, one) => total + pick(one), 0);
	return {
		given: sum(({ given }) => given),
		acknowledged: sum(({ acknowledged }) => acknowledged),
		atHub: sum(({ atHub }) => atHub),
		atGateway: sum(({ atGateway }) => atGateway),
		declared: sum(({ declared }) => declared),
		gaveWay: sum(({ gaveWay }) => gaveWay),
		thinned: sum(({ thinned }) => thinned),
		declaredAndKept: sum(({ declaredAndKept }) => declaredAndKept),
		spent: {
			declared: sum(({ spent }) => spent.declared),
			gatewayLetGo: sum(({ spent }) => spent.gatewayLetGo),
			hubLetGo: sum(({ spent }) => spent.hubLetGo),
		},
		explained: sum(({ explained }) => explained),
		worstLossMs: Math.max(0, ...counts.map(({ worstLossMs }) => worstLossMs)),
	};
}

const complaintsOf = ({ lost, twice, misattributed, different }: Verdict): readonly string[] => [
	...lost.map((text) => `lost: ${text}`),
	...twice.map((text) => `twice: ${text}`),
	...misattributed.map((text) => `misattributed: ${text}`),
	...different.map((text) => `different: ${text}`),
];

function complaintsAbout(
	ledger: LedgerView,
	held: number,
	{ hubLetGo, gatewayLetGo }: Budget,
	kinds: ReadonlySet<FaultKind>,
	isSmall: boolean,
): readonly string[] {
	const isAllowed = (reason: string): boolean =>
		(reason === QUOTA && isSmall) || (REASONS[reason] ?? []).some((kind) => kinds.has(kind));
	const unexplained = ledger.holes.filter(({ reason }) => !isAllowed(reason));
	const isUntold = hubLetGo + gatewayLetGo > 0 && !kinds.has('disk-full') && !isSmall;
	return [
		...(isUntold ? [`overflow: ${hubLetGo} and ${gatewayLetGo} samples were let go of, and no disk was full`] : []),
		...unexplained.map((hole) => `ledger: a hole that nothing explains: ${JSON.stringify(hole)}`),
		...(ledger.missing_samples === 0 ? [] : [`ledger: ${ledger.missing_samples} samples are missing`]),
		...(ledger.received_samples === held + hubLetGo
			? []
			: [`ledger: ${ledger.received_samples} samples received, ${held} are stored and ${hubLetGo} were let go`]),
	];
}

/** Samples that a box says it has let go of for their space. */
async function letGoBy(rest: Rest): Promise<number> {
	const overflow = member(await json(rest, '/api/v1/system/storage'), 'overflow');
	const steps: readonly unknown[] = Array.isArray(overflow) ? overflow : [];
	return steps.reduce((sum: number, step) => sum + Number(member(step, 'samples') ?? 0), 0);
}

/** What is said to be lost, and by whom. Only a full disk makes a box let go of anything here. */
async function budgetOf({ hub, gateway }: Stores, ledger: LedgerView): Promise<Budget> {
	const quota = ledger.holes.filter(({ reason }) => reason === QUOTA);
	const [hubLetGo, gatewayLetGo] = [await letGoBy(hub), await letGoBy(gateway)];
	return {
		declared: ledger.declared_lost_samples,
		hubLetGo,
		gatewayLetGo: gatewayLetGo + quota.reduce((sum, { first, last }) => sum + last - first + 1, 0),
	};
}

const less = (budget: Budget, spent: Budget): Budget => ({
	declared: budget.declared - spent.declared,
	gatewayLetGo: budget.gatewayLetGo - spent.gatewayLetGo,
	hubLetGo: budget.hubLetGo - spent.hubLetGo,
});

/** What both stores are held against. */
export interface Claims {
	readonly deaths: readonly Span[];
	readonly forgotten: readonly Span[];
	readonly full: readonly Span[];
	readonly clocks: readonly ClockSpan[];
	readonly truths: readonly DeviceTruth[];
	readonly kinds: ReadonlySet<FaultKind>;
	readonly isSmall: boolean;
}

/** Holds what the devices have said against what both stores answer, device by device. */
export async function compare({ hub, gateway }: Stores, claims: Claims): Promise<Omit<Examination, 'drainedMs'>> {
	const { truths, kinds, isSmall, ...spans } = claims;
	const ledger = await ledgerOf(hub, gateway);
	const declaredIds = idsOf(String(await uplinkOf(gateway, 'gateway_id')), ledger);
	const complaints: string[] = [];
	const counts: Counts[] = [];
	const budget = await budgetOf({ hub, gateway }, ledger);
	let left = budget;
	let held = 0;
	for (const truth of truths) {
		const [atHub, atGateway] = await Promise.all([recordsOf(hub, truth.uid), recordsOf(gateway, truth.uid)]);
		held += atHub.reduce((sum, { payload }) => sum + Object.keys(payload).length, 0);
		const verdict = judge({
			truth,
			atHub,
			atGateway,
			...spans,
			declaredIds,
			budget: left,
		});
		left = less(left, verdict.counts.spent);
		counts.push(verdict.counts);
		complaints.push(...complaintsOf(verdict));
	}
	complaints.push(...complaintsAbout(ledger, held, budget, kinds, isSmall));
	const holes: Record<string, number> = {};
	for (const { reason, first, last } of ledger.holes) holes[reason] = (holes[reason] ?? 0) + last - first + 1;
	return {
		complaints,
		counts: addUp(counts),
		receivedSamples: ledger.received_samples,
		epochs: ledger.received.length,
		holes,
	};
}

/** Lets everything arrive, and compares. */
export async function examine(scene: Scene, plan: readonly PlannedFault[]): Promise<Examination> {
	const { world, deaths, forgotten, full, clocks } = scene;
	await Promise.all(world.senders.map((sender) => sender.pause()));
	await Promise.all(world.slaves.map((slave) => slave.stop()));
	const startMs = performance.now();
	const stores = await drained(world);
	const drainedMs = Math.round(performance.now() - startMs);
	const found = await compare(stores, {
		deaths,
		forgotten,
		full,
		clocks,
		truths: world.truths,
		kinds: new Set(plan.map(({ kind }) => kind)),
		isSmall: world.options.isSmall,
	});
	return { ...found, drainedMs };
}
