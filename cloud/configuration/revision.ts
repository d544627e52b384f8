import type { EpochMs } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { ConfigOrder, ConfigOutcome, ConfigTrial } from '../../core/link/config-messages.ts';

/** A numbered configuration of a gateway. It never changes; its content is kept under its checksum. */
export interface Revision {
	readonly gateway: GatewayId;
	/** From 1 on, without an end. */
	readonly revision: number;
	readonly checksum: string;
	/** E-mail address of whoever made it. */
	readonly author: string;
	readonly comment: string;
	/** `gateway`: it was taken over from what the gateway ran. */
	readonly origin: 'hub' | 'gateway';
	readonly createdAt: EpochMs;
	/** Of the canonical document. */
	readonly bytes: number;
	readonly devices: number;
	/** SHA-256 of the template contents it names. */
	readonly templates: readonly string[];
}

/** What became of an order; its lists are kept as a content of their own. */
export interface NotedOutcome extends Pick<ConfigOutcome, 'attempt' | 'revision' | 'outcome' | 'at' | 'reason'> {
	/** Who had ordered it. */
	readonly author: string;
	/** Checksum of the content with mistakes, conflicts and overwritten values; `null`: there are none. */
	readonly details: string | null;
}

/** Where a gateway said it stands. */
export interface ReportedState {
	readonly at: EpochMs;
	readonly revision: number;
	readonly checksum: string | null;
	/** Checksum of what it really runs; the content is kept here. */
	readonly current: string;
	/** Operations between the revision and what it really runs; 0: equal. */
	readonly driftOperations: number;
	readonly previous: number | null;
	readonly trial: ConfigTrial | null;
	readonly last: Pick<ConfigOutcome, 'attempt' | 'outcome' | 'reason'> | null;
	readonly restartNeeded: readonly string[];
}

/** Everything about a gateway's configuration but the revisions. */
export interface ConfigurationHead {
	readonly gateway: GatewayId;
	/** The highest number that was ever given. */
	readonly lastRevision: number;
	readonly order: ConfigOrder | null;
	readonly orderedAt: EpochMs | null;
	readonly state: ReportedState | null;
	/** Newest first. */
	readonly outcomes: readonly NotedOutcome[];
}

export const emptyHead = (gateway: GatewayId): ConfigurationHead => ({
	gateway,
	lastRevision: 0,
	order: null,
	orderedAt: null,
	state: null,
	outcomes: [],
});

export type Standing =
	| 'unknown'
	| 'unmanaged'
	| 'waiting'
	| 'trial'
	| 'running'
	| 'drift'
	| 'rolled-back'
	| 'refused'
	| 'conflict';

/** The gateway has said what became of what is wanted of it, or is about it. */
const isAnswered = ({ order, state }: ConfigurationHead): boolean =>
	order === null || [state?.last?.attempt, state?.trial?.attempt].includes(order.attempt);

function standingOfState(state: ReportedState, isOrdered: boolean): Standing {
	if (state.trial !== null) return 'trial';
	if (isOrdered && state.last !== null && state.last.outcome !== 'applied') return state.last.outcome;
	if (state.revision === 0) return 'unmanaged';
	return state.driftOperations > 0 ? 'drift' : 'running';
}

/** One word for where a gateway stands, as a person wants to read it. */
export function standingOf(head: ConfigurationHead): Standing {
	if (!isAnswered(head)) return 'waiting';
	return head.state === null ? 'unknown' : standingOfState(head.state, head.order !== null);
}

/** Revisions of one gateway that are kept, beside those that are in use. */
const KEPT_REVISIONS = 100;

/** Revisions, newest first, that may go. */
export function outdatedOf(head: ConfigurationHead, revisions: readonly Revision[]): readonly Revision[] {
	const inUse = new Set([head.order?.revision, head.state?.revision, head.state?.previous]);
	return revisions.slice(KEPT_REVISIONS).filter(({ revision }) => !inUse.has(revision));
}

/** Checksums of the contents that something kept names. */
export function neededBy(head: ConfigurationHead, revisions: readonly Revision[]): ReadonlySet<string> {
	const details = head.outcomes.flatMap((outcome) => outcome.details ?? []);
	const named = revisions.flatMap(({ checksum, templates }) => [checksum, ...templates]);
	return new Set([...details, ...named, ...(head.state === null ? [] : [head.state.current])]);
}
