import test from 'ava';
import fc from 'fast-check';

import { camelCase, membersRenamed, snakeCase, treeRenamed } from '../../config/tree.ts';

/** Of what settings and connections are made: a word does not begin with a digit. */
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
const written = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('_'));

test('a written name is the same after it was a name of the program', (t) => {
	fc.assert(fc.property(written, (name) => snakeCase(camelCase(name)) === name));
	t.pass();
});

for (const [wire, name] of [
	['host', 'host'],
	['period_ms', 'periodMs'],
	['certificate_authority_file', 'certificateAuthorityFile'],
	['rfc_2217', 'rfc2217'],
] as const) {
	test(`${wire} is ${name} in the program`, (t) => {
		t.is(camelCase(wire), name);
	});
}

const WIRE = { period_ms: 1, line: { baud_rate: 9_600 }, points: [{ unit_id: 1 }, 'as_is', null] };

test('a tree is renamed down to the members of what is in its lists, its values are not', (t) => {
	t.deepEqual(treeRenamed(WIRE, camelCase), {
		periodMs: 1,
		line: { baudRate: 9_600 },
		points: [{ unitId: 1 }, 'as_is', null],
	});
});

test('members alone are renamed without what is in them', (t) => {
	t.deepEqual(membersRenamed(WIRE, camelCase), { periodMs: 1, line: WIRE.line, points: WIRE.points });
});

test('what is no tree stays what it is', (t) => {
	for (const value of [null, undefined, 'period_ms', 5, false]) t.is(treeRenamed(value, camelCase), value);
});
