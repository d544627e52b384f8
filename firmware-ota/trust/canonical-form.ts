import { isJsonObject } from '../../core/configuration/canonical-json.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';

/** Only what would end a string is escaped, so that any other letter stands for itself. */
const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/**
 * The bytes that signatures of TUF are over: OLPC canonical JSON (TUF 1.0.34, 4.1). Unlike RFC 8785 it leaves control characters as they are.
 *
 * @throws RangeError for a number that is not whole: the form has none
 */
export function canonicalForm(value: JsonValue): string {
	if (typeof value === 'string') return quoted(value);
	if (typeof value === 'number' && !Number.isInteger(value)) throw new RangeError(`${value} has no canonical form`);
	if (Array.isArray(value)) return `[${value.map((item: JsonValue) => canonicalForm(item)).join(',')}]`;
	if (!isJsonObject(value)) return JSON.stringify(value);
	const members = Object.keys(value)
		.toSorted()
		.map((key) => `${quoted(key)}:${canonicalForm(value[key] ?? null)}`);
	return `{${members.join(',')}}`;
}
