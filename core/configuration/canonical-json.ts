import { hash } from 'node:crypto';

import type { JsonValue } from '../telemetry/reading.ts';

export type JsonObject = { readonly [key: string]: JsonValue };

export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same value with the keys of every object in the order of their UTF-16 code units. */
function sorted(value: JsonValue): JsonValue {
	if (Array.isArray(value)) return value.map((item: JsonValue) => sorted(item));
	if (!isJsonObject(value)) return value;
	return Object.fromEntries(
		Object.keys(value)
			.toSorted()
			.map((key) => [key, sorted(value[key] ?? null)]),
	);
}

/**
 * One text for equal values: keys in order, no spaces, numbers as ECMAScript writes them (RFC 8785). Only for values that came out of
 * `JSON.parse` or a schema, so that every number is finite.
 */
export const canonicalJson = (value: JsonValue): string => JSON.stringify(sorted(value));

/** SHA-256 of the canonical text, hexadecimal. */
export const checksumOf = (value: JsonValue): string => hash('sha256', canonicalJson(value), 'hex');

function areEqualLists(one: readonly JsonValue[], other: readonly JsonValue[]): boolean {
	return one.length === other.length && one.every((item, index) => isEqualJson(item, other[index]));
}

function areEqualObjects(one: JsonObject, other: JsonObject): boolean {
	const keys = Object.keys(one);
	if (keys.length !== Object.keys(other).length) return false;
	return keys.every((key) => Object.hasOwn(other, key) && isEqualJson(one[key] ?? null, other[key] ?? null));
}

/** Equal but for the order of keys. Ends at the first difference: it takes no longer than the smaller value is large. */
export function isEqualJson(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
	if (one === other) return true;
	if (Array.isArray(one)) return Array.isArray(other) && areEqualLists(one, other as readonly JsonValue[]);
	return isJsonObject(one) && isJsonObject(other) && areEqualObjects(one, other);
}
