import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

const EXPIRED = 'CERT_HAS_EXPIRED';

/**
 * The SHA-256 of the certificate that the peer has shown and holds the key of, when the listener's authority has signed it; `null`
 * otherwise. One that has expired counts. OpenSSL reports the last complaint only, so an expired certificate may hide that its signature is
 * wrong: whoever decides by the fingerprint has to know it as one that was issued.
 */
export function clientCertificateOf(socket: TLSSocket): string | null {
	const certificate = socket.getPeerX509Certificate();
	if (!(certificate instanceof X509Certificate)) return null;
	// The type says error object; it is the code of one.
	const complaint: unknown = socket.authorizationError;
	return socket.authorized || complaint === EXPIRED ? certificate.fingerprint256 : null;
}
