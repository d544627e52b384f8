import Joi from 'joi';

import { connectionSchema } from '../../config/connection/connection-schema.ts';
import { DEVICE_UID_PATTERN, deviceName, deviceTypeName, metadataSchema } from '../device/device-schema.ts';
import type { JsonValue } from '../telemetry/reading.ts';
import { canonicalJson } from './canonical-json.ts';
import { MAX_POINTER_LENGTH, toPointer } from './json-pointer.ts';
import { type ConfigurationDocument, type ConfigurationMistake, MAX_DOCUMENT_BYTES } from './configuration.ts';
import { MAX_OPERATIONS, type Patch } from './json-patch.ts';

/** Devices and templates of one configuration. */
const MAX_CONFIGURED_DEVICES = 1_000;
const MAX_CONFIGURED_TEMPLATES = 64;
/** More mistakes than anyone corrects in one go. */
const MAX_MISTAKES = 200;

const MIB = 1024 * 1024;

export const sha256 = () => Joi.string().pattern(/^[0-9a-f]{64}$/);

const hostOrNone = Joi.alternatives(
	Joi.valid(''),
	Joi.string().ip({ cidr: 'forbidden' }),
	Joi.string().hostname(),
).messages({ 'alternatives.match': 'must be an IP address, a host name, or empty' });

const configuredDevice = Joi.object({
	name: deviceName.required(),
	device_type: deviceTypeName.required(),
	metadata: metadataSchema.default({}),
	connection: connectionSchema.allow(null).default(null),
});

/** Every setting is there: a configuration is whole, so that two of them can be compared. */
const document = Joi.object({
	format: Joi.valid(1).required(),
	site: Joi.object({ name: Joi.string().allow('').max(255).required() }).required(),
	journal: Joi.object({
		flush_interval_ms: Joi.number().integer().min(10).max(60_000).required(),
		min_flush_gap_ms: Joi.number().integer().min(0).max(10_000).required(),
		max_bytes: Joi.number()
			.integer()
			.min(MIB)
			.max(1024 * 1024 * MIB)
			.required(),
	}).required(),
	history: Joi.object({
		retention_days: Joi.number().integer().min(1).max(3_650).required(),
		rollup_days: Joi.number().integer().min(1).max(3_650).required(),
		max_bytes: Joi.number()
			.integer()
			.min(64 * MIB)
			.max(1024 * 1024 * 1024 * MIB)
			.required(),
	}).required(),
	uplink: Joi.object({
		link_host: hostOrNone.required(),
		link_port: Joi.number().integer().min(0).max(65_535).required(),
		backfill_bytes_per_second: Joi.number().integer().min(1_024).max(1_000_000_000).required(),
	}).required(),
	devices: Joi.object().pattern(DEVICE_UID_PATTERN, configuredDevice).max(MAX_CONFIGURED_DEVICES).required(),
	templates: Joi.object()
		.pattern(/^[a-z0-9][a-z0-9-]{0,63}$/, Joi.object({ sha256: sha256().required() }))
		.max(MAX_CONFIGURED_TEMPLATES)
		.required(),
});

const OPTIONS: Joi.ValidationOptions = { abortEarly: false, convert: false, errors: { label: false } };

/** A document that was checked, or what is wrong with it. */
export type CheckedDocument =
	| { readonly document: ConfigurationDocument; readonly mistakes: readonly [] }
	| { readonly document: null; readonly mistakes: readonly ConfigurationMistake[] };

/** Checks the form of a document whole and puts in the defaults of devices; nothing about it is trusted. */
export function checkDocument(raw: unknown): CheckedDocument {
	const { value, error }: { value: unknown; error?: Joi.ValidationError | undefined } = document.validate(raw, OPTIONS);
	if (error !== undefined) {
		const mistakes = error.details.map(({ path, message }) => ({ path: toPointer(path.map(String)), message }));
		return { document: null, mistakes: mistakes.slice(0, MAX_MISTAKES) };
	}
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just validated
	const bytes = Buffer.byteLength(canonicalJson(value as JsonValue));
	if (bytes > MAX_DOCUMENT_BYTES) {
		const message = `a configuration has at most ${MAX_DOCUMENT_BYTES} bytes; found ${bytes}`;
		return { document: null, mistakes: [{ path: '', message }] };
	}
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just validated
	return { document: value as ConfigurationDocument, mistakes: [] };
}

const pointer = () => Joi.string().allow('').max(MAX_POINTER_LENGTH).required();

const operation = Joi.alternatives(
	Joi.object({ op: Joi.valid('add', 'replace', 'test').required(), path: pointer(), value: Joi.any().required() }),
	Joi.object({ op: Joi.valid('remove').required(), path: pointer() }),
	Joi.object({ op: Joi.valid('move', 'copy').required(), path: pointer(), from: pointer() }),
);

/** A JSON patch (RFC 6902). */
export const patchSchema = Joi.array<Patch>().items(operation).max(MAX_OPERATIONS);
