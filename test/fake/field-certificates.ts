import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

export interface FieldCertificate {
	readonly cert: string;
	readonly key: string;
}

export interface FieldAuthority {
	readonly cert: string;
	readonly key: string;
	/** A certificate for these names, valid between these days from today. */
	issue(names: readonly string[], fromDay?: number, toDay?: number): Promise<FieldCertificate>;
}

const keysNew = (): Promise<webcrypto.CryptoKeyPair> =>
	webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

async function pem(key: webcrypto.CryptoKey): Promise<string> {
	const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
	return `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}

const day = (offset: number): Date => new Date(Date.now() + offset * DAY_MS);

const alternatives = (names: readonly string[]): x509.SubjectAlternativeNameExtension =>
	new x509.SubjectAlternativeNameExtension(
		names.map((name) => ({ type: /^[\d.]+$/.test(name) ? 'ip' : 'dns', value: name })),
	);

/** The authority of a plant, for a test. @param names its own, when it is a device as well */
export async function makeFieldAuthority(commonName: string, names: readonly string[] = []): Promise<FieldAuthority> {
	const keys = await keysNew();
	const authority = await x509.X509CertificateGenerator.createSelfSigned({
		serialNumber: '01',
		name: `CN=${commonName}`,
		notBefore: day(-1000),
		notAfter: day(1000),
		keys,
		signingAlgorithm: ALGORITHM,
		extensions: [
			new x509.BasicConstraintsExtension(true, 0, true),
			...(names.length === 0 ? [] : [alternatives(names)]),
		],
	});
	let serial = 1;
	return {
		cert: authority.toString('pem'),
		key: await pem(keys.privateKey),
		async issue(of, fromDay = -1, toDay = 30) {
			serial += 1;
			const own = await keysNew();
			const certificate = await x509.X509CertificateGenerator.create({
				serialNumber: serial.toString(16).padStart(2, '0'),
				subject: `CN=${of[0]}`,
				issuer: authority.subject,
				notBefore: day(fromDay),
				notAfter: day(toDay),
				publicKey: own.publicKey,
				signingKey: keys.privateKey,
				signingAlgorithm: ALGORITHM,
				extensions: [alternatives(of)],
			});
			return { cert: certificate.toString('pem'), key: await pem(own.privateKey) };
		},
	};
}
