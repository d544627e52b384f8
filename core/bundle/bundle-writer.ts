import { createCipheriv, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

import { byteView } from '../journal/byte-view.ts';
import {
	BUNDLE_KINDS,
	BUNDLE_MAGIC,
	type BundleHeader,
	type BundleItem,
	type BundleSummary,
	frameContext,
	type FrameKey,
	frameKey,
	FRAME_MARK,
	LAST_MARK,
	nonceOf,
	partHead,
	SIGNATURE_MARK,
} from './bundle-format.ts';

export interface BundleWriterDeps {
	readonly header: Pick<BundleHeader, 'bundle_id' | 'gateway_id' | 'hub' | 'created_at' | 'certificate'>;
	/** The hub's public key for bundles, X25519. */
	readonly hubKey: KeyObject;
	/** The key of the certificate. */
	readonly ownKey: KeyObject;
}

const joined = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts.map(byteView));

function withKind({ kind, payload }: BundleItem): Uint8Array {
	const content = new Uint8Array(payload.byteLength + 1);
	content[0] = BUNDLE_KINDS.indexOf(kind);
	content.set(payload, 1);
	return content;
}

function sealed(frame: FrameKey, index: number, mark: number, content: Uint8Array): Buffer {
	const cipher = createCipheriv('aes-256-gcm', frame.key, nonceOf(index));
	cipher.setAAD(frameContext(frame, mark));
	return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()].map(byteView));
}

/**
 * The bytes of a bundle, piece by piece. `items` yields its content and returns what the summary says of it. Nothing is held but one item.
 */
export async function* writeBundle(
	{ header, hubKey, ownKey }: BundleWriterDeps,
	items: AsyncGenerator<BundleItem, Omit<BundleSummary, 'items'>>,
): AsyncGenerator<Buffer> {
	const signature = createSign('sha256');
	const signed = (bytes: Buffer): Buffer => {
		signature.update(byteView(bytes));
		return bytes;
	};
	const own = generateKeyPairSync('x25519');
	const salt = randomBytes(16).toString('base64');
	const ephemeral = own.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
	const json = Buffer.from(JSON.stringify({ ...header, ephemeral, salt } satisfies BundleHeader));
	const length = Buffer.alloc(4);
	length.writeUInt32LE(json.length);
	const head = joined(BUNDLE_MAGIC, length, json);
	const key = frameKey(head, own.privateKey, hubKey, salt);
	yield signed(head);

	let index = 0;
	const framed = (mark: number, content: Uint8Array): Buffer => {
		const body = sealed(key, index, mark, content);
		index += 1;
		return signed(joined(partHead(mark, body.length), body));
	};
	let next = await items.next();
	for (; next.done !== true; next = await items.next()) yield framed(FRAME_MARK, withKind(next.value));
	const summary: BundleSummary = { items: index, ...next.value };
	yield framed(LAST_MARK, byteView(Buffer.from(JSON.stringify(summary))));
	const proof = signature.sign(ownKey);
	yield joined(partHead(SIGNATURE_MARK, proof.length), proof);
}
