import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import { parseTemplate } from '../../config/template/template-schema.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ImportRequest } from '../../gateway/template/import/import-preview.ts';
import { createImportService, type ImportServiceDeps } from '../../gateway/template/import/import-service.ts';
import { optionsOf } from '../fake/import-options.ts';

const meter = parseTemplate('meter', {
	manufacturer: 'A',
	model: 'B',
	category: 'c',
	transports: ['rtu'],
	points: [{ key: 'a', name: 'A', function: 3, address: 0, count: 1, type: 'uint16', byte_order: 'AB' }],
});

const service = (more: Partial<ImportServiceDeps> = {}) =>
	createImportService({
		bases: new Map([['meter', meter]]),
		current: (key) => (key === 'meter' ? meter : undefined),
		log: silentLog,
		...more,
	});

const requestOf = (content: string, more: Partial<ImportRequest> = {}): ImportRequest => ({
	key: 'new',
	format: 'auto',
	fileName: '',
	content: Buffer.from(content),
	options: optionsOf(),
	...more,
});

const extending = (base: string) => requestOf(JSON.stringify({ extends: base, points: [{ key: 'a', scale: 2 }] }));

const CSV = 'key,name,function,address,type\na,A,3,5,uint16\n';

test('a file is read beside everything else, and held against the template that it would replace', async (t) => {
	const preview = service().preview(requestOf(CSV, { key: 'meter' }));
	t.is(await Promise.race([preview.then(() => 'read'), nextTurn('a turn of the others')]), 'a turn of the others');
	const { format, isSound, diff } = await preview;
	t.is(format, 'csv');
	t.true(isSound);
	t.deepEqual(diff?.changed, [{ key: 'a', members: [{ member: 'address', before: 0, after: 5 }] }]);
});

test('a file that extends a template of this box is judged with it, and one that extends another is not sound', async (t) => {
	const imports = service();
	const sound = await imports.preview(extending('meter'));
	t.deepEqual(sound.notes, []);
	t.true(sound.isSound);
	const lost = await imports.preview(extending('nothing'));
	t.false(lost.isSound);
	t.is(lost.notes[0]?.field, 'extends');
});

test('a file that cannot be read says where, one that is too large or takes too long is refused, and the next is read', async (t) => {
	const [note] = (await service().preview(requestOf('{\n"points": }', { format: 'template' }))).notes;
	t.is(note?.place.line, 2);
	await t.throwsAsync(service().preview(requestOf('x'.repeat(1024 * 1024 + 1))), { message: /at most 1048576 bytes/ });
	const imports = service({
		setTimer(callback) {
			callback();
			return () => undefined;
		},
	});
	await t.throwsAsync(imports.preview(requestOf(CSV)), { message: /^content: must be read within 30 s/ });
	t.true((await service().preview(requestOf(CSV))).isSound);
});

test('imports wait for each other, and only so many', async (t) => {
	const imports = service();
	const all = await Promise.allSettled(Array.from({ length: 6 }, () => imports.preview(requestOf(CSV))));
	t.deepEqual(
		all.map(({ status }) => status),
		['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
	);
});
