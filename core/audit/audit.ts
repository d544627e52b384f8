import type { EpochMs } from '../kernel/clock.ts';
import type { TenantId } from '../kernel/id.ts';

/** What was changed or refused, by whom, from where. */
export interface AuditEvent {
	/** Name of the operation: its `operationId`, the Socket.IO event, or e.g. `mqtt-connect`. */
	readonly action: string;
	readonly outcome: 'done' | 'refused';
	/** Who asked; `null`: nobody that is known. */
	readonly actor: { readonly userId: string; readonly email: string } | null;
	readonly tenantId: TenantId | null;
	/** Network address of the caller; '' for the box itself. */
	readonly from: string;
	/** Identity of what was changed, e.g. the id of a device; `null` when it has none. */
	readonly target: string | null;
	/** Why it was refused: `error_code` and sentence, without secrets; `null` when done. */
	readonly reason: string | null;
	/** The record as it is shown to people, before and after; never with a secret. `null`: was not there, or is gone. */
	readonly before: object | null;
	readonly after: object | null;
	/** `X-Request-Id` of the answer, which the log has too; `null` outside of HTTP. */
	readonly requestId: string | null;
}

/** An event as it is kept. */
export interface AuditEntry extends AuditEvent {
	readonly id: string;
	readonly at: EpochMs;
	/** How many equal events this entry stands for; 1 for a change. */
	readonly count: number;
}

/** Where changes and refusals are written down. */
export interface AuditLog {
	/**
	 * A change; durable when it resolves. Never rejects: while the disk takes nothing it resolves at once, the entry waits in memory
	 * and is written when there is room.
	 */
	record(event: AuditEvent): Promise<void>;
	/** A refusal: never waits; a flood of equal ones is counted and written as one. */
	refused(event: AuditEvent): void;
}
