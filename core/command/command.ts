import type { EpochMs } from '../kernel/clock.ts';
import type { DeviceId, TenantId } from '../kernel/id.ts';
import type { JsonValue } from '../telemetry/reading.ts';

/** `expired` is what became of a command whose time ran out; references 000 and 002 do not know it and are shown `failed`. */
export type CommandStatus = 'pending' | 'sent' | 'executed' | 'failed' | 'expired';

export type OpenStatus = 'pending' | 'sent';
export type FinalStatus = Exclude<CommandStatus, OpenStatus>;

export type CommandPayload = Readonly<Record<string, JsonValue>>;

/** What somebody wants of a device. */
export interface CommandDraft {
	/** `command_name` in REST, `action` in Socket.IO and MQTT. */
	readonly name: string;
	readonly payload: CommandPayload;
	/** Time to live: nothing is sent, and no answer is awaited, after it, ms. */
	readonly ttlMs: number;
}

export interface Command {
	/** A UUID of version 7 (RFC 9562): ids sort as the commands were made. */
	readonly id: string;
	readonly device: DeviceId;
	readonly tenantId: TenantId;
	readonly name: string;
	readonly payload: CommandPayload;
	readonly status: CommandStatus;
	/** Who asked for it; `userId` is `null` for one that came from the hub, which knows its people. */
	readonly actor: { readonly userId: string | null; readonly email: string };
	/**
	 * `hub`: the hub's queue has it too, and is told what becomes of it. `gateway`: made at a gateway, which alone has it in hand; here, at
	 * its hub, it is only shown.
	 */
	readonly origin: 'local' | 'hub' | 'gateway';
	readonly createdAt: EpochMs;
	readonly expiresAt: EpochMs;
	/** When the gateway of the device wrote it down; `null` for a command that needs no gateway, or when it has not said so. */
	readonly acceptedAt: EpochMs | null;
	/** When the device took it. */
	readonly sentAt: EpochMs | null;
	readonly executedAt: EpochMs | null;
	/** Why it failed or expired: a sentence. */
	readonly error: string | null;
	/** What the device answered. */
	readonly result: CommandPayload | null;
	/** How often it was handed on without an acknowledgement. */
	readonly attempts: number;
}

/** Which status may follow which; the three final ones are followed by none. */
export const TRANSITIONS: Readonly<Record<CommandStatus, readonly CommandStatus[]>> = {
	pending: ['sent', 'executed', 'failed', 'expired'],
	sent: ['executed', 'failed', 'expired'],
	executed: [],
	failed: [],
	expired: [],
};

/** Whether this box still has something to do with it. */
export const isOpen = ({ status, origin }: Pick<Command, 'status' | 'origin'>): boolean =>
	origin !== 'gateway' && TRANSITIONS[status].length > 0;

/** What changes with a status, or without one. */
export type CommandChange = Partial<
	Pick<Command, 'status' | 'acceptedAt' | 'sentAt' | 'executedAt' | 'error' | 'result' | 'attempts'>
>;
