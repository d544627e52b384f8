import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TLSSocket, connect, createServer } from 'node:tls';

import type { Clock } from '../../../core/kernel/clock.ts';
import type { Stoppable } from '../../../core/kernel/lifecycle.ts';
import { silentLog } from '../../../core/kernel/log.ts';
import { LINK_SERVER_NAME } from '../../../core/link/enrolment.ts';
import { ALWAYS, issueServer } from '../../../core/pki/authority.ts';
import { openAuthority } from '../../../core/pki/authority-store.ts';
import { listenOnLoopback } from '../../../gateway/simulator/listen.ts';
import { member } from '../kit/rest.ts';
import { createPacketCutter, isPublish } from './mqtt-packets.ts';

/** What happens to messages on their way, in both directions. Everything else passes unchanged. */
export type MiddleMode = 'pass' | 'duplicate' | 'reorder';

/**
 * A broker that delivers twice and out of order, as one may that is between gateway and hub. TLS allows nobody to do that on the wire, so it
 * ends the gateway's session with a certificate of the hub's authority and opens the hub's with that of the gateway: both folders are ours.
 */
export interface LinkMiddle extends Stoppable {
	readonly port: number;
	setMode(mode: MiddleMode): void;
	/** Messages that were sent twice, and those that were overtaken. */
	changed(): number;
}

export interface LinkMiddleOptions {
	readonly hubFolder: string;
	/** Where `uplink.json` is, once the gateway has enrolled. */
	readonly gatewayFolder: () => string;
	readonly hubPort: number;
	readonly clock: Clock;
}

/** A message that nothing overtakes is let go after this long. */
const HELD_MS = 400;
const YEAR_MS = 365 * 86_400_000;

/** The gateway's certificates, the newest first; read at each connection, because they are renewed. */
function credentialsOf(folder: string): { readonly certPem: string; readonly keyPem: string } {
	const enrolment = member(JSON.parse(readFileSync(join(folder, 'uplink.json'), 'utf8')), 'enrolment');
	const own = member(enrolment, 'next') ?? member(enrolment, 'own');
	return { certPem: String(member(own, 'certPem')), keyPem: String(member(own, 'keyPem')) };
}

export async function startLinkMiddle(options: LinkMiddleOptions): Promise<LinkMiddle> {
	const authority = await openAuthority({
		folder: options.hubFolder,
		name: 'link',
		commonName: 'not made here',
		isLocal: false,
		log: silentLog,
	});
	const own = await issueServer(authority, {
		commonName: 'Middle',
		names: [LINK_SERVER_NAME],
		notBefore: ALWAYS,
		notAfter: new Date(options.clock.now() + 100 * YEAR_MS),
	});
	const open = new Set<() => void>();
	let mode: MiddleMode = 'pass';
	let changed = 0;

	/** One direction: whole packets in, whole packets out. */
	function relay(from: TLSSocket, to: TLSSocket): () => void {
		const cut = createPacketCutter();
		let held: Buffer | null = null;
		let timer: NodeJS.Timeout | null = null;

		function letGo(): void {
			if (timer !== null) clearTimeout(timer);
			timer = null;
			if (held !== null) to.write(held);
			held = null;
		}

		function pass(packet: Buffer): void {
			if (!isPublish(packet) || mode === 'pass') {
				to.write(packet);
				return;
			}
			changed += 1;
			if (mode === 'duplicate') {
				to.write(packet);
				to.write(packet);
			} else if (held === null) {
				held = packet;
				timer = setTimeout(letGo, HELD_MS);
			} else {
				to.write(packet);
				letGo();
			}
		}

		from.on('data', (chunk: Buffer) => {
			for (const packet of cut(chunk)) pass(packet);
			if (to.writableNeedDrain) from.pause();
		});
		to.on('drain', () => from.resume());
		return () => {
			if (timer !== null) clearTimeout(timer);
		};
	}

	function splice(near: TLSSocket): void {
		const { certPem, keyPem } = credentialsOf(options.gatewayFolder());
		const far = connect({
			host: '127.0.0.1',
			port: options.hubPort,
			servername: LINK_SERVER_NAME,
			ca: authority.caPem,
			cert: certPem,
			key: keyPem,
			// The clock of the hub may stand anywhere.
			rejectUnauthorized: false,
		});
		near.setNoDelay(true);
		far.setNoDelay(true);
		const ends = [relay(near, far), relay(far, near)];
		function destroy(): void {
			for (const end of ends) end();
			open.delete(destroy);
			near.destroy();
			far.destroy();
		}
		open.add(destroy);
		for (const socket of [near, far]) {
			socket.on('error', destroy);
			socket.once('close', destroy);
		}
	}

	const server = createServer(
		{ key: own.keyPem, cert: own.certPem, ca: authority.caPem, requestCert: true, rejectUnauthorized: false },
		splice,
	);
	server.on('tlsClientError', () => undefined);
	const port = await listenOnLoopback(server, 0);
	return {
		port,
		setMode: (next) => void (mode = next),
		changed: () => changed,
		async stop() {
			for (const destroy of open) destroy();
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
			});
		},
	};
}
