import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

import { messageOf } from '../../core/kernel/fault.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { readTextIfThere, writeFileDurably } from '../../core/storage/json-file.ts';
import { moveAside } from '../../core/storage/move-aside.ts';

export interface BundleKey {
	readonly privateKey: KeyObject;
	readonly publicKey: KeyObject;
}

async function saved(path: string, log: Logger): Promise<KeyObject | null> {
	const pem = await readTextIfThere(path);
	if (pem === null) return null;
	try {
		const key = createPrivateKey(pem);
		if (key.asymmetricKeyType !== 'x25519') throw new Error('not an X25519 key');
		return key;
	} catch (error) {
		log.error('bundle-key-lost', { reason: messageOf(error), movedTo: await moveAside(path) });
		return null;
	}
}

/** The hub's key for bundles (mode 0600), made at the first start. After damage there is another one; bundles for the older are refused. */
export async function openBundleKey(path: string, log: Logger): Promise<BundleKey> {
	let privateKey = await saved(path, log);
	if (privateKey === null) {
		({ privateKey } = generateKeyPairSync('x25519'));
		await writeFileDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
	}
	return { privateKey, publicKey: createPublicKey(privateKey) };
}
