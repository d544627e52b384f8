import 'reflect-metadata';

import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';

import * as x509 from '@peculiar/x509';

import { type EpochMs, epochMs } from '../kernel/clock.ts';
import { fieldFault } from '../kernel/fault.ts';

// The library finds an engine by itself in browsers only.
x509.cryptoProvider.set(globalThis.crypto);

/** The one kind of key of the product: ECDSA on P-256, which every TLS stack and every phone knows. */
export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A certificate with its private key, PEM texts. */
export interface Credential {
	readonly certPem: string;
	/** PKCS #8. A secret. */
	readonly keyPem: string;
}

/** What is kept of an issued certificate. */
export interface CertificateFacts {
	/** SHA-256 of the whole certificate as `AB:CD:…`, which is how TLS names a peer's. */
	readonly fingerprint: string;
	/** Upper-case hexadecimal, as tools print it. */
	readonly serial: string;
	readonly expiresAt: EpochMs;
}

/** A fresh private key and the request for a certificate of it. */
export interface CertificateRequest {
	/** PKCS #8. A secret. */
	readonly keyPem: string;
	/** PKCS #10; signed with the key, which proves possession. */
	readonly csrPem: string;
}

/** @throws TypeError when the text is no certificate. */
export function factsOf(certPem: string): CertificateFacts {
	const { fingerprint256, serialNumber, validTo } = new X509Certificate(certPem);
	return { fingerprint: fingerprint256, serial: serialNumber, expiresAt: epochMs(Date.parse(validTo)) };
}

/** Whether the key is that of the certificate. @throws when one of them is none */
export const isPair = ({ certPem, keyPem }: Credential): boolean =>
	new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem));

/** Whether the authority has signed the certificate; its dates do not count. @throws when one of them is none */
export const isSignedBy = (certPem: string, caPem: string): boolean =>
	new X509Certificate(certPem).verify(new X509Certificate(caPem).publicKey);

export const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
	webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

export async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
	return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

export function importKey(keyPem: string): Promise<webcrypto.CryptoKey> {
	const der = x509.PemConverter.decodeFirst(keyPem);
	return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']);
}

/** Makes a key pair and asks for a certificate of it. @param commonName who asks; the authority decides what the certificate says */
export async function requestCertificate(commonName: string): Promise<CertificateRequest> {
	const keys = await newKeys();
	const csr = await x509.Pkcs10CertificateRequestGenerator.create({
		name: [{ CN: [commonName] }],
		keys,
		signingAlgorithm: ALGORITHM,
	});
	return { keyPem: await exportKey(keys.privateKey), csrPem: csr.toString('pem') };
}

const isP256 = (algorithm: unknown): boolean =>
	typeof algorithm === 'object' &&
	algorithm !== null &&
	'namedCurve' in algorithm &&
	algorithm.namedCurve === ALGORITHM.namedCurve;

/** A request that is one, for a key on P-256, and signed with it. */
async function isProven(csr: x509.Pkcs10CertificateRequest): Promise<boolean> {
	return isP256(csr.publicKey.algorithm) && (await csr.verify());
}

/**
 * The public key of a request whose sender has shown that the private key is his.
 * @throws Fault `rule-violation` naming the field `csr`
 */
export async function provenKey(csrPem: string): Promise<x509.PublicKey> {
	let csr: x509.Pkcs10CertificateRequest | null = null;
	try {
		const read = new x509.Pkcs10CertificateRequest(csrPem);
		if (await isProven(read)) csr = read;
	} catch {
		// The library's sentences speak of ASN.1; whoever asks needs ours.
	}
	if (csr === null)
		throw fieldFault(
			'rule-violation',
			'csr',
			'must be a PKCS #10 request in PEM for a P-256 key, signed with that key',
		);
	return csr.publicKey;
}
