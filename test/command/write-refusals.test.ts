import test from 'ava';

import type { TemplatePoint } from '../../config/template/template.ts';
import type { CommandPayload } from '../../core/command/command.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { writePlan } from '../../gateway/command/write-plan.ts';
import { point, template } from '../fake/plain-plan.ts';
import { BIT, COIL, target } from '../fake/write-target.ts';

const many = (count: number) =>
	Array.from({ length: count }, (_, index) => target(`p${index}`, 100 + index, { block: 'x' }));

const refused: readonly (readonly [
	what: string,
	points: readonly TemplatePoint[],
	payload: CommandPayload,
	field: string,
	words: RegExp,
])[] = [
	[
		'a value between steps',
		[target('a', 1, { step: 5 })],
		{ point: 'a', value: 12 },
		'payload.value',
		/in steps of 5 from 0 for point a; found 12/,
	],
	[
		'a value between steps from the least',
		[target('a', 1, { min: 1, step: 5 })],
		{ point: 'a', value: 10 },
		'payload.value',
		/in steps of 5 from 1/,
	],
	[
		'a value below what may be written',
		[target('a', 1, { min: 4 }, { min: 0 })],
		{ point: 'a', value: 3 },
		'payload.value',
		/at least 4 for point a; found 3/,
	],
	[
		'a value above what may be written',
		[target('a', 1, { max: 4 }, { max: 9 })],
		{ point: 'a', value: 5 },
		'payload.value',
		/at most 4/,
	],
	[
		'a number without a text',
		[target('a', 1, {}, { enum: { 0: 'off' } })],
		{ point: 'a', value: 1 },
		'payload.value',
		/one of 0 \(off\)/,
	],
	[
		'a text where its number is written',
		[target('a', 1, {}, { enum: { 0: 'off', 1: 'on' } })],
		{ point: 'a', value: 'on' },
		'payload.value',
		/must be one of 0 \(off\), 1 \(on\) for point a; found "on"/,
	],
	[
		'a number that is written as a text',
		[target('a', 1, {}, { enum: { 0: 'off', 1: 'on' } })],
		{ point: 'a', value: '1' },
		'payload.value',
		/must be a number for point a; found "1"/,
	],
	['a point that is only read', [point('a', 1)], { point: 'a', value: 1 }, 'payload.point', /can only be read/],
	[
		'a bit that the template does not say how to write',
		[target('a', 1, {}, BIT)],
		{ point: 'a', value: true },
		'payload.point',
		/part of a register/,
	],
	['no point at all', [target('a', 1, {})], {}, 'payload.point', /found null/],
	['points that are no list', [target('a', 1, {})], { points: 'a' }, 'payload.points', /must be a list of 1 to 50/],
	['an empty list', [target('a', 1, {})], { points: [] }, 'payload.points', /found \[\]/],
	[
		'more points than one command writes',
		[target('a', 1, {})],
		{ points: Array.from({ length: 51 }, () => null) },
		'payload.points',
		/1 to 50/,
	],
	[
		'a list of something else',
		[target('a', 1, {})],
		{ points: [1] },
		'payload.points[0]',
		/must be \{point, value\}; found 1/,
	],
	[
		'a point twice',
		[target('a', 1, {})],
		{
			points: [
				{ point: 'a', value: 1 },
				{ point: 'a', value: 2 },
			],
		},
		'payload.points[1].point',
		/"a" is also points\[0\]/,
	],
	[
		'a point beside the list',
		[target('a', 1, {})],
		{ point: 'a', points: [{ point: 'a', value: 1 }] },
		'payload.point',
		/beside points; found "a"/,
	],
	[
		'a wrong value in the list',
		[target('a', 1, {}, { max: 4 }), target('b', 2, {})],
		{
			points: [
				{ point: 'b', value: 1 },
				{ point: 'a', value: 5 },
			],
		},
		'payload.points[1].value',
		/at most 4/,
	],
	[
		'a value of the list that does not fit',
		[target('a', 1, {}), target('b', 2, {})],
		{
			points: [
				{ point: 'b', value: 1 },
				{ point: 'a', value: 70_000 },
			],
		},
		'payload.points[1].value',
		/fit into 16 bits/,
	],
	[
		'a block that one request cannot carry',
		many(124),
		{ point: 'p0', value: 1 },
		'payload.point',
		/block that one request can carry; x has 124 from 100 on; .* 123/,
	],
	[
		'a block with a gap',
		[target('a', 1, { block: 'x' }), target('b', 3, { block: 'x' })],
		{
			points: [
				{ point: 'a', value: 1 },
				{ point: 'b', value: 1 },
			],
		},
		'payload.points',
		/has a gap at 2/,
	],
	[
		'a block of registers and coils',
		[target('a', 1, { block: 'x' }), target('b', 2, { block: 'x' }, COIL)],
		{ point: 'a', value: 1 },
		'payload.point',
		/both registers and coils/,
	],
	[
		'a block without a point that cannot be read',
		[target('a', 1, { block: 'x' }), target('b', 2, { block: 'x' }, { access: 'w' })],
		{ point: 'a', value: 1 },
		'payload.point',
		/must give all of block x .*; found none for b/,
	],
];
for (const [what, points, payload, field, words] of refused)
	test(`refuses ${what}, and names the field`, (t) => {
		const fault = t.throws(() => writePlan(template(points), { name: 'write', payload }), { instanceOf: Fault });
		t.is(fault.reason, 'rule-violation');
		t.is(fault.field, field);
		t.true(fault.message.startsWith(`${field}: `), fault.message);
		t.regex(fault.message, words);
	});

test('steps that decimals miss by a hair are steps', (t) => {
	const points = [target('a', 1, { min: 0.1, step: 0.1 }, { type: 'float32', count: 2, byteOrder: 'ABCD' })];
	for (let tenth = 1; tenth < 1_000; tenth += 1)
		t.notThrows(() => writePlan(template(points), { name: 'write', payload: { point: 'a', value: tenth / 10 } }));
});
