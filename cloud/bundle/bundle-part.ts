import { KeyObject } from 'node:crypto';
import { join } from 'node:path';

import { bundleKeyMessage } from '../../core/bundle/bundle-messages.ts';
import { type HttpPart, part } from '../../core/http/server.ts';
import type { Clock } from '../../core/kernel/clock.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { HubLinkFeature } from '../../core/link/link-feature.ts';
import type { LinkTrust } from '../enrolment/link-trust.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import type { LedgerPart } from '../ingest/ledger-part.ts';
import type { HubLink } from '../link/hub-link.ts';
import type { LanesPart } from '../link/lanes-part.ts';
import type { LaterLink } from '../link/later-link.ts';
import { createBundleImport } from './bundle-import.ts';
import { openBundleKey } from './bundle-key-store.ts';
import { bundleRoutes } from './bundle-routes.ts';
import { openBundleUploads } from './bundle-uploads.ts';

export interface HubBundleDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly gateways: Pick<GatewayRepository, 'find'>;
	readonly trust: Pick<LinkTrust, 'authority'>;
	readonly ledger: Pick<LedgerPart, 'ledger'>;
	readonly lanes: Pick<LanesPart, 'ingest'>;
	readonly link: Pick<LaterLink, 'send'>;
	/** Free space that uploads leave to others, bytes. */
	readonly minFreeBytes: number;
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Backlogs that are carried here: gateways are told the key for which they seal them. */
export async function openBundles(deps: HubBundleDeps) {
	const { data, gateways, trust, lanes, link, minFreeBytes, lifecycle, clock, log } = deps;
	const { authority } = trust;
	const { ledger } = deps.ledger;
	const key = await openBundleKey(join(data, 'bundle.key'), log);
	const feature: HubLinkFeature = {
		hears: {},
		begin: (gateway) => void link.send(gateway, 'bundle', bundleKeyMessage(key.publicKey)),
	};
	return {
		feature,
		/** Takes bundles in from now on. @param take takes what is no reading as the link would */
		async receive(take: HubLink['take']): Promise<readonly HttpPart[]> {
			const uploads = lifecycle.own(
				'bundle uploads',
				await openBundleUploads({
					folder: join(data, 'bundles'),
					importBundle: createBundleImport({
						gateways,
						caPem: authority.caPem,
						signingKey: KeyObject.from(authority.key),
						privateKey: key.privateKey,
						ingest: (gateway, block) => lanes.ingest.ingest(gateway, 'backfill', block),
						take,
						held: (gateway) => ({ received: ledger.receivedFrom(gateway, 0), losses: ledger.lostOf(gateway) }),
						clock,
						log,
					}),
					minFreeBytes,
					clock,
					log,
				}),
			);
			return [part(bundleRoutes, { uploads }, '/api/v1')];
		},
	};
}
