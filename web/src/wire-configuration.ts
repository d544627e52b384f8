/** What the API answers about the configuration of a gateway, as it is on the wire. Times are ISO 8601 in UTC. */

/** One operation of a JSON patch. */
export interface PatchOperationView {
	readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
	readonly path: string;
	readonly value?: unknown;
}

export interface ConflictView {
	readonly path: string;
	readonly base: unknown;
	readonly gateway: unknown;
	readonly hub: unknown;
}

/** What became of an order. */
export interface OutcomeView {
	readonly revision: number;
	readonly outcome: 'applied' | 'rolled-back' | 'refused' | 'conflict';
	readonly at: string;
	readonly reason: string | null;
	readonly mistakes: readonly { readonly path: string; readonly message: string }[];
	readonly conflicts: readonly ConflictView[];
	readonly overwritten: readonly { readonly path: string; readonly value: unknown }[];
}

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

interface TrialView {
	readonly revision: number;
	readonly until: string;
}

/** Where the configuration of a gateway stands, as its hub sees it. */
export interface GatewayConfigurationView {
	readonly standing: Standing;
	readonly online: boolean;
	readonly last_revision: number;
	readonly order: { readonly revision: number; readonly author: string; readonly at: string } | null;
	readonly reported: {
		readonly at: string;
		readonly revision: number;
		readonly drift_operations: number;
		readonly previous_revision: number | null;
		readonly trial: TrialView | null;
		readonly restart_needed: readonly string[];
	} | null;
	readonly last: OutcomeView | null;
}

export interface RevisionView {
	readonly revision: number;
	readonly author: string;
	readonly comment: string;
	readonly origin: 'hub' | 'gateway';
	readonly created_at: string;
	readonly devices: number;
}

/** What a gateway runs, as it says itself. */
export interface ConfigurationView {
	readonly revision: number;
	readonly drift: readonly PatchOperationView[];
	readonly previous_revision: number | null;
	readonly trial: TrialView | null;
	readonly last: OutcomeView | null;
	readonly restart_needed: readonly string[];
}
