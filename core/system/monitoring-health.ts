import type { SetTimer } from '../journal/set-timer.ts';
import type { Actor } from '../identity/role.ts';
import type { Clock, EpochMs } from '../kernel/clock.ts';
import type { SystemStatus } from './health.ts';

/** Components of contract rule R6. */
export const PROBED = ['documents', 'telemetry', 'mqtt', 'uplink'] as const;
type ProbedName = (typeof PROBED)[number];

/** A component that can be asked whether it works. */
export interface ProbedComponent {
	/** Not in use, e.g. an uplink without a hub: it is disconnected, and nothing is wrong. */
	isInUse(): boolean;
	/** Resolves once it has answered; with a number (ms) where it has measured itself. Rejects when it does not work. */
	probe(): Promise<number | null>;
}

/** Scheduled jobs by state. */
export interface PipelineCounts {
	readonly running: number;
	readonly stopped: number;
	readonly error: number;
}

export interface ComponentHealth {
	readonly isUp: boolean;
	readonly isInUse: boolean;
	/** ms; `null` while down. */
	readonly responseTimeMs: number | null;
}

export interface MonitoringHealth {
	readonly status: SystemStatus;
	readonly at: EpochMs;
	readonly components: Readonly<Record<ProbedName, ComponentHealth>>;
	readonly pipelines: PipelineCounts;
	/** Devices that are online, of those the caller sees. */
	readonly activeDevices: number;
	readonly activeAlerts: number;
}

export interface MonitoringHealthDeps {
	readonly components: Readonly<Record<ProbedName, ProbedComponent>>;
	readonly pipelines: () => PipelineCounts;
	readonly activeDevices: (actor: Actor) => number;
	readonly activeAlerts: (actor: Actor) => number;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
}

/** A component that takes longer is down. */
export const PROBE_TIMEOUT_MS = 2_000;

/** One answer serves everybody who asks within this time: asking often costs the box nothing. */
const FRESH_MS = 1_000;

/** Tenants, and single users, that are counted for at a time. */
const MAX_COUNTED = 100;

interface Counts {
	readonly activeDevices: number;
	readonly activeAlerts: number;
}

interface Round {
	readonly atMs: number;
	readonly components: Promise<MonitoringHealth['components']>;
	readonly counts: Map<string, Counts>;
}

/** Everybody with the same key sees the same. */
const viewOf = ({ role, tenantId, userId }: Actor): string => {
	if (role === 'superadmin') return 'all';
	return role === 'user' ? userId : tenantId;
};

const whole = (ms: number): number => Math.round(ms * 1_000) / 1_000;

/** The state of the box in detail, as far as it is found by asking. */
export function createMonitoringHealth(deps: MonitoringHealthDeps): (actor: Actor) => Promise<MonitoringHealth> {
	const { components, pipelines, clock, setTimer } = deps;
	let round: Round | null = null;

	function within<T>(task: Promise<T>): Promise<T> {
		return new Promise((resolve, reject) => {
			const cancel = setTimer(() => reject(new Error(`no answer within ${PROBE_TIMEOUT_MS} ms`)), PROBE_TIMEOUT_MS);
			task.then(resolve, reject).finally(cancel);
		});
	}

	async function ask(component: ProbedComponent): Promise<ComponentHealth> {
		const isInUse = component.isInUse();
		if (!isInUse) return { isUp: false, isInUse, responseTimeMs: null };
		const startedMs = clock.monotonicMs();
		try {
			const measuredMs = await within(component.probe());
			return { isUp: true, isInUse, responseTimeMs: whole(measuredMs ?? clock.monotonicMs() - startedMs) };
		} catch {
			return { isUp: false, isInUse, responseTimeMs: null };
		}
	}

	async function askAll(): Promise<MonitoringHealth['components']> {
		const { documents, telemetry, mqtt, uplink } = components;
		const answers = await Promise.all([ask(documents), ask(telemetry), ask(mqtt), ask(uplink)]);
		return { documents: answers[0], telemetry: answers[1], mqtt: answers[2], uplink: answers[3] };
	}

	function currentRound(): Round {
		const nowMs = clock.monotonicMs();
		if (round === null || nowMs - round.atMs >= FRESH_MS)
			round = { atMs: nowMs, components: askAll(), counts: new Map() };
		return round;
	}

	function countsFor(actor: Actor, counts: Round['counts']): Counts {
		const view = viewOf(actor);
		const known = counts.get(view);
		if (known !== undefined) return known;
		const counted = { activeDevices: deps.activeDevices(actor), activeAlerts: deps.activeAlerts(actor) };
		if (counts.size < MAX_COUNTED) counts.set(view, counted);
		return counted;
	}

	return async (actor) => {
		const current = currentRound();
		const found = await current.components;
		const jobs = pipelines();
		const isFine = PROBED.every((name) => found[name].isUp || !found[name].isInUse) && jobs.error === 0;
		return {
			status: isFine ? 'ok' : 'degraded',
			at: clock.now(),
			components: found,
			pipelines: jobs,
			...countsFor(actor, current.counts),
		};
	};
}
