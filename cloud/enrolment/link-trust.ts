import type { Clock } from '../../core/kernel/clock.ts';
import type { Lifecycle } from '../../core/kernel/lifecycle.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { LINK_SERVER_NAME } from '../../core/link/enrolment.ts';
import { openAuthority } from '../../core/pki/authority-store.ts';
import { hostNames } from '../../core/pki/host-names.ts';
import { openServerCertificate } from '../../core/pki/server-certificate.ts';
import type { GatewayRepository } from '../fleet/gateway-record.ts';
import { createGatewayCertificates } from './gateway-certificates.ts';

export interface LinkTrustDeps {
	/** Folder of everything durable. */
	readonly data: string;
	readonly gateways: GatewayRepository;
	/** Names by which gateways reach the hub and that the machine does not know itself. */
	readonly publicNames: readonly string[];
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}

/** How hub and gateways prove themselves to each other: the link's own authority, the hub's certificate of it and those of the gateways. */
export async function openLinkTrust({ data, gateways, publicNames, lifecycle, clock, log }: LinkTrustDeps) {
	const commonName = 'Drawbridge link authority';
	const authority = await openAuthority({ folder: data, name: 'link', commonName, isLocal: false, log });
	const certificate = lifecycle.own(
		'link certificate',
		await openServerCertificate({
			authority,
			commonName: 'Drawbridge hub',
			names: () => [LINK_SERVER_NAME, ...hostNames(), ...publicNames],
			validity: 'always',
			clock,
			log,
		}),
	);
	return { authority, certificate, certificates: createGatewayCertificates({ gateways, authority, clock, log }) };
}

export type LinkTrust = Awaited<ReturnType<typeof openLinkTrust>>;
