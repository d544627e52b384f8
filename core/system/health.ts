/** Whether a part of the box can do its work now. */
export interface ComponentState {
	readonly isConnected: boolean;
	/** Why not: a sentence for a person, without secrets; `null` while connected. */
	readonly reason: string | null;
}

/** A part of the box as `/health` and `/readiness` see it. */
export interface Component {
	/** `documents`, `telemetry`, `mqtt`, `uplink`, … (contract rule R6) */
	readonly name: string;
	/** Without it the box is not ready. The others inform: an appliance without its hub is in order. */
	readonly isEssential: boolean;
	/** Must not wait. */
	state(): ComponentState;
}

export type SystemStatus = 'ok' | 'degraded';

/** Degraded as soon as one component is not connected. */
export const statusOf = (states: readonly ComponentState[]): SystemStatus =>
	states.every(({ isConnected }) => isConnected) ? 'ok' : 'degraded';
