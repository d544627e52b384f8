import { Metadata, MetadataKind, Signature } from '@tufjs/models';
import test from 'ava';
import fc from 'fast-check';

import type { JsonObject } from '../../core/configuration/canonical-json.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { canonicalForm } from '../../firmware-ota/trust/canonical-form.ts';

test('the canonical form is that of the specification: keys in order, no spaces, only what ends a string escaped', (t) => {
	const value: JsonObject = { b: [1, true, null, 'x"y\\z\n\u0001é'], a: { d: -0, c: 2 ** 40 }, '': false };
	t.is(canonicalForm(value), '{"":false,"a":{"c":1099511627776,"d":0},"b":[1,true,null,"x\\"y\\\\z\n\u0001é"]}');
	t.throws(() => canonicalForm({ half: 0.5 }), { instanceOf: RangeError });
});

/** What the library signs of a file. */
function signedByLibrary(signed: JsonObject): string {
	const file: unknown = { signed, signatures: [] };
	const metadata = Metadata.fromJSON(MetadataKind.Targets, JSON.parse(JSON.stringify(file)));
	let found = '';
	metadata.sign((bytes) => {
		found = bytes.toString();
		return new Signature({ keyID: '', sig: '' });
	});
	return found;
}

const text = fc.string({ unit: 'binary' }).filter((word) => word !== '__proto__');
const anything = fc.letrec<{ any: JsonValue }>((tie) => ({
	any: fc.oneof(
		{ maxDepth: 3 },
		text,
		fc.maxSafeInteger(),
		fc.boolean(),
		fc.constant(null),
		fc.array(tie('any'), { maxLength: 4 }),
		fc.dictionary(text, tie('any'), { maxKeys: 4, noNullPrototype: true }),
	),
})).any;

test("it is the library's, letter by letter, whatever is in a file", (t) => {
	fc.assert(
		fc.property(fc.dictionary(text, anything, { maxKeys: 5, noNullPrototype: true }), (custom) => {
			const signed = {
				_type: 'targets',
				spec_version: '1.0.31',
				version: 1,
				expires: '2099-01-01T00:00:00Z',
				targets: { x: { length: 1, hashes: { sha256: 'a' }, custom } },
			};
			return canonicalForm(signed) === signedByLibrary(signed);
		}),
	);
	t.pass();
});
