import type { EpochMs } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';

/** An enrolled gateway as the hub keeps it. */
export interface GatewayRecord {
	readonly id: GatewayId;
	readonly name: string;
	/** SHA-256 of its link secret; the secret itself never leaves the gateway. */
	readonly secretHash: string;
	readonly enrolledAt: EpochMs;
	/** Set when an administrator has shut it out; its history stays. */
	readonly revokedAt: EpochMs | null;
}

/** A gateway's presence on the link since the hub started. */
export interface GatewayPresence {
	readonly online: boolean;
	readonly lastSeenAt: EpochMs | null;
	readonly version: string | null;
}

export interface GatewayRepository {
	find(id: GatewayId): GatewayRecord | null;
	all(): readonly GatewayRecord[];
	/** Resolves when it is on disk. */
	put(record: GatewayRecord): Promise<void>;
}
