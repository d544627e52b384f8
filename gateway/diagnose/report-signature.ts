import { createPrivateKey, createSign, createVerify, X509Certificate } from 'node:crypto';

import { byteView } from '../../core/journal/byte-view.ts';
import type { Credential } from '../../core/pki/certificate.ts';

/** Keeps a signature over a report from being one over anything else. */
const CONTEXT = 'drawbridge commissioning report 1\n';

/** A signature beside what it is over, with the certificate that proves it. */
export interface DetachedSignature {
	readonly algorithm: 'ecdsa-p256-sha256';
	/** PEM; issued by the authority of the gateway's hub. */
	readonly certificate: string;
	/** Base64, over the context line and the JSON text of the report: members in their order, no blanks. */
	readonly value: string;
}

const signedBytes = (report: object): Uint8Array => byteView(Buffer.from(CONTEXT + JSON.stringify(report)));

/** Signs a report with the key by which the hub knows the gateway. */
export const signReport = (report: object, { certPem, keyPem }: Credential): DetachedSignature => ({
	algorithm: 'ecdsa-p256-sha256',
	certificate: certPem,
	value: createSign('sha256').update(signedBytes(report)).sign(createPrivateKey(keyPem)).toString('base64'),
});

/** Whether the report is as it was signed by the key of this certificate; who issued the certificate is another question. */
export const isReportSigned = (report: object, { certificate, value }: DetachedSignature): boolean =>
	createVerify('sha256')
		.update(signedBytes(report))
		.verify(new X509Certificate(certificate).publicKey, byteView(Buffer.from(value, 'base64')));
