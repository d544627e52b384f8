import { createHash, diffieHellman, hkdfSync, type KeyObject, X509Certificate } from 'node:crypto';

import Joi from 'joi';

import { byteView } from '../journal/byte-view.ts';
import type { EpochMs } from '../kernel/clock.ts';
import { fieldFault } from '../kernel/fault.ts';
import type { GatewayId } from '../kernel/id.ts';
import type { UpKind } from '../link/link-topics.ts';

/**
 * A backlog as a file, for a site without a network: what the gateway would have said over the link, sealed for its hub.
 *
 *     "DRAWBDL1" · u32 length · header (JSON) · { "F" · u32 length · sealed frame } … · "L" · u32 length · sealed summary · "S" · u32 length · signature
 *
 * Frames are AES-256-GCM under a key of this file alone (X25519 with a fresh key, HKDF-SHA-256 over the header): only the hub opens them. A
 * frame's number is its nonce and its mark is sealed with it, so frames can be neither moved nor left out. The signature
 * (ECDSA on P-256, SHA-256) is of the gateway's certificate, over every byte before it. Numbers are little-endian.
 */
export const BUNDLE_MAGIC = Buffer.from('DRAWBDL1');
export const FRAME_MARK = 0x46;
/** The frame after which only the signature comes. */
export const LAST_MARK = 0x4c;
export const SIGNATURE_MARK = 0x53;

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
/** Longest header, frame and signature that a reader takes. */
export const MOST_BYTES = { header: 32 * 1024, frame: 8 * 1024 * 1024, signature: 256 } as const;

/** First byte of a frame's content. Add at the end only. */
export const BUNDLE_KINDS = [
	'documents',
	'records',
	'time',
	'losses',
	'rollups',
	'backfill',
] as const satisfies readonly UpKind[];
export type BundleKind = (typeof BUNDLE_KINDS)[number];

export interface BundleHeader {
	/** Made by the gateway for this file; its receipt names it. */
	readonly bundle_id: string;
	readonly gateway_id: GatewayId;
	/** SHA-256 of the certificate of the hub's link authority, `AB:CD:…`: for whom it is sealed. */
	readonly hub: string;
	/** By the gateway's clock, ms. */
	readonly created_at: EpochMs;
	/** The gateway's certificate, PEM. */
	readonly certificate: string;
	/** Public X25519 key of this file, SPKI in base64. */
	readonly ephemeral: string;
	/** 16 random bytes, base64. */
	readonly salt: string;
}

/** One message that would have gone over the link. */
export interface BundleItem {
	readonly kind: BundleKind;
	readonly payload: Uint8Array;
}

/** What a bundle holds; its last frame. */
export interface BundleSummary {
	readonly items: number;
	readonly samples: number;
	/** False when it ends where its size allowed no more: another bundle has the rest. */
	readonly is_complete: boolean;
}

export const bundleFault = (sentence: string) => fieldFault('rule-violation', 'bundle', sentence);

const base64 = (most: number) => Joi.string().base64().max(most).required();

const headerSchema = Joi.object<BundleHeader>({
	bundle_id: Joi.string().guid({ separator: '-' }).lowercase().required(),
	gateway_id: Joi.string().guid({ separator: '-' }).lowercase().required(),
	hub: Joi.string()
		.pattern(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/)
		.required(),
	created_at: Joi.number().integer().min(0).max(8.64e15).required(),
	certificate: Joi.string().max(16_384).required(),
	ephemeral: base64(256),
	salt: base64(64),
});

const summarySchema = Joi.object<BundleSummary>({
	items: Joi.number().integer().min(0).required(),
	samples: Joi.number().integer().min(0).required(),
	is_complete: Joi.boolean().required(),
});

function parsed<T>(what: string, schema: Joi.ObjectSchema<T>, bytes: Buffer): T {
	let raw: unknown;
	try {
		raw = JSON.parse(bytes.toString('utf8'));
	} catch {
		throw bundleFault(`its ${what} is not JSON`);
	}
	const { value, error } = schema.validate(raw, { convert: false });
	if (error !== undefined) throw bundleFault(`its ${what} is wrong: ${error.message}`);
	return value;
}

/** @throws Fault `rule-violation` naming `bundle` */
export const parseHeader = (bytes: Buffer): BundleHeader => parsed('header', headerSchema, bytes);

/** @throws Fault `rule-violation` naming `bundle` */
export const parseSummary = (bytes: Buffer): BundleSummary => parsed('summary', summarySchema, bytes);

/** How a hub is named in bundles. */
export const hubName = (caPem: string): string => new X509Certificate(caPem).fingerprint256;

/** What seals the frames of one bundle. */
export interface FrameKey {
	readonly key: Uint8Array;
	/** SHA-256 of magic and header; sealed with every frame. */
	readonly context: Uint8Array;
}

/** The key of a bundle, from either end. @param header magic, length and JSON as they stand in the file */
export function frameKey(header: Buffer, own: KeyObject, other: KeyObject, salt: string): FrameKey {
	const context = byteView(createHash('sha256').update(byteView(header)).digest());
	const secret = byteView(diffieHellman({ privateKey: own, publicKey: other }));
	const key = new Uint8Array(hkdfSync('sha256', secret, byteView(Buffer.from(salt, 'base64')), context, KEY_BYTES));
	return { key, context };
}

/** The nonce of a frame: its number, which occurs once under its key. */
export function nonceOf(index: number): Uint8Array {
	const nonce = new Uint8Array(NONCE_BYTES);
	new DataView(nonce.buffer).setBigUint64(NONCE_BYTES - 8, BigInt(index));
	return nonce;
}

/** What is sealed with a frame beside its content. */
export const frameContext = ({ context }: FrameKey, mark: number): Uint8Array => Uint8Array.of(...context, mark);

/** Mark and length in front of a frame or the signature. */
export function partHead(mark: number, length: number): Buffer {
	const head = Buffer.alloc(5);
	head.writeUInt8(mark, 0);
	head.writeUInt32LE(length, 1);
	return head;
}
