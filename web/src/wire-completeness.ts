/** What the API answers about completeness, ledgers, clocks and sums over time. Times are ISO 8601 in UTC. */

export interface GapView {
	readonly from: string;
	readonly to: string;
	readonly reason: string;
	/** Samples of the whole gateway that are missing around this time; `null`: none were ever numbered. */
	readonly samples: number | null;
}

export interface CompletenessView {
	readonly from: string;
	readonly to: string;
	readonly is_complete: boolean;
	readonly gaps: readonly GapView[];
}

interface HoleView {
	readonly epoch: number;
	readonly first: number;
	readonly last: number;
	readonly reason: string;
	readonly from: string | null;
	readonly to: string | null;
}

export interface BootView {
	readonly epoch: number;
	readonly from: string;
	readonly to: string;
}

export interface LedgerView {
	/** Of hubs only. */
	readonly received_samples?: number;
	readonly missing_samples: number;
	readonly declared_lost_samples: number;
	readonly lost_by_reason: Readonly<Record<string, number>>;
	readonly holes: readonly HoleView[];
	readonly boots: readonly BootView[];
}

/** Who says the time. */
export type ClockQuality = 'unset' | 'rtc' | 'ntp' | 'hub';

export interface EraView {
	readonly epoch: number;
	readonly first_seq: number;
	readonly clock_quality: ClockQuality;
	readonly is_estimated: boolean;
	/** By how much its readings are moved, ms; `null`: its time is not known yet. */
	readonly delta_ms: number | null;
	/** Of the own clock only. */
	readonly from?: string;
}

export interface GatewayClockView {
	/** `null` before the gateway has spoken since the start of the hub; so are the next two. */
	readonly clock_quality: ClockQuality | null;
	/** Its clock minus the hub's, ms. */
	readonly offset_ms: number | null;
	readonly said_at: string | null;
	/** Oldest first. */
	readonly eras: readonly EraView[];
}

export interface TimeView {
	readonly now: string;
	readonly clock_quality: ClockQuality;
	/** False while readings wait for their time. */
	readonly is_known: boolean;
	/** False while nothing is removed for its age. */
	readonly is_trusted: boolean;
	readonly reason: string | null;
	/** Clock of the machine minus the time used here, ms. */
	readonly system_clock_offset_ms: number;
	readonly ntp_synchronized: boolean | null;
	readonly hub: { readonly offset_ms: number; readonly error_ms: number; readonly asked_at: string } | null;
	readonly jumps: number;
	readonly last_jump: { readonly at: string; readonly by_ms: number } | null;
	/** Newest first. */
	readonly eras: readonly EraView[];
}

/** One entry of `increase` and `resets` for each of `starts`; whole numbers beyond 2^53 are text. */
export interface AggregateView {
	readonly exact: boolean;
	readonly starts: readonly string[];
	readonly points: Readonly<
		Record<
			string,
			{
				readonly increase?: readonly (number | string | null)[];
				readonly resets?: readonly (number | null)[];
			}
		>
	>;
}
