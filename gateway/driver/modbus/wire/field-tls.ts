import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { LineTls } from '../../../../config/connection/connection.ts';
import { Fault } from '../../../../core/kernel/fault.ts';

/** A chain of certificates, generously. */
const MOST_FILE_BYTES = 256 * 1024;

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** A file of certificates or keys, whole; `null` when it is not there. */
async function readSmall(path: string): Promise<Buffer | null> {
	let file;
	try {
		file = await open(path, 'r');
		const { bytesRead, buffer } = await file.read(Buffer.alloc(MOST_FILE_BYTES));
		return buffer.subarray(0, bytesRead);
	} catch (error) {
		if (isMissing(error)) return null;
		throw new Fault('unavailable', `${path} cannot be read`, { cause: error });
	} finally {
		await file?.close();
	}
}

const certificateFiles = (name: string): readonly string[] => [`${name}.crt`, `${name}.pem`];

/** Reads the first of these files that is there. */
async function readOneOf(folder: string, what: string, names: readonly string[]): Promise<Buffer> {
	for (const name of names) {
		const bytes = await readSmall(join(folder, name));
		if (bytes !== null) return bytes;
	}
	throw new Fault(
		'unavailable',
		`${what} is not installed: ${names.join(' or ')} is missing among the field certificates`,
	);
}

/**
 * Certificates and rules of one Modbus/TCP Security line (MB-TCP-Security v36, 5): TLS 1.2 or later, the device always proves who
 * it is, the gateway does when a certificate was given to it. Files are `<name>.crt` or `<name>.pem`, and `<name>.key`.
 * @param folder where the installer puts the field certificates; `null`: there is none
 * @throws Fault `unavailable` that names the missing file
 */
export async function readFieldTls(folder: string | null, tls: LineTls, host: string): Promise<ConnectionOptions> {
	if (folder === null && (tls.authority !== undefined || tls.certificate !== undefined)) {
		throw new Fault('unavailable', 'this gateway has no folder for field certificates');
	}
	const from = folder ?? '';
	const { authority, certificate, serverName = host } = tls;
	const trusted =
		authority === undefined
			? {}
			: { ca: await readOneOf(from, `the authority ${authority}`, certificateFiles(authority)) };
	const shown =
		certificate === undefined
			? {}
			: {
					cert: await readOneOf(from, `the certificate ${certificate}`, certificateFiles(certificate)),
					key: await readOneOf(from, `the key of the certificate ${certificate}`, [`${certificate}.key`]),
				};
	return {
		...trusted,
		...shown,
		servername: isIP(serverName) === 0 ? serverName : '',
		checkServerIdentity: (_, cert) => checkServerIdentity(serverName, cert),
		minVersion: 'TLSv1.2',
		rejectUnauthorized: true,
	};
}
