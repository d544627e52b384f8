import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { openAuthority } from '../pki/authority-store.ts';
import { factsOf } from '../pki/certificate.ts';
import { hostNames } from '../pki/host-names.ts';
import { withinLimits } from '../pki/name-limits.ts';
import { openServerCertificate, type ServerCertificate } from '../pki/server-certificate.ts';

/** How this box proves itself on the local network: to browsers over HTTPS, to devices over MQTT with TLS. */
export interface LanTls extends ServerCertificate {
	readonly caPem: string;
	/** SHA-256 of the authority's certificate, `AB:CD:…`: what a person compares. */
	readonly fingerprint: string;
}

/** The authority of this one box, made at its first start, and its present certificate for all names and addresses of the machine. */
export async function openLanTls({
	data,
	isLocal,
	moreNames,
	lifecycle,
	clock,
	log,
}: {
	readonly data: string;
	/** The root is for the local network only: whoever steals this box's key can be nothing else to those who trust it. */
	readonly isLocal: boolean;
	/** Names that the machine does not know itself: of a DNS server, of a port forwarding. */
	readonly moreNames: readonly string[];
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}): Promise<LanTls> {
	const commonName = 'Drawbridge local authority';
	const authority = await openAuthority({ folder: data, name: 'lan', commonName, isLocal, log });
	const certificate = lifecycle.own(
		'lan certificate',
		await openServerCertificate({
			authority,
			commonName: 'Drawbridge',
			names: () => withinLimits(authority.certificate, [...hostNames(), ...moreNames]),
			validity: 'backdated',
			clock,
			log,
		}),
	);
	const { fingerprint } = factsOf(authority.caPem);
	// On the console, where nobody in between can change it.
	log.info('lan-authority', { sha256: fingerprint });
	return { ...certificate, caPem: authority.caPem, fingerprint };
}
