import type { Clock } from '../kernel/clock.ts';
import type { Lifecycle } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { openAuthority } from '../pki/authority-store.ts';
import { factsOf } from '../pki/certificate.ts';
import { hostNames } from '../pki/host-names.ts';
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
	moreNames,
	lifecycle,
	clock,
	log,
}: {
	readonly data: string;
	/** Names that the machine does not know itself: of a DNS server, of a port forwarding. */
	readonly moreNames: readonly string[];
	readonly lifecycle: Lifecycle;
	readonly clock: Clock;
	readonly log: Logger;
}): Promise<LanTls> {
	const authority = await openAuthority({ folder: data, name: 'lan', commonName: 'Drawbridge local authority', log });
	const certificate = lifecycle.own(
		'lan certificate',
		await openServerCertificate({
			authority,
			commonName: 'Drawbridge',
			names: () => [...hostNames(), ...moreNames],
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
