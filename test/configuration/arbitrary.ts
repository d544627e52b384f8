import fc from 'fast-check';

import type { JsonValue } from '../../core/telemetry/reading.ts';

const KEYS = ['a', 'b', 'name', 'devices', 'x/y', 'x~y', '__proto__', ''];

/** JSON with few keys, so that two of them often meet. */
export const jsonOfConfiguration: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
	value: fc.oneof(
		{ maxDepth: 4, depthSize: 'small' },
		fc.constantFrom<JsonValue>(null, true, false, 0, 1, -2.5, '', 'text'),
		fc.array(tie('value'), { maxLength: 3 }),
		fc
			.array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 5 })
			.map((entries): JsonValue => Object.fromEntries(entries)),
	),
})).value;

/** The same with an object at the top. */
export const jsonObject: fc.Arbitrary<JsonValue> = fc
	.array(fc.tuple(fc.constantFrom(...KEYS), jsonOfConfiguration), { maxLength: 6 })
	.map((entries): JsonValue => Object.fromEntries(entries));
