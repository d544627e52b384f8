import { createSign, createVerify, type KeyObject, X509Certificate } from 'node:crypto';

import Joi from 'joi';

import { byteView } from '../journal/byte-view.ts';
import type { EpochMs } from '../kernel/clock.ts';
import { fieldFault } from '../kernel/fault.ts';
import type { GatewayId } from '../kernel/id.ts';
import { type Ack, parseLinkMessage } from '../link/link-messages.ts';

/** What the hub holds after a bundle, signed by its link authority: the gateway may let it go without ever having been connected. */
export interface BundleReceipt extends Ack {
	/** The bundle that was imported. */
	readonly bundle_id: string;
	readonly gateway_id: GatewayId;
	/** By the hub's clock, ms. */
	readonly created_at: EpochMs;
}

/** Keeps a signature over a receipt from being one over anything else. */
const CONTEXT = 'drawbridge bundle receipt 1\n';

const receiptFault = (sentence: string) => fieldFault('rule-violation', 'receipt', sentence);

const schema = Joi.object<BundleReceipt>({
	bundle_id: Joi.string().guid({ separator: '-' }).lowercase().required(),
	gateway_id: Joi.string().guid({ separator: '-' }).lowercase().required(),
	created_at: Joi.number().integer().min(0).max(8.64e15).required(),
}).unknown();

/** Two parts of base64url with a dot between: text for a file, or for a field of a form. */
export function signReceipt(receipt: BundleReceipt, key: KeyObject): string {
	const body = Buffer.from(JSON.stringify(receipt));
	const signature = createSign('sha256').update(CONTEXT).update(byteView(body)).sign(key);
	return `${body.toString('base64url')}.${signature.toString('base64url')}`;
}

/** @throws Fault `rule-violation` naming `receipt`: none, of another hub, or for another gateway */
export function readReceipt(text: string, caPem: string, gateway: GatewayId): BundleReceipt {
	const [body = '', signature = '', ...more] = text.trim().split('.');
	if (body === '' || signature === '' || more.length > 0) throw receiptFault('must be two parts with a dot between');
	const bytes = Buffer.from(body, 'base64url');
	const verifier = createVerify('sha256').update(CONTEXT).update(byteView(bytes));
	if (!verifier.verify(new X509Certificate(caPem).publicKey, byteView(Buffer.from(signature, 'base64url'))))
		throw receiptFault('is not signed by the hub of this gateway');
	const { received, losses } = parseLinkMessage('ack', byteView(bytes));
	const { value, error } = schema.validate(JSON.parse(bytes.toString('utf8')), { convert: false });
	if (error !== undefined) throw receiptFault(error.message);
	if (value.gateway_id !== gateway) throw receiptFault(`is for gateway ${value.gateway_id}, not for this one`);
	return { bundle_id: value.bundle_id, gateway_id: value.gateway_id, created_at: value.created_at, received, losses };
}
