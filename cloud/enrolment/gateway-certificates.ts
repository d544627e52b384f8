import { createRateLimiter } from '../../core/http/rate-limit.ts';
import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { isRenewalDue, LINK_CERTIFICATE_DAYS } from '../../core/link/link-certificate.ts';
import { type Authority, issueClient } from '../../core/pki/authority.ts';
import { type CertificateFacts, factsOf } from '../../core/pki/certificate.ts';
import type { GatewayRecord, GatewayRepository } from '../fleet/gateway-record.ts';

/**
 * A certificate that has expired may come for so long, to be renewed and for nothing else: a gateway that was in a drawer finds back by
 * itself.
 */
const GRACE_MS = 30 * 86_400_000;

/** Renewals of one gateway; each costs a signature and a write to the disk. */
const RENEWALS_PER_MINUTE = 6;

/** What a certificate opens: `valid` everything of its gateway, `expired` its renewal only. */
export type Standing = 'valid' | 'expired';

export interface GatewayCertificatesDeps {
	readonly gateways: GatewayRepository;
	readonly authority: Authority;
	readonly clock: Clock;
	readonly log: Logger;
}

const unknownCertificate = (id: GatewayId): Fault =>
	new Fault('forbidden', `the certificate is none of gateway ${id}, or no longer`);

function find(record: GatewayRecord | null, fingerprint: string): CertificateFacts | undefined {
	if (record === null || record.revokedAt !== null) return undefined;
	return record.certificates.find((certificate) => certificate.fingerprint === fingerprint);
}

/** The certificates of gateways: issued, let in, renewed. Only those in the gateway's record count, whatever the authority has signed. */
export function createGatewayCertificates({ gateways, authority, clock, log }: GatewayCertificatesDeps) {
	const limiter = createRateLimiter({ clock, perMinute: RENEWALS_PER_MINUTE });

	/** `null`: nobody, or not any more. Asked at each message too, so that a revocation leaves no gap. */
	function standing(id: GatewayId, fingerprint: string): Standing | null {
		const certificate = find(gateways.find(id), fingerprint);
		if (certificate === undefined) return null;
		const pastMs = clock.now() - certificate.expiresAt;
		if (pastMs <= 0) return 'valid';
		return pastMs <= GRACE_MS ? 'expired' : null;
	}

	/** Signs a certificate of a gateway; it is let in once it stands in the record. @throws Fault `rule-violation` naming `csr` */
	async function issue(id: GatewayId, csrPem: string): Promise<CertificateFacts & { readonly certPem: string }> {
		const days = LINK_CERTIFICATE_DAYS;
		const certPem = await issueClient(authority, { commonName: id, csrPem, now: clock.now(), days });
		return { ...factsOf(certPem), certPem };
	}

	/** A gateway has come with this certificate: those before it are over. Durable when it resolves. @throws Fault `forbidden` */
	async function used(id: GatewayId, fingerprint: string): Promise<void> {
		const record = gateways.find(id);
		if (find(record, fingerprint) !== undefined && record?.certificates[0]?.fingerprint === fingerprint) return;
		await gateways.change(id, (current) => {
			if (current === null || find(current, fingerprint) === undefined) throw unknownCertificate(id);
			const at = current.certificates.findIndex((certificate) => certificate.fingerprint === fingerprint);
			return { ...current, certificates: current.certificates.slice(at) };
		});
		log.info('gateway-certificate-used', { gateway: id, fingerprint });
	}

	/** When the certificate expires, if it is to be renewed now; `null`: it is not. */
	function expiring(id: GatewayId, fingerprint: string): EpochMs | null {
		const certificate = find(gateways.find(id), fingerprint);
		if (standing(id, fingerprint) === null) return null;
		return certificate !== undefined && isRenewalDue(certificate.expiresAt, clock.now()) ? certificate.expiresAt : null;
	}

	/**
	 * The next certificate of a gateway, which has come with the present one; in the record before it is handed out, so that whoever gets it
	 * is let in. A second request replaces what the first one brought.
	 * @throws Fault `state-conflict` when it is not due, `rate-limited`, `forbidden`, `rule-violation`
	 */
	async function renew(id: GatewayId, fingerprint: string, csrPem: string): Promise<string> {
		if (expiring(id, fingerprint) === null)
			throw new Fault('state-conflict', `the certificate of gateway ${id} is not to be renewed yet`);
		limiter.take(id);
		const { certPem, serial, fingerprint: next, expiresAt } = await issue(id, csrPem);
		await gateways.change(id, (current) => {
			const present = find(current, fingerprint);
			if (current === null || present === undefined) throw unknownCertificate(id);
			return { ...current, certificates: [present, { serial, fingerprint: next, expiresAt }] };
		});
		log.info('gateway-certificate-renewed', { gateway: id, serial });
		return certPem;
	}

	return { issue, standing, used, expiring, renew };
}

export type GatewayCertificates = ReturnType<typeof createGatewayCertificates>;
