import { createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';

import { type BundleItem, type BundleSummary, hubName } from '../../core/bundle/bundle-format.ts';
import { writeBundle } from '../../core/bundle/bundle-writer.ts';
import type { Journal } from '../../core/journal/journal.ts';
import { readingBytes } from '../../core/journal/reading-bytes.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Range } from '../../core/ledger/range-set.ts';
import { lastSeq, type Reading } from '../../core/telemetry/reading.ts';
import type { SettleTime } from '../../core/time/settle.ts';
import { encodedParts, type EncodeBlock } from '../uplink/blocks.ts';
import type { Enrolment } from '../uplink/uplink-store.ts';

/** Readings of one block. */
const BATCH_SAMPLES = 20_000;
const BATCH_BYTES = 1024 * 1024;

export interface BundleExportDeps {
	readonly gatewayId: GatewayId;
	readonly enrolment: () => Enrolment | null;
	/** The hub's public key, PEM; `null` while it has not told one. */
	readonly hubKeyPem: () => string | null;
	readonly journal: Pick<Journal, 'read' | 'oldest'>;
	readonly encode: EncodeBlock;
	readonly settle: SettleTime;
	/** The parts of a range that the hub has not acknowledged. */
	readonly owed: (epoch: number, first: number, last: number) => readonly Range[];
	/** Readings that the journal has given up and the history has; those that the hub lacks among them. */
	readonly sealedOwed: () => AsyncIterable<readonly Reading[]>;
	/** What else the hub is to know: devices, records, times and losses, each as the link would say it. */
	readonly documents: () => AsyncIterable<BundleItem> | Iterable<BundleItem>;
	/** Told of a bundle before the first byte of it leaves; resolves when it is on disk. */
	readonly expectReceipt: (bundle: string) => Promise<void>;
	readonly clock: Pick<Clock, 'now'>;
}

/** The backlog as a bundle: documents first, then what the hub lacks, oldest first, until the size allows no more. */
export function createBundleExport(deps: BundleExportDeps) {
	const { gatewayId, journal, encode, settle, owed, clock } = deps;

	const isOwed = (reading: Reading): boolean =>
		reading.origin === gatewayId &&
		reading.values.length > 0 &&
		owed(reading.epoch, reading.firstSeq, lastSeq(reading)).length > 0;

	/** Readings that the hub lacks, those first that the journal has given up; ends before the first whose time is not known yet. */
	async function* owedReadings(): AsyncGenerator<readonly Reading[]> {
		for await (const readings of deps.sealedOwed()) yield readings.filter(isOwed);
		for await (const { readings } of journal.read(journal.oldest())) {
			const settled = readings.filter(isOwed).map((reading) => settle(reading));
			if (settled.includes(null)) return;
			yield settled.filter((reading) => reading !== null);
		}
	}

	async function* batches(): AsyncGenerator<readonly Reading[]> {
		let batch: Reading[] = [];
		let samples = 0;
		let bytes = 0;
		for await (const readings of owedReadings()) {
			for (const reading of readings) {
				batch.push(reading);
				samples += reading.values.length;
				bytes += readingBytes(reading);
			}
			if (samples < BATCH_SAMPLES && bytes < BATCH_BYTES) continue;
			yield batch;
			batch = [];
			samples = 0;
			bytes = 0;
		}
		if (batch.length > 0) yield batch;
	}

	async function* content(mostBytes: number): AsyncGenerator<BundleItem, Omit<BundleSummary, 'items'>> {
		let bytes = 0;
		let samples = 0;
		for await (const item of deps.documents()) {
			bytes += item.payload.byteLength;
			yield item;
		}
		for await (const batch of batches()) {
			for (const { body: payload } of encodedParts(batch, encode)) {
				bytes += payload.byteLength;
				yield { kind: 'backfill', payload };
			}
			samples += batch.reduce((sum, { values }) => sum + values.length, 0);
			if (bytes >= mostBytes) return { samples, is_complete: false };
		}
		return { samples, is_complete: true };
	}

	async function* expected(bundle: string, bytes: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
		await deps.expectReceipt(bundle);
		yield* bytes;
	}

	/**
	 * @param mostBytes the bundle ends with the block that reaches it
	 * @throws Fault `state-conflict` without a hub, or while the hub has not told its key
	 */
	return (mostBytes: number): AsyncGenerator<Buffer> => {
		const enrolment = deps.enrolment();
		if (enrolment === null)
			throw new Fault('state-conflict', 'this gateway has no hub for which a bundle could be sealed');
		const hubKeyPem = deps.hubKeyPem();
		if (hubKeyPem === null)
			throw new Fault(
				'state-conflict',
				'the hub has not told its key for bundles yet; it does so with the first connection',
			);
		const header = {
			bundle_id: randomUUID(),
			gateway_id: gatewayId,
			hub: hubName(enrolment.caPem),
			created_at: clock.now(),
			certificate: enrolment.own.certPem,
		};
		const keys = { hubKey: createPublicKey(hubKeyPem), ownKey: createPrivateKey(enrolment.own.keyPem) };
		return expected(header.bundle_id, writeBundle({ header, ...keys }, content(mostBytes)));
	};
}
