import type { Clock } from '../../core/kernel/clock.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { isRenewalDue } from '../../core/link/link-certificate.ts';
import { linkMessage } from '../../core/link/link-messages.ts';
import { type Credential, factsOf, requestCertificate } from '../../core/pki/certificate.ts';
import type { Link } from './link-connection.ts';
import { isUsable } from './own-certificate.ts';
import type { Enrolment, UplinkStore } from './uplink-store.ts';

export interface CertificateRenewalDeps {
	readonly store: Pick<UplinkStore, 'gatewayId' | 'enrolment' | 'changeCertificates'>;
	readonly link: () => Pick<Link, 'publish' | 'renew'> | null;
	readonly clock: Clock;
	readonly log: Logger;
}

/** A request that is not answered for so long is made again when there is occasion. */
const ANSWER_MS = 60_000;

/** What opens a connection to the hub, the newest first. */
export const credentialsOf = ({ own, next }: Enrolment): readonly Credential[] => (next === null ? [own] : [next, own]);

const isSame = (a: Credential, b: Credential | null): boolean => a.certPem === b?.certPem;

/**
 * The gateway's next certificate, with a new key each time. At every step there is one on the disk that the hub lets in: the next one is kept
 * beside the present one until a connection has stood on it, and the hub forgets the present one only at that connection.
 */
export function createCertificateRenewal({ store, link, clock, log }: CertificateRenewalDeps) {
	/** The request that waits for its answer. */
	let asked: { readonly keyPem: string; readonly atMs: number } | null = null;
	let isAsking = false;

	const refused = (step: string, error: unknown): void =>
		log.warn('certificate-not-renewed', { step, reason: messageOf(error) });

	async function sendRequest(): Promise<void> {
		const { keyPem, csrPem } = await requestCertificate(store.gatewayId());
		const current = link();
		if (current === null) return;
		asked = { keyPem, atMs: clock.monotonicMs() };
		await current.publish('renew', linkMessage('renew', { csrPem }), 1);
	}

	/** Changes the certificates of the enrolment that this began with; another one has its own. */
	function change(enrolment: Enrolment, changed: Pick<Enrolment, 'own' | 'next'>): Promise<void> {
		return store.changeCertificates((current) => (isSame(enrolment.own, current.own) ? changed : current));
	}

	/** Asks for the next certificate, because the hub says so. */
	function ask(): void {
		const isWaiting = asked !== null && clock.monotonicMs() - asked.atMs < ANSWER_MS;
		if (isAsking || isWaiting || store.enrolment() === null) return;
		isAsking = true;
		sendRequest()
			.catch((error: unknown) => refused('request', error))
			.finally(() => (isAsking = false));
	}

	async function keep(enrolment: Enrolment, next: Credential): Promise<void> {
		await change(enrolment, { own: enrolment.own, next });
		log.info('certificate-renewed', { serial: factsOf(next.certPem).serial });
		link()?.renew('the certificate was renewed');
	}

	return {
		ask,
		/** Asks for the next certificate when a third of the present one's life is left. */
		check(): void {
			const enrolment = store.enrolment();
			if (enrolment !== null && isRenewalDue(factsOf(enrolment.own.certPem).expiresAt, clock.now())) ask();
		},
		/** The hub's answer: kept, then used by a new connection. */
		take(certPem: string): void {
			const enrolment = store.enrolment();
			const request = asked;
			asked = null;
			if (enrolment === null || request === null) return;
			const next = { certPem, keyPem: request.keyPem };
			if (!isUsable(next, enrolment.caPem)) {
				refused('answer', 'the hub has answered with a certificate that is not for the key of this gateway');
				return;
			}
			keep(enrolment, next).catch((error: unknown) => refused('keep', error));
		},
		/** A connection stands on this certificate: the other one is over. */
		came(credential: Credential): void {
			const enrolment = store.enrolment();
			if (enrolment === null || enrolment.next === null) return;
			const isNext = isSame(credential, enrolment.next);
			// The hub knows the next one no more: it was restored from a backup, say.
			if (!isNext) log.warn('next-certificate-void');
			change(enrolment, { own: isNext ? enrolment.next : enrolment.own, next: null }).catch((error: unknown) =>
				refused('use', error),
			);
		},
		/** The connection has ended, and what was asked on it with it. */
		forget(): void {
			asked = null;
		},
	};
}
