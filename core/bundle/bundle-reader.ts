import {
	createDecipheriv,
	createPublicKey,
	createVerify,
	type KeyObject,
	type Verify,
	X509Certificate,
} from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

import { byteView } from '../journal/byte-view.ts';
import {
	BUNDLE_KINDS,
	BUNDLE_MAGIC,
	type BundleHeader,
	type BundleItem,
	type BundleSummary,
	bundleFault,
	frameContext,
	type FrameKey,
	frameKey,
	FRAME_MARK,
	LAST_MARK,
	MOST_BYTES,
	nonceOf,
	parseHeader,
	parseSummary,
	SIGNATURE_MARK,
	TAG_BYTES,
} from './bundle-format.ts';

const HEAD_BYTES = BUNDLE_MAGIC.length + 4;
const PART_HEAD_BYTES = 5;

const MOST_BYTES_OF: ReadonlyMap<number, number> = new Map([
	[FRAME_MARK, MOST_BYTES.frame],
	[LAST_MARK, MOST_BYTES.frame],
	[SIGNATURE_MARK, MOST_BYTES.signature],
]);

/** A bundle in a file. */
export interface Bundle {
	readonly header: BundleHeader;
	/**
	 * Reads it through: every part is there, nothing follows, and the signature is of the certificate in the header. Whose certificate that is,
	 * the caller knows. @throws Fault `rule-violation` naming `bundle`
	 */
	verify(): Promise<void>;
	/** Opens its frames in order; returns the summary. To be called after `verify`. @throws Fault `rule-violation` naming `bundle` */
	items(hubKey: KeyObject): AsyncGenerator<BundleItem, BundleSummary>;
	close(): Promise<void>;
}

async function exactly(file: FileHandle, at: number, length: number): Promise<Buffer> {
	const bytes = Buffer.alloc(length);
	const { bytesRead } = await file.read(byteView(bytes), 0, length, at);
	if (bytesRead < length) throw bundleFault('it ends too early');
	return bytes;
}

interface Part {
	readonly mark: number;
	readonly at: number;
	readonly head: Buffer;
	readonly body: Buffer;
}

async function partAt(file: FileHandle, at: number): Promise<Part> {
	const head = await exactly(file, at, PART_HEAD_BYTES);
	const mark = head.readUInt8(0);
	const length = head.readUInt32LE(1);
	const most = MOST_BYTES_OF.get(mark);
	if (most === undefined) throw bundleFault(`there is no part at byte ${at}`);
	if (length > most) throw bundleFault(`its part at byte ${at} is longer than ${most} bytes`);
	return { mark, at, head, body: await exactly(file, at + PART_HEAD_BYTES, length) };
}

async function* partsFrom(file: FileHandle, start: number): AsyncGenerator<Part> {
	for (let at = start; ;) {
		const part = await partAt(file, at);
		yield part;
		if (part.mark === SIGNATURE_MARK) return;
		at += PART_HEAD_BYTES + part.body.length;
	}
}

function unsealed(key: FrameKey, index: number, { mark, body }: Part): Buffer {
	if (body.length < TAG_BYTES) throw bundleFault(`its frame ${index} is empty`);
	const decipher = createDecipheriv('aes-256-gcm', key.key, nonceOf(index), { authTagLength: TAG_BYTES });
	decipher.setAAD(frameContext(key, mark));
	decipher.setAuthTag(byteView(body.subarray(body.length - TAG_BYTES)));
	const content = decipher.update(byteView(body.subarray(0, body.length - TAG_BYTES)));
	try {
		decipher.final();
	} catch {
		throw bundleFault(`its frame ${index} cannot be opened with this hub's key`);
	}
	return content;
}

/** The key of the certificate in the header. */
function signerOf({ certificate }: BundleHeader): KeyObject {
	try {
		return new X509Certificate(certificate).publicKey;
	} catch {
		throw bundleFault('its certificate is none');
	}
}

function ephemeralOf({ ephemeral }: BundleHeader): KeyObject {
	try {
		return createPublicKey({ key: Buffer.from(ephemeral, 'base64'), format: 'der', type: 'spki' });
	} catch {
		throw bundleFault('its key is none');
	}
}

/** Not every key can be agreed on with the hub's: of another kind, or one with which everybody would agree on the same. */
function keyOf(bytes: Buffer, hubKey: KeyObject, header: BundleHeader): FrameKey {
	const ephemeral = ephemeralOf(header);
	try {
		return frameKey(bytes, hubKey, ephemeral, header.salt);
	} catch {
		throw bundleFault('its key does not fit that of a hub');
	}
}

/** False also where the key of the certificate can sign nothing. @throws Fault `rule-violation` where there is no certificate */
function isSigned(verifier: Verify, header: BundleHeader, signature: Buffer): boolean {
	const signer = signerOf(header);
	try {
		return verifier.verify(signer, byteView(signature));
	} catch {
		return false;
	}
}

async function readHead(file: FileHandle) {
	const start = await exactly(file, 0, HEAD_BYTES);
	if (!start.subarray(0, BUNDLE_MAGIC.length).equals(BUNDLE_MAGIC)) throw bundleFault('the file is no bundle');
	const length = start.readUInt32LE(BUNDLE_MAGIC.length);
	if (length > MOST_BYTES.header) throw bundleFault(`its header is longer than ${MOST_BYTES.header} bytes`);
	const json = await exactly(file, HEAD_BYTES, length);
	return { bytes: Buffer.concat([start, json].map(byteView)), header: parseHeader(json) };
}

/** Opens a bundle and reads its header, which nobody has verified yet. @throws Fault `rule-violation` naming `bundle` */
export async function openBundle(path: string): Promise<Bundle> {
	const file = await open(path, 'r');
	try {
		const { bytes, header } = await readHead(file);
		return {
			header,
			async verify() {
				const verifier = createVerify('sha256').update(byteView(bytes));
				let signature: Part | null = null;
				for await (const part of partsFrom(file, bytes.length)) {
					if (part.mark === SIGNATURE_MARK) signature = part;
					else verifier.update(byteView(part.head)).update(byteView(part.body));
				}
				const { size } = await file.stat();
				const end = signature === null ? 0 : signature.at + PART_HEAD_BYTES + signature.body.length;
				if (signature === null || end !== size) throw bundleFault('something follows its signature');
				if (!isSigned(verifier, header, signature.body))
					throw bundleFault('its signature is not that of its certificate: it was changed on the way');
			},
			async *items(hubKey) {
				const key = keyOf(bytes, hubKey, header);
				let index = 0;
				for await (const part of partsFrom(file, bytes.length)) {
					if (part.mark === SIGNATURE_MARK) break;
					const content = unsealed(key, index, part);
					if (part.mark === LAST_MARK) return parseSummary(content);
					const kind = BUNDLE_KINDS[content[0] ?? BUNDLE_KINDS.length];
					if (kind === undefined) throw bundleFault(`its frame ${index} is of a kind that this version does not know`);
					yield { kind, payload: byteView(content.subarray(1)) };
					index += 1;
				}
				throw bundleFault('its last frame is missing');
			},
			close: () => file.close(),
		};
	} catch (error) {
		await file.close();
		throw error;
	}
}
