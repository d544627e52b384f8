import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import test from 'ava';

import { parseTemplate } from '../../config/template/template-schema.ts';
import type { SetTimer } from '../../core/journal/set-timer.ts';
import { silentLog } from '../../core/kernel/log.ts';
import type { ImportRequest } from '../../gateway/template/import/import-preview.ts';
import { createImportService } from '../../gateway/template/import/import-service.ts';
import { openTemplateLibrary } from '../../gateway/template/template-library.ts';
import { createTemplateThread, type TemplateThreadDeps } from '../../gateway/template/template-thread.ts';
import { optionsOf } from '../fake/import-options.ts';

const meter = parseTemplate('meter', {
	manufacturer: 'A',
	model: 'B',
	category: 'c',
	transports: ['rtu'],
	points: [{ key: 'a', name: 'A', function: 3, address: 0, count: 1, type: 'uint16', byte_order: 'AB' }],
});

const bases = new Map([['meter', meter]]);

const service = (more: Partial<TemplateThreadDeps> = {}) =>
	createImportService({
		thread: createTemplateThread({ bases, ...more }),
		current: (key) => bases.get(key),
		log: silentLog,
	});

const requestOf = (content: string, more: Partial<ImportRequest> = {}): ImportRequest => ({
	key: 'new',
	format: 'auto',
	fileName: '',
	content: Buffer.from(content),
	options: optionsOf(),
	...more,
});

/** A time that is over when it begins. */
const atOnce: SetTimer = (callback) => {
	callback();
	return () => undefined;
};

const extending = (base: string) => requestOf(JSON.stringify({ extends: base, points: [{ key: 'a', scale: 2 }] }));

const CSV = 'key,name,function,address,type\na,A,3,5,uint16\n';

test.serial('a file is read beside everything else, and held against the template that it would replace', async (t) => {
	const preview = service().preview(requestOf(CSV, { key: 'meter' }));
	t.is(await Promise.race([preview.then(() => 'read'), nextTurn('a turn of the others')]), 'a turn of the others');
	const { format, isSound, diff } = await preview;
	t.is(format, 'csv');
	t.true(isSound);
	t.deepEqual(diff?.changed, [{ key: 'a', members: [{ member: 'address', before: 0, after: 5 }] }]);
});

test.serial(
	'a file that extends a template of this box is judged with it, and one that extends another is not sound',
	async (t) => {
		const imports = service();
		const sound = await imports.preview(extending('meter'));
		t.deepEqual(sound.notes, []);
		t.true(sound.isSound);
		const lost = await imports.preview(extending('nothing'));
		t.false(lost.isSound);
		t.is(lost.notes[0]?.field, 'extends');
	},
);

test.serial('a file that cannot be read says where, one that is too large or takes too long is refused', async (t) => {
	const [note] = (await service().preview(requestOf('{\n"points": }', { format: 'template' }))).notes;
	t.is(note?.place.line, 2);
	await t.throwsAsync(service().preview(requestOf('x'.repeat(1024 * 1024 + 1))), {
		message: /at most 1048576 bytes/,
	});
	const imports = service({ setTimer: atOnce });
	await t.throwsAsync(imports.preview(requestOf(CSV)), { message: /^content: must be read within 30 s/ });
});

test.serial('imports wait for each other, and only so many', async (t) => {
	const imports = service({ setTimer: atOnce });
	const all = await Promise.allSettled(Array.from({ length: 6 }, () => imports.preview(requestOf(CSV))));
	const reasons = all.map((one) => (one.status === 'rejected' ? String(one.reason) : ''));
	t.is(reasons.filter((reason) => reason.includes('must be read within')).length, 5);
	t.is(reasons.filter((reason) => reason.includes('too many')).length, 1);
});

test.serial('a template with many points is judged beside everything else, and every mistake is named', async (t) => {
	const folder = await mkdtemp(join(tmpdir(), 'library-'));
	t.teardown(() => rm(folder, { recursive: true, force: true }));
	const library = await openTemplateLibrary({ folder, base: bases, log: silentLog });
	const many = Array.from({ length: 2000 }, (_, address) => ({
		key: `p${address}`,
		name: 'P',
		function: 4,
		address,
		count: 1,
		type: 'uint16',
		byte_order: 'AB',
	}));
	await library.put('large', { extends: 'meter', points: many });
	t.deepEqual(library.templates.get('large'), parseTemplate('large', { extends: 'meter', points: many }, bases));
	const wrong = many.with(1999, Object.assign({}, many[1999], { count: 3 }));
	const refused = await t.throwsAsync(library.put('large', { extends: 'meter', points: wrong }));
	t.regex(refused?.message ?? '', /points\[1999\]\.count/);
	t.is(library.templates.get('large')?.points.length, 2001);
	const hasty = await openTemplateLibrary({ folder, base: bases, log: silentLog, setTimer: atOnce });
	await t.throwsAsync(hasty.put('large', { extends: 'meter', points: many }), {
		message: /^points: must be read within/,
	});
	await t.notThrowsAsync(hasty.put('small', { extends: 'meter', points: many.slice(0, 10) }));
});
