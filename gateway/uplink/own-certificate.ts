import { type Credential, isPair, isSignedBy } from '../../core/pki/certificate.ts';

/** Whether this certificate is for this key and of the hub's authority; a text that is no certificate is neither. */
export function isUsable(credential: Credential, caPem: string): boolean {
	try {
		return isPair(credential) && isSignedBy(credential.certPem, caPem);
	} catch {
		return false;
	}
}
