import type { EpochMs } from '../../core/kernel/clock.ts';
import { checkOwnRoot, checkSigned, checkSnapshot, checkTargets, revokesOnline } from './metadata-rules.ts';
import type { RootDocument, SnapshotDocument, TargetsDocument, TimestampDocument } from './metadata-document.ts';
import type { TrustFault } from './trust-fault.ts';

/** Metadata that belongs together, all of it verified: what the next update is chosen from. */
export interface TrustedSet {
	readonly timestamp: TimestampDocument;
	readonly snapshot: SnapshotDocument;
	readonly targets: TargetsDocument;
	/** Delegated roles by name; in the place of one that is not trusted stands why. */
	readonly roles: ReadonlyMap<string, TargetsDocument | TrustFault>;
}

/** Everything that is trusted. It replaces its forerunner as a whole. */
export interface TrustedState {
	readonly root: RootDocument;
	/** Newest that was ever verified, also when the rest of its set never came: nothing older is taken (TUF 5.4.5, 5.5.7). */
	readonly timestamp: TimestampDocument | null;
	readonly snapshot: SnapshotDocument | null;
	/** `null` before the first complete one. */
	readonly set: TrustedSet | null;
}

/** Nothing but a root. @throws TrustFault `threshold` when it is not signed as it demands */
export function firstState(root: RootDocument): TrustedState {
	checkOwnRoot(root);
	return { root, timestamp: null, snapshot: null, set: null };
}

/** When the newest files were signed, as far as they say it. Delegated roles have no say: their keys are others'. */
export const provenTimes = ({ root, timestamp, snapshot, set }: TrustedState): readonly (EpochMs | null)[] => [
	root.issuedAt,
	timestamp?.issuedAt ?? null,
	snapshot?.issuedAt ?? null,
	set?.targets.issuedAt ?? null,
];

function holds(check: () => void): boolean {
	try {
		check();
		return true;
	} catch {
		return false;
	}
}

function isWhole(root: RootDocument, { timestamp, snapshot, targets }: TrustedSet): boolean {
	return holds(() => {
		checkSigned(root, 'timestamp', timestamp);
		checkSnapshot(root, timestamp, null, snapshot);
		checkTargets(root, snapshot, 'targets', targets);
	});
}

/** What of a state is still trusted under its root: all that its keys have signed. */
export function underOwnRoot(state: TrustedState): TrustedState {
	const { root, timestamp, snapshot, set } = state;
	const isSigned = { timestamp: false, snapshot: false };
	if (timestamp !== null) isSigned.timestamp = holds(() => checkSigned(root, 'timestamp', timestamp));
	if (snapshot !== null) isSigned.snapshot = holds(() => checkSigned(root, 'snapshot', snapshot));
	return {
		root,
		timestamp: isSigned.timestamp ? timestamp : null,
		snapshot: isSigned.snapshot ? snapshot : null,
		set: set !== null && isWhole(root, set) ? set : null,
	};
}

/** The state under the root that follows; timestamp and snapshot are forgotten where a key of theirs was revoked (TUF 5.3.11). */
export function withRoot(state: TrustedState, root: RootDocument): TrustedState {
	if (revokesOnline(state.root, root)) return firstState(root);
	return underOwnRoot({ ...state, root });
}
