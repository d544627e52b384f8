import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/fault.ts';
import type { Stoppable } from '../kernel/lifecycle.ts';
import type { Logger } from '../kernel/log.ts';
import { ALWAYS, type Authority, issueServer, type Validity } from './authority.ts';
import type { Credential } from './certificate.ts';

/** What a TLS listener needs. */
export interface ServerTls {
	readonly key: string;
	readonly cert: string;
	/** The authority's certificate. */
	readonly ca: string;
}

/** The present certificate of this machine, which is made anew while it runs. */
export interface ServerCertificate extends Stoppable {
	readonly current: () => ServerTls;
	/** Tells of each new certificate: to be handed to `setSecureContext`. */
	readonly onChange: (listener: (tls: ServerTls) => void) => void;
	/** Makes a new certificate when names or time ask for one. Happens by itself; tests call it. */
	readonly check: () => Promise<void>;
}

export interface ServerCertificateDeps {
	readonly authority: Authority;
	readonly commonName: string;
	/** Names and addresses of this machine now; asked at each check. */
	readonly names: () => readonly string[];
	/**
	 * `always`: for gateways, whose clock may be in the past. `backdated`: for phones and browsers, which refuse certificates that are valid
	 * for longer than 825 days.
	 */
	readonly validity: 'always' | 'backdated';
	readonly clock: Clock;
	readonly log: Logger;
	/** Time between two checks, ms. */
	readonly checkMs?: number;
}

const DAY_MS = 86_400_000;
const LIFETIME_MS = 360 * DAY_MS;
/** Phones and computers whose clock is somewhat behind. */
const BACKDATED_MS = 30 * DAY_MS;
/** A third of its life before the end, as with the gateways' certificates. */
const RENEW_BEFORE_MS = 120 * DAY_MS;
/** A clock that was set (a box without a battery learns the time after its start), or an address that changed, must not stand for an hour. */
const CHECK_MS = 60_000;

const VALIDITY: Readonly<Record<ServerCertificateDeps['validity'], (now: number) => Validity>> = {
	always: (now) => ({ notBefore: ALWAYS, notAfter: new Date(now + LIFETIME_MS) }),
	backdated: (now) => ({ notBefore: new Date(Math.max(0, now - BACKDATED_MS)), notAfter: new Date(now + LIFETIME_MS) }),
};

interface Issued {
	readonly credential: Credential;
	readonly names: string;
	readonly validity: Validity;
}

/** A server certificate whose key lives in memory only: made at each start, when the names change, and in time before it expires. */
export async function openServerCertificate(deps: ServerCertificateDeps): Promise<ServerCertificate> {
	const { authority, commonName, clock, log, checkMs = CHECK_MS } = deps;
	const listeners: ((tls: ServerTls) => void)[] = [];
	let issued = await make();
	let checking: Promise<void> = Promise.resolve();

	async function make(): Promise<Issued> {
		const names = deps.names();
		const validity = VALIDITY[deps.validity](clock.now());
		const credential = await issueServer(authority, { commonName, names, ...validity });
		return { credential, names: names.join(' '), validity };
	}

	/** Why another one is needed; `null`: it is not. */
	function reasonToRenew(): string | null {
		const now = clock.now();
		const { notBefore, notAfter } = issued.validity;
		if (deps.names().join(' ') !== issued.names) return 'the addresses of this machine have changed';
		if (now < notBefore.getTime()) return 'the clock was set back';
		return now > notAfter.getTime() - RENEW_BEFORE_MS ? 'it comes to its end' : null;
	}

	const current = (): ServerTls => ({
		key: issued.credential.keyPem,
		cert: issued.credential.certPem,
		ca: authority.caPem,
	});

	async function renewIfDue(): Promise<void> {
		const reason = reasonToRenew();
		if (reason === null) return;
		try {
			issued = await make();
		} catch (error) {
			log.error('server-certificate-not-made', { name: commonName, reason: messageOf(error) });
			return;
		}
		log.info('server-certificate-renewed', { name: commonName, reason });
		for (const listener of listeners) listener(current());
	}

	const check = (): Promise<void> => (checking = checking.then(renewIfDue));
	const timer = setInterval(() => void check(), checkMs).unref();

	return {
		current,
		onChange: (listener) => void listeners.push(listener),
		check,
		async stop() {
			clearInterval(timer);
			await checking;
		},
	};
}
