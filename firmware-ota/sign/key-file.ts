import {
	createCipheriv,
	createDecipheriv,
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	type KeyObject,
	randomBytes,
	scrypt,
} from 'node:crypto';

import Joi from 'joi';

import { canonicalJson } from '../../core/configuration/canonical-json.ts';
import { Fault, fieldFault } from '../../core/kernel/fault.ts';
import { keyIdOf, type PublicKey } from '../trust/metadata-document.ts';

/** Public half of a key with the name that people know it by; it may be sent to anybody. */
export interface NamedKey {
	readonly name: string;
	readonly key_id: string;
	readonly key: PublicKey;
}

/** A key as it lies on a disk: the secret is encrypted under a passphrase (scrypt, AES-256-GCM); the rest is bound to it. */
export interface SealedKey extends NamedKey {
	readonly format: 'drawbridge-key-1';
	readonly kdf: {
		readonly name: 'scrypt';
		readonly n: number;
		readonly r: number;
		readonly p: number;
		readonly salt: string;
	};
	readonly nonce: string;
	/** PKCS#8 and the tag, base64. */
	readonly sealed: string;
}

/** A key that can sign; only in memory. */
export interface OpenKey extends NamedKey {
	readonly secret: KeyObject;
}

/** 128 MB and about half a second for each guess. */
export const SCRYPT_N = 2 ** 17;
const MOST_N = 2 ** 20;
const [SCRYPT_R, SCRYPT_P] = [8, 1];
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SALT_BYTES = 16;
/** Shortest passphrase that a new key takes; letters count, not their kinds. */
const LEAST_LETTERS = 12;

const keyId = Joi.string()
	.pattern(/^[0-9a-f]{64}$/)
	.required();
const base64 = Joi.string().base64().max(1024).required();
const named = {
	name: Joi.string()
		.pattern(/^[\w@. -]{1,64}$/)
		.required(),
	key_id: keyId,
	key: Joi.object({
		keytype: Joi.valid('ed25519').required(),
		scheme: Joi.valid('ed25519').required(),
		keyval: Joi.object({ public: keyId }).required(),
	}).required(),
};

const sealedSchema = Joi.object<SealedKey>({
	format: Joi.valid('drawbridge-key-1').required(),
	...named,
	kdf: Joi.object({
		name: Joi.valid('scrypt').required(),
		n: Joi.number().integer().min(2).max(MOST_N).required(),
		r: Joi.valid(SCRYPT_R).required(),
		p: Joi.valid(SCRYPT_P).required(),
		salt: base64,
	}).required(),
	nonce: base64,
	sealed: base64,
});

const namedSchema = Joi.object<NamedKey>(named).unknown(true);

function parse<T>(text: string, schema: Joi.ObjectSchema<T>, what: string): T {
	try {
		const raw: unknown = JSON.parse(text);
		const { value, error } = schema.validate(raw, { convert: false });
		if (error !== undefined) throw error;
		return value;
	} catch (error) {
		throw new Fault('malformed', `${what} is no key file: ${String(error)}`, { cause: error });
	}
}

/** The public half of a `.pub` or of a sealed file; no passphrase is needed. @throws Fault `malformed` */
export function readPublic(text: string, what: string): NamedKey {
	const { name, key_id, key } = parse(text, namedSchema, what);
	if (keyIdOf(key) !== key_id) throw new Fault('malformed', `${what}: the id is not that of the key`);
	return { name, key_id, key };
}

/** @throws Fault `malformed` */
export const readSealed = (text: string, what: string): SealedKey => parse(text, sealedSchema, what);

function derive(passphrase: string, { n, r, p, salt }: SealedKey['kdf']): Promise<Buffer> {
	const options = { N: n, r, p, maxmem: 256 * n * r };
	return new Promise((resolve, reject) => {
		scrypt(passphrase.normalize('NFC'), Buffer.from(salt, 'base64'), KEY_BYTES, options, (error, key) => {
			if (error === null) resolve(key);
			else reject(error);
		});
	});
}

/** What is not secret, and must not be changed either: a name moved to another key would be signed with the wrong one. */
const boundText = ({ format, name, key_id, key, kdf }: Omit<SealedKey, 'nonce' | 'sealed'>): Buffer =>
	Buffer.from(canonicalJson({ format, name, key_id, key: { ...key, keyval: { ...key.keyval } }, kdf: { ...kdf } }));

function publicOf(secret: KeyObject): PublicKey {
	const der = createPublicKey(secret).export({ type: 'spki', format: 'der' });
	return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: der.subarray(-KEY_BYTES).toString('hex') } };
}

export function newKey(name: string): OpenKey {
	const { privateKey } = generateKeyPairSync('ed25519');
	const key = publicOf(privateKey);
	return { name, key_id: keyIdOf(key), key, secret: privateKey };
}

/** @param n cost of a guess, a power of two @throws Fault `rule-violation` for a passphrase that is too short */
export async function sealKey(
	{ name, key_id, key, secret }: OpenKey,
	passphrase: string,
	n = SCRYPT_N,
): Promise<SealedKey> {
	if (passphrase.length < LEAST_LETTERS)
		throw fieldFault('rule-violation', 'passphrase', `it needs at least ${LEAST_LETTERS} letters`);
	const salt = randomBytes(SALT_BYTES).toString('base64');
	const head = {
		format: 'drawbridge-key-1',
		name,
		key_id,
		key,
		kdf: { name: 'scrypt', n, r: SCRYPT_R, p: SCRYPT_P, salt },
	} as const;
	const nonce = randomBytes(NONCE_BYTES);
	const cipher = createCipheriv('aes-256-gcm', await derive(passphrase, head.kdf), nonce);
	cipher.setAAD(boundText(head));
	const content = secret.export({ type: 'pkcs8', format: 'der' });
	const sealed = Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
	return { ...head, nonce: nonce.toString('base64'), sealed: sealed.toString('base64') };
}

/** @throws Fault `bad-credentials` when the passphrase is another, or the file was changed */
export async function openKey(sealed: SealedKey, passphrase: string): Promise<OpenKey> {
	const { name, key_id, key, kdf } = sealed;
	const bytes = Buffer.from(sealed.sealed, 'base64');
	try {
		const cipher = createDecipheriv('aes-256-gcm', await derive(passphrase, kdf), Buffer.from(sealed.nonce, 'base64'));
		cipher.setAAD(boundText(sealed));
		cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
		const content = Buffer.concat([cipher.update(bytes.subarray(0, -TAG_BYTES)), cipher.final()]);
		const secret = createPrivateKey({ key: content, type: 'pkcs8', format: 'der' });
		content.fill(0);
		if (keyIdOf(publicOf(secret)) !== key_id) throw new RangeError('another key');
		return { name, key_id, key, secret };
	} catch (error) {
		throw new Fault('bad-credentials', `the key of ${name} does not open: wrong passphrase, or a damaged file`, {
			cause: error,
		});
	}
}
