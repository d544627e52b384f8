import 'reflect-metadata';

import { readFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';

import * as x509 from '@peculiar/x509';

import type { Clock } from '../../core/kernel/clock.ts';
import { LINK_SERVER_NAME } from '../../core/link/enrolment.ts';
import { messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { writeFileDurably } from '../../core/storage/json-file.ts';
import { moveAside } from '../../core/storage/move-aside.ts';

/** What the link's TLS listener needs, and what gateways are given to check it with. */
export interface LinkCertificates {
	readonly caPem: string;
	readonly certPem: string;
	readonly keyPem: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const CA_DAYS = 20 * 365;
const SERVER_DAYS = 825;
/**
 * A gateway without a clock battery wakes in the past; a certificate that is "not yet valid" would keep it from the hub for ever, so
 * validity starts at the epoch. What protects here is the pinned authority, not the first day.
 */
const ALWAYS = new Date(0);

async function readText(path: string): Promise<string | null> {
	try {
		return await readFile(path, 'utf8');
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
		throw error;
	}
}

async function importKeys(privatePem: string): Promise<webcrypto.CryptoKey> {
	const der = x509.PemConverter.decodeFirst(privatePem);
	return await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
	return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
	webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

const serial = (): string =>
	Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
		.toString('hex')
		.replace(/^[89a-f]/, '7');

const isIp = (text: string): boolean => /^[0-9.]+$/.test(text) || text.includes(':');

/** The name that gateways check, and those that a person's tools may use for the hub. */
function serverNames(publicHost: string): readonly { readonly type: 'dns' | 'ip'; readonly value: string }[] {
	const addresses = Object.values(networkInterfaces()).flatMap(
		(list) => list?.map(({ address }) => address.split('%')[0] ?? '') ?? [],
	);
	const names = new Set(
		[LINK_SERVER_NAME, 'localhost', '127.0.0.1', '::1', hostname(), ...addresses, publicHost].filter(
			(name) => name !== '',
		),
	);
	return [...names].map((value) => ({ type: isIp(value) ? ('ip' as const) : ('dns' as const), value }));
}

interface Authority {
	readonly certificate: x509.X509Certificate;
	readonly key: webcrypto.CryptoKey;
}

/** Whether the key made the certificate's signature, which is the authority's own. */
const isPair = (certificate: x509.X509Certificate, keyPem: string): boolean =>
	new X509Certificate(certificate.toString('pem')).checkPrivateKey(createPrivateKey(keyPem));

/**
 * The authority of an earlier start; `null` when there is none. A damaged one is put aside and said: the hub then gets another, and every
 * gateway has to be enrolled again, because each trusts the old one only.
 */
async function savedAuthority(caPath: string, keyPath: string, log: Logger): Promise<Authority | null> {
	const [ca, key] = await Promise.all([readText(caPath), readText(keyPath)]);
	if (ca === null && key === null) return null;
	try {
		const certificate = new x509.X509Certificate(ca ?? '');
		if (!isPair(certificate, key ?? '')) throw new Error('the key is not that of the certificate');
		return { certificate, key: await importKeys(key ?? '') };
	} catch (error) {
		const movedTo: string[] = [];
		if (ca !== null) movedTo.push(await moveAside(caPath));
		if (key !== null) movedTo.push(await moveAside(keyPath));
		log.error('link-authority-lost', { reason: messageOf(error), movedTo: movedTo.join(', ') });
		return null;
	}
}

async function makeAuthority(now: number): Promise<Authority> {
	const keys = await newKeys();
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		serialNumber: serial(),
		name: 'CN=Drawbridge link authority',
		notBefore: ALWAYS,
		notAfter: new Date(now + CA_DAYS * DAY_MS),
		keys,
		signingAlgorithm: ALGORITHM,
		extensions: [
			new x509.BasicConstraintsExtension(true, 0, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
			await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
		],
	});
	return { certificate, key: keys.privateKey };
}

/**
 * The hub's own certificate authority (made at the first start, kept for good, keys readable by the service only) and a server certificate
 * that is made anew at each start, so that it always names the machine's present addresses.
 */
export async function openLinkCertificates({
	folder,
	publicHost,
	clock,
	log,
}: {
	readonly folder: string;
	readonly publicHost: string;
	readonly clock: Clock;
	readonly log: Logger;
}): Promise<LinkCertificates> {
	x509.cryptoProvider.set(webcrypto);
	const caPath = join(folder, 'link-ca.pem');
	const keyPath = join(folder, 'link-ca.key');
	const now = clock.now();
	let authority = await savedAuthority(caPath, keyPath, log);
	if (authority === null) {
		authority = await makeAuthority(now);
		await writeFileDurably(keyPath, await exportKey(authority.key));
		await writeFileDurably(caPath, authority.certificate.toString('pem'));
	}

	const serverKeys = await newKeys();
	const server = await x509.X509CertificateGenerator.create({
		serialNumber: serial(),
		subject: 'CN=Drawbridge hub',
		issuer: authority.certificate.subject,
		notBefore: ALWAYS,
		notAfter: new Date(now + SERVER_DAYS * DAY_MS),
		publicKey: serverKeys.publicKey,
		signingKey: authority.key,
		signingAlgorithm: ALGORITHM,
		extensions: [
			new x509.BasicConstraintsExtension(false, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
			new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
			new x509.SubjectAlternativeNameExtension([...serverNames(publicHost)]),
			await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
		],
	});
	return {
		caPem: authority.certificate.toString('pem'),
		certPem: server.toString('pem'),
		keyPem: await exportKey(serverKeys.privateKey),
	};
}
