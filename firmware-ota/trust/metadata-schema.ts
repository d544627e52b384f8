import Joi from 'joi';

/**
 * The form of metadata files (TUF 1.0.34, 4). Narrower than the specification where the rest is not needed, because each way that is
 * understood is one more to attack: one kind of key, consistent snapshots, delegation by path patterns. Attributes that are not known are kept and
 * ignored, as the specification demands.
 */
const MOST = { keys: 64, keysOfRole: 32, targets: 500, delegations: 32, patterns: 16, signatures: 64 } as const;

const whole = Joi.number().integer().required();
const version = whole.min(1).max(2 ** 31);
const hex = (digits: number): Joi.StringSchema => Joi.string().pattern(new RegExp(`^[0-9a-f]{${digits}}$`));
const keyId = hex(64);

/** Instants in the one form that TUF allows, so that none is read as another or as no date at all. */
const instant = Joi.string().pattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

/** Also the file's name: no digit first, because objects of JavaScript put such names out of their order, which is the priority. */
export const ROLE_NAME = /^[a-z][a-z0-9._-]{0,63}$/;

/** Relative, without empty, hidden or climbing parts; each part of at most 128 letters. */
export const TARGET_PATH =
	/^(?=.{1,256}$)[A-Za-z0-9][A-Za-z0-9._+-]{0,127}(?:\/[A-Za-z0-9][A-Za-z0-9._+-]{0,127}){0,7}$/;

/** As a path; `*` and `?` stand for anything within one part (TUF 4.5). At most two `*` in a part: more take time, not meaning. */
export const PATH_PATTERN =
	/^(?=.{1,256}$)(?!(?:.*\/)?[^/]*\*[^/]*\*[^/]*\*)[A-Za-z0-9*?][A-Za-z0-9._+*?-]{0,127}(?:\/[A-Za-z0-9*?][A-Za-z0-9._+*?-]{0,127}){0,7}$/;

const key = Joi.object({
	keytype: Joi.valid('ed25519').required(),
	scheme: Joi.valid('ed25519').required(),
	keyval: Joi.object({ public: hex(64).required() }).required(),
});
const keys = Joi.object().pattern(keyId, key).max(MOST.keys).required();

const roleKeys = {
	keyids: Joi.array().items(keyId).unique().max(MOST.keysOfRole).required(),
	threshold: whole.min(1).max(MOST.keysOfRole),
};

/** Our own addition to every file: when it was made, a lower bound of the time it is now. */
const common = (type: string): Record<string, Joi.Schema> => ({
	_type: Joi.valid(type).required(),
	spec_version: Joi.string()
		.pattern(/^1(?:\.\d{1,4}){1,2}$/)
		.required(),
	version,
	expires: instant.required(),
	issued_at: instant,
});

const hashes = Joi.object({ sha256: hex(64), sha512: hex(128) }).or('sha256', 'sha512');
const metaFile = Joi.object({ version, length: Joi.number().integer().min(1), hashes }).unknown(true);

const role = Joi.object(roleKeys).unknown(true).required();
const root = Joi.object({
	...common('root'),
	consistent_snapshot: Joi.valid(true).required(),
	keys,
	roles: Joi.object({ root: role, timestamp: role, snapshot: role, targets: role }).required(),
}).unknown(true);

const timestamp = Joi.object({
	...common('timestamp'),
	meta: Joi.object({ 'snapshot.json': metaFile.required() }).required(),
}).unknown(true);

const snapshot = Joi.object({
	...common('snapshot'),
	meta: Joi.object()
		.pattern(/^[a-z][a-z0-9._-]{0,63}\.json$/, metaFile)
		.max(MOST.delegations + 1)
		.required(),
}).unknown(true);

const delegation = Joi.object({
	...roleKeys,
	name: Joi.string().pattern(ROLE_NAME).invalid('root', 'timestamp', 'snapshot', 'targets').required(),
	terminating: Joi.boolean().required(),
	paths: Joi.array().items(Joi.string().pattern(PATH_PATTERN)).min(1).max(MOST.patterns).required(),
	path_hash_prefixes: Joi.forbidden(),
}).unknown(true);

const target = Joi.object({
	length: whole.min(1),
	hashes: Joi.object({ sha256: hex(64).required(), sha512: hex(128) }).required(),
	custom: Joi.object().unknown(true),
}).unknown(true);

const targets = Joi.object({
	...common('targets'),
	targets: Joi.object().pattern(TARGET_PATH, target).max(MOST.targets).required(),
	delegations: Joi.object({
		keys,
		roles: Joi.array().items(delegation).unique('name').max(MOST.delegations).required(),
		succinct_roles: Joi.forbidden(),
	}).unknown(true),
}).unknown(true);

const SIGNED = { root, timestamp, snapshot, targets } as const;
export type MetadataType = keyof typeof SIGNED;

const documentOf = (type: MetadataType): Joi.ObjectSchema =>
	Joi.object({
		signed: SIGNED[type].required(),
		signatures: Joi.array()
			.items(Joi.object({ keyid: keyId.required(), sig: hex(128).allow('').required() }).unknown(true))
			.max(MOST.signatures)
			.required(),
	}).unknown(true);

/** A whole file of each type, its signatures not yet looked at. */
export const METADATA_SCHEMAS: Readonly<Record<MetadataType, Joi.ObjectSchema>> = {
	root: documentOf('root'),
	timestamp: documentOf('timestamp'),
	snapshot: documentOf('snapshot'),
	targets: documentOf('targets'),
};
