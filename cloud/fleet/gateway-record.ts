import type { EpochMs } from '../../core/kernel/clock.ts';
import type { GatewayId, TenantId } from '../../core/kernel/id.ts';
import type { CertificateFacts } from '../../core/pki/certificate.ts';

/** An enrolled gateway as the hub keeps it. */
export interface GatewayRecord {
	readonly id: GatewayId;
	readonly name: string;
	/** Of the administrator who opened its enrolment code; its devices belong to it too. */
	readonly tenantId: TenantId;
	/**
	 * The certificates it may come with, oldest first: the one in use, and after a renewal the next one until it has been used. No other
	 * certificate of the authority is let in.
	 */
	readonly certificates: readonly CertificateFacts[];
	readonly enrolledAt: EpochMs;
	/** Set when an administrator has shut it out; its history stays. */
	readonly revokedAt: EpochMs | null;
}

/** Whether the gateway can come in, as far as the hub is concerned. */
export const isLetIn = ({ certificates, revokedAt }: GatewayRecord): boolean =>
	certificates.length > 0 && revokedAt === null;

/** A gateway's presence on the link since the hub started. */
export interface GatewayPresence {
	readonly online: boolean;
	readonly lastSeenAt: EpochMs | null;
	readonly version: string | null;
}

export interface GatewayRepository {
	find(id: GatewayId): GatewayRecord | null;
	all(): readonly GatewayRecord[];
	/**
	 * Replaces a record by what `change` makes of its newest state (`null`: there is none); changes happen one after the other. Resolves when it
	 * is on disk. What `change` throws is passed on and nothing changes.
	 */
	change(id: GatewayId, change: (current: GatewayRecord | null) => GatewayRecord): Promise<GatewayRecord>;
}
