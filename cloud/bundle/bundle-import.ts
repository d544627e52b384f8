import type { KeyObject } from 'node:crypto';

import {
	type BundleHeader,
	bundleFault,
	type BundleItem,
	type BundleSummary,
	hubName,
} from '../../core/bundle/bundle-format.ts';
import { openBundle } from '../../core/bundle/bundle-reader.ts';
import { type BundleReceipt, signReceipt } from '../../core/bundle/bundle-receipt.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { EpochRanges } from '../../core/ledger/range-set.ts';
import { type Ack, MAX_RANGES } from '../../core/link/link-messages.ts';
import type { UpKind } from '../../core/link/link-topics.ts';
import { factsOf, isSignedBy } from '../../core/pki/certificate.ts';
import type { GatewayRecord, GatewayRepository } from '../fleet/gateway-record.ts';
import type { IngestResult } from '../ingest/hub-ingest.ts';

export interface BundleImportDeps {
	readonly gateways: Pick<GatewayRepository, 'find'>;
	/** Certificate of the link authority, and its key, which signs receipts. */
	readonly caPem: string;
	readonly signingKey: KeyObject;
	/** The hub's key for bundles. */
	readonly privateKey: KeyObject;
	/** Stores a block of readings, each once. @throws Fault when it cannot */
	readonly ingest: (gateway: GatewayId, block: Uint8Array) => Promise<IngestResult>;
	/** Takes anything else as the link would. @throws Fault when it cannot be stored */
	readonly take: (gateway: GatewayId, kind: UpKind, payload: Uint8Array) => Promise<void>;
	/** What the hub holds of a gateway, and the losses that it has written down. */
	readonly held: (gateway: GatewayId) => Ack;
	readonly clock: Pick<Clock, 'now'>;
	readonly log: Logger;
}

/** What an import has done. */
export interface ImportResult extends IngestResult {
	readonly gateway: GatewayId;
	readonly summary: BundleSummary;
	/** For the gateway; says what it may let go. */
	readonly receipt: string;
}

/** The newest of each epoch, as much as one receipt takes. */
const newest = (list: readonly EpochRanges[]): readonly EpochRanges[] =>
	list.slice(-MAX_RANGES).map(({ epoch, ranges }) => ({ epoch, ranges: ranges.slice(-MAX_RANGES) }));

/** Takes in what a gateway would have said over the link. Nothing of it is stored before all of it is proven to be that gateway's. */
export function createBundleImport(deps: BundleImportDeps) {
	const { gateways, caPem, clock, log } = deps;

	/**
	 * A certificate that the hub has on record and has not revoked. Its dates do not count: without a network it cannot be renewed.
	 * @throws Fault `rule-violation`
	 */
	function assertKnown({ gateway_id: id, hub, certificate }: BundleHeader): GatewayRecord {
		if (hub !== hubName(caPem)) throw bundleFault(`it is sealed for another hub (${hub.slice(0, 23)}…)`);
		const record = gateways.find(id);
		if (record === null) throw bundleFault(`its gateway ${id} is not enrolled here`);
		if (record.revokedAt !== null) throw bundleFault(`its gateway ${id} is revoked`);
		if (!isOnRecord(record, certificate)) throw bundleFault(`its certificate is none of gateway ${id}, or no longer`);
		return record;
	}

	function isOnRecord({ certificates }: GatewayRecord, certPem: string): boolean {
		try {
			const { fingerprint } = factsOf(certPem);
			return isSignedBy(certPem, caPem) && certificates.some((known) => known.fingerprint === fingerprint);
		} catch {
			return false;
		}
	}

	async function store(gateway: GatewayId, { kind, payload }: BundleItem, counts: Counts): Promise<void> {
		if (kind !== 'backfill') {
			await deps.take(gateway, kind, payload);
			return;
		}
		const { stored, duplicates, refused } = await deps.ingest(gateway, payload);
		counts.stored += stored;
		counts.duplicates += duplicates;
		counts.refused += refused;
	}

	function receiptFor({ bundle_id }: BundleHeader, gateway: GatewayId): string {
		const { received, losses } = deps.held(gateway);
		const receipt: BundleReceipt = {
			bundle_id,
			gateway_id: gateway,
			created_at: clock.now(),
			received: newest(received),
			losses: newest(losses),
		};
		return signReceipt(receipt, deps.signingKey);
	}

	/**
	 * @param assertMay called with the gateway's record before anything is stored; throws when the caller may not
	 * @throws Fault `rule-violation` naming `bundle`: damaged, changed, of another hub or an unknown gateway; `unavailable`: it may be tried
	 * again, and what was stored meanwhile is not stored twice
	 */
	return async (path: string, assertMay: (record: GatewayRecord) => void): Promise<ImportResult> => {
		const bundle = await openBundle(path);
		try {
			const record = assertKnown(bundle.header);
			assertMay(record);
			await bundle.verify();
			const counts: Counts = { stored: 0, duplicates: 0, refused: 0 };
			const items = bundle.items(deps.privateKey);
			let next = await items.next();
			for (; next.done !== true; next = await items.next()) await store(record.id, next.value, counts);
			log.info('bundle-imported', { gateway: record.id, ...counts });
			return { gateway: record.id, ...counts, summary: next.value, receipt: receiptFor(bundle.header, record.id) };
		} catch (error) {
			const reason = error instanceof Fault ? error.message : 'a defect';
			log.warn('bundle-refused', { gateway: bundle.header.gateway_id, reason });
			throw error;
		} finally {
			await bundle.close();
		}
	};
}

interface Counts {
	stored: number;
	duplicates: number;
	refused: number;
}

export type BundleImport = ReturnType<typeof createBundleImport>;
