import { Fault, type FaultReason } from '../../../../core/kernel/fault.ts';

/** Why a device is not trusted or does not trust the gateway, by the code of OpenSSL; `$` stands for the device. */
const sentences: Readonly<Record<string, readonly [sentence: string, reason: FaultReason]>> = {
	CERT_HAS_EXPIRED: ['the certificate of $ has expired, or the clock of the gateway is wrong', 'forbidden'],
	CERT_NOT_YET_VALID: ['the certificate of $ is not valid yet, or the clock of the gateway is wrong', 'forbidden'],
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['the certificate of $ was issued by an authority that is not trusted', 'forbidden'],
	UNABLE_TO_GET_ISSUER_CERT: ['the certificate of $ was issued by an authority that is not trusted', 'forbidden'],
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
		'the certificate of $ was issued by an authority that is not trusted',
		'forbidden',
	],
	SELF_SIGNED_CERT_IN_CHAIN: ['the certificate of $ was issued by an authority that is not trusted', 'forbidden'],
	CERT_SIGNATURE_FAILURE: ['the certificate of $ was not issued by the authority it names', 'forbidden'],
	INVALID_CA: ['the certificate of $ was issued by one that is no authority', 'forbidden'],
	INVALID_PURPOSE: ['the certificate of $ is not one of a server', 'forbidden'],
	CERT_REVOKED: ['the certificate of $ is revoked', 'forbidden'],
	DEPTH_ZERO_SELF_SIGNED_CERT: [
		'$ shows a certificate it signed itself; to trust it, install it as the authority',
		'forbidden',
	],
	ERR_TLS_CERT_ALTNAME_INVALID: ['the certificate of $ carries another name', 'forbidden'],
	ERR_SSL_WRONG_VERSION_NUMBER: ['$ does not speak TLS', 'unreachable'],
	ERR_SSL_UNSUPPORTED_PROTOCOL: ['$ speaks only versions of TLS older than 1.2', 'forbidden'],
	ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: ['$ speaks only versions of TLS older than 1.2', 'forbidden'],
	ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: ['$ asks the gateway for a certificate and was shown none', 'forbidden'],
	ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: [
		'$ and the gateway agree on no cipher, or $ asks for a certificate',
		'forbidden',
	],
	ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: ['$ does not trust the authority of the certificate of the gateway', 'forbidden'],
	ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: ['$ refuses the certificate of the gateway', 'forbidden'],
	ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: ['$ refuses the certificate of the gateway', 'forbidden'],
	ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: ['$ says that the certificate of the gateway has expired', 'forbidden'],
	ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: ['$ denies access to the certificate of the gateway', 'forbidden'],
	ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR: ['$ could not verify the certificate of the gateway', 'forbidden'],
};

/** What the certificate says it is for, where the error tells. */
const namesIn = (error: Error): string =>
	'cert' in error && typeof error.cert === 'object' && error.cert !== null && 'subjectaltname' in error.cert
		? ` (${String(error.cert.subjectaltname).slice(0, 200)})`
		: '';

/** @param place `host:port` as the installer wrote it. @returns `null` when the error is none of TLS */
export function tlsFault(place: string, error: NodeJS.ErrnoException): Fault | null {
	const known = sentences[error.code ?? ''];
	if (known === undefined) {
		const isTls = error.code?.startsWith('ERR_SSL_') ?? error.code?.startsWith('ERR_TLS_') ?? false;
		return isTls ? new Fault('unreachable', `TLS with ${place} failed: ${error.message} (${error.code})`) : null;
	}
	const [sentence, reason] = known;
	const names = error.code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? namesIn(error) : '';
	return new Fault(reason, `${sentence.replaceAll('$', () => place)}${names} (${error.code})`, { cause: error });
}
