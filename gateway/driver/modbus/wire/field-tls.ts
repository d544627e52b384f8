import { createPrivateKey, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { LineTls } from '../../../../config/connection/connection.ts';
import { Fault } from '../../../../core/kernel/fault.ts';

/** A chain of certificates, generously. */
const MOST_FILE_BYTES = 256 * 1024;

interface FoundFile {
	readonly path: string;
	readonly bytes: Buffer;
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

const certificateFiles = (name: string): readonly string[] => [`${name}.crt`, `${name}.pem`];

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

/** Reads the first of these files that is there. */
async function readOneOf(folder: string, what: string, names: readonly string[]): Promise<FoundFile> {
	for (const name of names) {
		const bytes = await readSmall(join(folder, name));
		if (bytes !== null) return { path: join(folder, name), bytes };
	}
	throw new Fault('unavailable', `${what} is not installed: ${names.join(' or ')} is missing in ${folder}`);
}

/** Asks OpenSSL, so that the sentence names the file. */
function parse<T>(what: string, { path, bytes }: FoundFile, as: string, make: (bytes: Buffer) => T): T {
	try {
		return make(bytes);
	} catch (error) {
		throw new Fault('unavailable', `${what} is no ${as}: ${path}`, { cause: error });
	}
}

async function readCertificate(folder: string, what: string, name: string): Promise<[Buffer, X509Certificate]> {
	const file = await readOneOf(folder, what, certificateFiles(name));
	return [file.bytes, parse(what, file, 'certificate', (bytes) => new X509Certificate(bytes))];
}

async function readShown(folder: string, name: string): Promise<ConnectionOptions> {
	const what = `the certificate ${name}`;
	const [cert, certificate] = await readCertificate(folder, what, name);
	const keyFile = await readOneOf(folder, `the key of ${what}`, [`${name}.key`]);
	const key = parse(`the key of ${what}`, keyFile, 'private key', createPrivateKey);
	if (!certificate.checkPrivateKey(key)) {
		throw new Fault('unavailable', `${keyFile.path} is not the key of ${what}`);
	}
	return { cert, key: keyFile.bytes };
}

async function readTrusted(folder: string, name: string): Promise<ConnectionOptions> {
	const [ca] = await readCertificate(folder, `the authority ${name}`, name);
	return { ca };
}

/**
 * Certificates and rules of one Modbus/TCP Security line (MB-TCP-Security v36, 5): TLS 1.2 or later; the device always proves who
 * it is, the gateway does when a certificate was named for it. Files are `<name>.crt` or `<name>.pem`, and `<name>.key`.
 * @param folder where the installer puts the field certificates; `null`: there is none
 * @throws Fault `unavailable` that names the file that is missing or wrong
 */
export async function readFieldTls(folder: string | null, tls: LineTls, host: string): Promise<ConnectionOptions> {
	const { authority, certificate, serverName = host } = tls;
	if (folder === null && (authority !== undefined || certificate !== undefined)) {
		throw new Fault('unavailable', 'this gateway has no folder for field certificates');
	}
	const trusted = authority === undefined ? {} : await readTrusted(folder ?? '', authority);
	const shown = certificate === undefined ? {} : await readShown(folder ?? '', certificate);
	return {
		...trusted,
		...shown,
		// An address may not be asked for by name (RFC 6066, 3).
		servername: isIP(serverName) === 0 ? serverName : '',
		checkServerIdentity: (_, shownByDevice) => checkServerIdentity(serverName, shownByDevice),
		minVersion: 'TLSv1.2',
		rejectUnauthorized: true,
	};
}
