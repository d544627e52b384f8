import 'reflect-metadata';

import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

import * as x509 from '@peculiar/x509';

import type { EpochMs } from '../kernel/clock.ts';
import { ALGORITHM, type Credential, exportKey, newKeys, provenKey } from './certificate.ts';

/** A certificate authority of this box, with its key in memory. */
export interface Authority {
	readonly caPem: string;
	readonly certificate: x509.X509Certificate;
	readonly key: webcrypto.CryptoKey;
}

const DAY_MS = 86_400_000;

/**
 * A box without a clock battery wakes in the past, and a certificate that is "not yet valid" would keep it away for ever, so validity
 * starts at the epoch. What protects is the pinned authority, not the first day.
 */
export const ALWAYS = new Date(0);

/** An authority is made once, maybe by a box that does not know the year: its end does not depend on the clock. */
const FOR_GOOD = new Date(Date.UTC(2099, 11, 31));

/** 126 random bits; the first digit keeps the number positive and of full length. */
const newSerial = (): string =>
	Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
		.toString('hex')
		.replace(/^[089a-f]/, '7');

/** Makes an authority that signs certificates and no further authorities. @param limits to what names it is kept; none: to no names */
export async function makeAuthority(commonName: string, limits: readonly x509.Extension[] = []): Promise<Authority> {
	const keys = await newKeys();
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		serialNumber: newSerial(),
		name: [{ CN: [commonName] }],
		notBefore: ALWAYS,
		notAfter: FOR_GOOD,
		keys,
		signingAlgorithm: ALGORITHM,
		extensions: [
			new x509.BasicConstraintsExtension(true, 0, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
			await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
			...limits,
		],
	});
	return { caPem: certificate.toString('pem'), certificate, key: keys.privateKey };
}

interface Issue {
	readonly commonName: string;
	readonly publicKey: webcrypto.CryptoKey | x509.PublicKey;
	readonly notBefore: Date;
	readonly notAfter: Date;
	readonly extensions: readonly x509.Extension[];
}

async function issue(authority: Authority, { commonName, publicKey, notBefore, notAfter, extensions }: Issue) {
	return await x509.X509CertificateGenerator.create({
		serialNumber: newSerial(),
		subject: [{ CN: [commonName] }],
		issuer: authority.certificate.subject,
		notBefore,
		notAfter,
		publicKey,
		signingKey: authority.key,
		signingAlgorithm: ALGORITHM,
		extensions: [
			new x509.BasicConstraintsExtension(false, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
			await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
			...extensions,
		],
	});
}

/** Validity of a certificate; the first day at most `EpochMs` 0. */
export interface Validity {
	readonly notBefore: Date;
	readonly notAfter: Date;
}

/** A key pair and a certificate for a TLS server under these names (DNS names and addresses, at least one). */
export async function issueServer(
	authority: Authority,
	{
		commonName,
		names,
		notBefore,
		notAfter,
	}: Validity & { readonly commonName: string; readonly names: readonly string[] },
): Promise<Credential> {
	const keys = await newKeys();
	const alternatives = names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
	const certificate = await issue(authority, {
		commonName,
		publicKey: keys.publicKey,
		notBefore,
		notAfter,
		extensions: [
			new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
			new x509.SubjectAlternativeNameExtension(alternatives),
		],
	});
	return { certPem: certificate.toString('pem'), keyPem: await exportKey(keys.privateKey) };
}

/**
 * A certificate for a TLS client, named as the authority says and not as the request does.
 * @throws Fault `rule-violation` naming `csr` when the request does not prove possession of its key
 */
export async function issueClient(
	authority: Authority,
	{
		commonName,
		csrPem,
		now,
		days,
	}: { readonly commonName: string; readonly csrPem: string; readonly now: EpochMs; readonly days: number },
): Promise<string> {
	const certificate = await issue(authority, {
		commonName,
		publicKey: await provenKey(csrPem),
		notBefore: ALWAYS,
		notAfter: new Date(now + days * DAY_MS),
		extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
	});
	return certificate.toString('pem');
}
