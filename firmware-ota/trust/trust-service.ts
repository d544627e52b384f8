import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { epochMs, toIso } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import { createGate } from '../../core/kernel/gate.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createDelegationWalk, type DelegationWalk } from './delegation-walk.ts';
import { isDoubtful } from './metadata-rules.ts';
import type { MetadataSource } from './metadata-source.ts';
import { TrustFault } from './trust-fault.ts';
import { TRUST_LIMITS, type TrustLimits } from './trust-limits.ts';
import { createRefresh } from './trust-refresh.ts';
import { createTrustSetStore, type TrustFiles } from './trust-set-store.ts';
import { provenTimes, type TrustedSet, type TrustedState } from './trusted-state.ts';
import { updateTime } from './trusted-time.ts';

/** The trusted metadata at an instant, for questions about targets. */
export interface TrustedView extends DelegationWalk {
	readonly rootVersion: number;
	readonly timestampVersion: number;
	/** When the newest of its files was signed: it is not earlier now. */
	readonly signedAt: EpochMs | null;
	/** From then on it has to be refreshed. */
	readonly expiresAt: EpochMs;
	/** True: its age could not be judged, because the clock was never set, or says that all of it is old. */
	readonly isDoubtful: boolean;
	/** Delegated roles that are not trusted, and why. */
	readonly refusedRoles: ReadonlyMap<string, TrustFault>;
}

export interface TrustOptions {
	/** A person at the box vouches for the time; what expired before this build was made stays refused. Default false. */
	readonly mayBeExpired?: boolean;
}

export interface RefreshOptions extends TrustOptions {
	readonly source: MetadataSource;
	readonly signal: AbortSignal;
}

/** What this box trusts about updates: who may sign for what, and which files there are. */
export interface Trust {
	/**
	 * What is on disk, without asking anybody; `null`: there was never a whole set.
	 *
	 * @throws TrustFault `expired`
	 */
	view(options?: TrustOptions): TrustedView | null;
	/**
	 * Fetches and verifies what is new (TUF 1.0.34, 5). When it resolves the new state is on disk. One at a time; a few may wait.
	 *
	 * @throws TrustFault by its `refusal`; Fault `unavailable` when the disk takes nothing. What is trusted is then as before, but for newer roots and version
	 * numbers that were already proven.
	 */
	refresh(options: RefreshOptions): Promise<TrustedView>;
	/** Earliest instant that it can be now: build, or newest signature that is trusted. */
	floor(): EpochMs;
}

export interface TrustDeps {
	/** Holds the trusted state, and nothing else. */
	readonly folder: string;
	/** Text of the root metadata that this build was shipped with. */
	readonly factoryRoot: string;
	/** When this build was made. */
	readonly builtAt: EpochMs;
	readonly clock: Clock;
	readonly log: Logger;
	readonly limits?: TrustLimits;
	readonly files?: TrustFiles;
}

/** Refreshes that may wait for the one that runs. */
const MAX_WAITING = 4;

function viewOf(state: TrustedState, set: TrustedSet, deps: TrustDeps, mayBeExpired: boolean): TrustedView {
	const found = updateTime(deps.clock, [deps.builtAt, ...provenTimes(state)]);
	const time = mayBeExpired ? { ...found, isKnown: false } : found;
	const chain = [state.root, set.timestamp, set.snapshot, set.targets];
	const doubts = chain.map((document) => isDoubtful(document, time));
	const signed = provenTimes(state).filter((at) => at !== null);
	return {
		...createDelegationWalk(set, time),
		rootVersion: state.root.version,
		timestampVersion: set.timestamp.version,
		signedAt: signed.length === 0 ? null : epochMs(Math.max(...signed)),
		expiresAt: epochMs(Math.min(...chain.map(({ expiresAt }) => expiresAt))),
		isDoubtful: !found.isKnown || doubts.includes(true),
		refusedRoles: new Map([...set.roles].flatMap(([name, role]) => (role instanceof TrustFault ? [[name, role]] : []))),
	};
}

/** Opens what is trusted, from disk or from the factory's root. @throws TrustFault `no-trust` when the factory's root is none */
export async function openTrust(deps: TrustDeps): Promise<Trust> {
	const { folder, factoryRoot, log, files, clock, builtAt, limits = TRUST_LIMITS } = deps;
	const store = createTrustSetStore({ folder, factoryRoot, log, ...(files === undefined ? {} : { files }) });
	const gate = createGate({ what: 'updates of the metadata', parallel: 1, waiting: MAX_WAITING });
	let state = await store.open().catch((error: unknown) => {
		if (!(error instanceof TrustFault)) throw error;
		throw new TrustFault('no-trust', `this build has no root to begin with: ${messageOf(error)}`, { cause: error });
	});

	async function keep(next: TrustedState): Promise<void> {
		if (next === state) return;
		await store.write(next);
		if (next.root.version > state.root.version) log.info('trust-root', { version: next.root.version });
		state = next;
	}

	async function refresh({ source, signal, mayBeExpired = false }: RefreshOptions): Promise<TrustedView> {
		const update = createRefresh({ source, clock, builtAt, limits, signal, mayBeExpired }, state);
		try {
			await update.run();
		} catch (error) {
			// Newer roots and versions are proven all the same, and must not be forgotten.
			await keep(update.state());
			throw error;
		}
		await keep(update.state());
		const { set } = state;
		if (set === null) throw new TypeError('a refresh ended without a set');
		const view = viewOf(state, set, deps, mayBeExpired);
		for (const [role, fault] of view.refusedRoles) log.warn('trust-role-refused', { role, reason: fault.message });
		log.debug('trust-refreshed', { source: source.name, expiresAt: toIso(view.expiresAt), doubtful: view.isDoubtful });
		return view;
	}

	return {
		view: ({ mayBeExpired = false } = {}) => (state.set === null ? null : viewOf(state, state.set, deps, mayBeExpired)),
		refresh: (options) => gate.run(() => refresh(options)),
		floor: () => updateTime(clock, [builtAt, ...provenTimes(state)]).floor,
	};
}
