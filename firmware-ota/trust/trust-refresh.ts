import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import {
	readRoot,
	readSnapshot,
	readTargets,
	readTimestamp,
	type RootDocument,
	type SnapshotDocument,
	type TargetsDocument,
	textOf,
	type TimestampDocument,
} from './metadata-document.ts';
import { checkNextRoot, checkSnapshot, checkTargets, checkTimestamp, isDoubtful, namedBy } from './metadata-rules.ts';
import type { MetadataSource } from './metadata-source.ts';
import { loadRoles, reusable } from './role-loader.ts';
import { TrustFault } from './trust-fault.ts';
import type { TrustLimits } from './trust-limits.ts';
import { provenTimes, type TrustedSet, type TrustedState, withRoot } from './trusted-state.ts';
import { type UpdateTime, updateTime } from './trusted-time.ts';

/** What one update is made of. */
export interface RefreshDeps {
	readonly source: MetadataSource;
	readonly clock: Clock;
	/** When this build was made: it is not earlier now. */
	readonly builtAt: EpochMs;
	readonly limits: TrustLimits;
	readonly signal: AbortSignal;
	/** A person at the box vouches: what only the clock calls expired is taken. */
	readonly mayBeExpired: boolean;
}

/** One update of the metadata (TUF 1.0.34, 5.1 to 5.6). */
export interface Refresh {
	/** @throws TrustFault at the first file that is not trusted; what was verified before it stays in `state` */
	run(): Promise<void>;
	/** What is trusted by now; has to be on disk before anybody is told. */
	state(): TrustedState;
}

/** Nothing has changed since this set, and nothing of it is lacking. */
const isSame = (set: TrustedSet, timestamp: TimestampDocument): boolean =>
	set.timestamp.text === timestamp.text && [...set.roles.values()].every((role) => !(role instanceof TrustFault));

export function createRefresh(deps: RefreshDeps, before: TrustedState): Refresh {
	const { source, limits, signal } = deps;
	let state = before;
	// TUF 5.1: read once, so that nothing that comes later can move it.
	const start: Clock = startClock(deps.clock);
	const startMs = deps.clock.monotonicMs();

	function time(): UpdateTime {
		const found = updateTime(start, [deps.builtAt, ...provenTimes(state)]);
		return deps.mayBeExpired ? { ...found, isKnown: false } : found;
	}

	async function load(name: string, mostBytes: number): Promise<string | null> {
		const leftMs = limits.refreshMs - (deps.clock.monotonicMs() - startMs);
		if (leftMs <= 0) throw new TrustFault('too-slow', `${name}: the update takes longer than ${limits.refreshMs} ms`);
		const bytes = await source.file(name, { mostBytes, withinMs: Math.min(limits.fileMs, leftMs), signal });
		return bytes === null ? null : textOf(name, bytes);
	}

	async function demand(name: string, mostBytes: number): Promise<string> {
		const text = await load(name, mostBytes);
		if (text === null) throw new TrustFault('missing', `${name}: ${source.name} does not have it`);
		return text;
	}

	/** TUF 5.3. */
	async function updateRoot(): Promise<void> {
		for (let followed = 0; followed < limits.roots; followed += 1) {
			const name = `${state.root.version + 1}.root.json`;
			const text = await load(name, limits.rootBytes);
			if (text === null) return;
			const next: RootDocument = readRoot(name, text);
			checkNextRoot(state.root, next);
			state = withRoot(state, next);
		}
		throw new TrustFault('too-many', `more than ${limits.roots} roots to follow; the next update goes on`);
	}

	/** TUF 5.4. */
	async function updateTimestamp(): Promise<TimestampDocument> {
		const next = readTimestamp('timestamp.json', await demand('timestamp.json', limits.timestampBytes));
		const trusted = state.timestamp;
		const isNewer = checkTimestamp(state.root, trusted, next);
		const timestamp = isNewer || trusted === null ? next : trusted;
		isDoubtful(timestamp, time());
		state = { ...state, timestamp };
		return timestamp;
	}

	/** TUF 5.5. */
	async function updateSnapshot(timestamp: TimestampDocument): Promise<SnapshotDocument> {
		const { version, length = limits.snapshotBytes } = timestamp.metadata.signed.snapshotMeta;
		const name = `${version}.snapshot.json`;
		const known = reusable(state.snapshot, (document) => checkSnapshot(state.root, timestamp, null, document));
		const snapshot = known ?? readSnapshot(name, await demand(name, Math.min(length, limits.snapshotBytes)));
		checkSnapshot(state.root, timestamp, state.snapshot, snapshot);
		isDoubtful(snapshot, time());
		state = { ...state, snapshot };
		return snapshot;
	}

	/** TUF 5.6.1 to 5.6.6, of the top-level role. */
	async function updateTargets(snapshot: SnapshotDocument): Promise<TargetsDocument> {
		const { version, length = limits.targetsBytes } = namedBy(snapshot, 'targets');
		const name = `${version}.targets.json`;
		const check = (document: TargetsDocument): void => checkTargets(state.root, snapshot, 'targets', document);
		const known = reusable(state.set?.targets ?? null, check);
		const targets = known ?? readTargets(name, await demand(name, Math.min(length, limits.targetsBytes)));
		check(targets);
		isDoubtful(targets, time());
		return targets;
	}

	return {
		state: () => state,
		async run() {
			await updateRoot();
			isDoubtful(state.root, time());
			const timestamp = await updateTimestamp();
			const snapshot = await updateSnapshot(timestamp);
			const targets = await updateTargets(snapshot);
			if (state.set !== null && isSame(state.set, timestamp)) return;
			const known = state.set?.roles ?? new Map<string, TargetsDocument | TrustFault>();
			const roles = await loadRoles({ targets, snapshot, known, limits, demand, time });
			state = { ...state, set: { timestamp, snapshot, targets, roles } };
		},
	};
}

/** A clock that stands. */
function startClock(clock: Clock): Clock {
	const [now, trusted] = [clock.now(), clock.trustedNow === undefined ? clock.now() : clock.trustedNow()];
	return { now: () => now, trustedNow: () => trusted, monotonicMs: () => clock.monotonicMs() };
}
