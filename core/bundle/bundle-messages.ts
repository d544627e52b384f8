import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';

import { fieldFault } from '../kernel/fault.ts';

const wrongKey = () => fieldFault('rule-violation', 'public_key', 'must be an X25519 public key in PEM');

/** What the hub tells each gateway (`down/bundle`): the key for which bundles are sealed. */
export const bundleKeyMessage = (key: KeyObject): Buffer =>
	Buffer.from(JSON.stringify({ public_key: key.export({ type: 'spki', format: 'pem' }) }));

/** An X25519 key that is none of the few with which everybody would agree on the same. */
function isAgreeable(key: KeyObject): boolean {
	if (key.asymmetricKeyType !== 'x25519') return false;
	diffieHellman({ privateKey: generateKeyPairSync('x25519').privateKey, publicKey: key });
	return true;
}

/** @returns the key as PEM @throws Fault `rule-violation` */
export function parseBundleKey(payload: Uint8Array): string {
	try {
		const raw: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
		const pem = typeof raw === 'object' && raw !== null && 'public_key' in raw ? raw.public_key : null;
		if (typeof pem === 'string' && isAgreeable(createPublicKey(pem))) return pem;
	} catch {
		throw wrongKey();
	}
	throw wrongKey();
}
