import type { GatewayId } from '../../core/kernel/id.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import type { ConfigurationHead, Revision } from './revision.ts';

/** A content and the SHA-256 of its canonical text. */
export interface Content {
	readonly checksum: string;
	readonly value: JsonValue;
}

/** Revisions of all gateways. Heads and lists are answered from memory, contents from the disk; writing resolves when it is there. */
export interface RevisionRepository {
	head(gateway: GatewayId): ConfigurationHead | null;
	/** Newest first. */
	revisions(gateway: GatewayId): readonly Revision[];
	/** `null`: it is not kept, or not any more. */
	content(gateway: GatewayId, checksum: string): Promise<JsonValue | null>;
	/**
	 * Writes contents first, then the revision and the head that name them; at last it lets go of these revisions, and of all contents that are not
	 * among the needed ones.
	 */
	save(change: RevisionChange): Promise<void>;
}

export interface RevisionChange {
	readonly head: ConfigurationHead;
	readonly contents?: readonly Content[];
	readonly added?: Revision;
	readonly removed?: readonly Revision[];
	/** Checksums of the contents that stay; absent: all. */
	readonly needed?: ReadonlySet<string>;
}
