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

/** One word for where a gateway stands, as a person wants to read it. */
export function standingOf({ order, state }: ConfigurationHead): Standing {
	const isAnswered = order === null || [state?.last?.attempt, state?.trial?.attempt].includes(order.attempt);
	if (!isAnswered) return 'waiting';
	if (state === null) return 'unknown';
	if (state.trial !== null) return 'trial';
	const { last } = state;
	if (order !== null && last !== null && last.outcome !== 'applied') return last.outcome;
	if (state.revision === 0) return 'unmanaged';
	return state.driftOperations > 0 ? 'drift' : 'running';
}
