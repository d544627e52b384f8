import { join } from 'node:path';

import { type HttpPart, part } from '../../core/http/server.ts';
import { encodeBlock } from '../../core/journal/block-codec.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { Uplink } from '../uplink/uplink.ts';
import type { UplinkStore } from '../uplink/uplink-store.ts';
import { openAwaitedReceipts } from './awaited-receipts.ts';
import { type BundleExportDeps, createBundleExport } from './bundle-export.ts';
import { bundleRoutes } from './bundle-routes.ts';
import { openHubBundleKey } from './hub-bundle-key.ts';

export interface BundlePartDeps extends Pick<BundleExportDeps, 'gatewayId' | 'journal' | 'settle' | 'clock'> {
	/** Folder of everything durable. */
	readonly data: string;
	readonly store: Pick<UplinkStore, 'enrolment'>;
	readonly log: Logger;
}

/** The backlog that is carried to the hub, sealed with the key that the hub has told. */
export async function openBundles({ data, store, log, ...deps }: BundlePartDeps) {
	const caPem = (): string | null => store.enrolment()?.caPem ?? null;
	const key = await openHubBundleKey({ path: join(data, 'hub-bundle-key.json'), caPem, log });
	const receipts = await openAwaitedReceipts(join(data, 'awaited-receipts.json'), log);
	return {
		features: [key.feature, receipts.feature],
		routes({
			owed,
			sealedOwed,
			documents,
			acknowledge,
		}: Pick<Uplink, 'owed' | 'sealedOwed' | 'documents' | 'acknowledge'>): readonly HttpPart[] {
			const bundle = createBundleExport({
				...deps,
				enrolment: store.enrolment,
				hubKeyPem: () => key.current(),
				encode: (readings) => encodeBlock(readings),
				owed,
				sealedOwed,
				documents,
				expectReceipt: receipts.expect,
			});
			const options = { gatewayId: deps.gatewayId, bundle, caPem, takeReceipt: receipts.take, acknowledge };
			return [part(bundleRoutes, options, '/api/v1')];
		},
	};
}
