import type { Role } from '../kit/hull-process.ts';

/** Everything that can go wrong in a world that runs; one line each in docs/testing-faults.md. */
export const LIVE_FAULTS = [
	'kill',
	'restart',
	'freeze',
	'restore',
	'cut',
	'cut-frame',
	'black-hole',
	'delay',
	'throttle',
	'duplicate',
	'reorder',
	'disk-full',
	'clock',
	'resend',
] as const;
export type LiveFault = (typeof LIVE_FAULTS)[number];

/** Has a world of its own, see ../power-cut: what a machine forgets cannot be taken from one that runs. */
export const POWER_CUT = 'power-cut';
export type FaultKind = LiveFault | typeof POWER_CUT;

/** When a process is killed: at any time, or just after something that it was in the middle of. */
export type Moment = 'now' | 'start' | 'publish' | 'journal' | 'seal';

/** Two faults on one of these take turns; on different ones they overlap. */
export type Resource = Role | 'link' | 'broker' | `${Role} disk` | `${Role} clock`;

/** A fault as the seed has chosen it, before anything has happened. */
export interface PlannedFault {
	readonly index: number;
	/** After the one before it, ms. */
	readonly afterMs: number;
	readonly kind: LiveFault;
	readonly target: Role;
	/** How long it lasts, ms; a process that was killed stays dead so long. */
	readonly forMs: number;
	readonly moment: Moment;
	/** Of a clock: how far it jumps, ms. */
	readonly jumpMs: number;
	/** From 0 to below 1: what else a kind has to choose. */
	readonly dice: number;
}
