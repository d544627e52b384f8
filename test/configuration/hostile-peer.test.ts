import test from 'ava';

import { checksumOf } from '../../core/configuration/canonical-json.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { configMessage, type ConfigState, parseConfigDown, parseConfigUp } from '../../core/link/config-messages.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { GATEWAY } from '../fake/device-box.ts';
import { managed, OPERATOR, renamed } from './scene.ts';

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

const state = (more: Partial<ConfigState>): ConfigState => ({
	type: 'state',
	revision: 0,
	checksum: null,
	current: checksumOf({}),
	base: 0,
	drift: [],
	previous: null,
	trial: null,
	last: null,
	restartNeeded: [],
	...more,
});

test('a message that nests without end is refused, on either side', (t) => {
	const said = configMessage(state({ drift: [{ op: 'add', path: '', value: 'HERE' }] })).toString();
	const up = Buffer.from(said.replace('"HERE"', deep(100_000)));
	t.throws(() => parseConfigUp(up), { instanceOf: Fault, message: /levels/ });
	const down = Buffer.from(`{"type":"revision","revision":1,"document":${deep(100_000)}}`);
	t.throws(() => parseConfigDown(down), { instanceOf: Fault, message: /levels/ });
	t.is(parseConfigUp(configMessage(state({}))).type, 'state');
});

test('a template that nests without end is a mistake of whoever sends it', async (t) => {
	const bench = await managed(t);
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what comes out of JSON.parse is JSON
	const content = JSON.parse(`{"a":${deep(100_000)}}`) as JsonValue;
	const wanted = { document: {}, patch: null, base: null, templates: { mine: content }, comment: '' };
	await t.throwsAsync(bench.hub.create(GATEWAY, wanted, OPERATOR), { instanceOf: Fault, message: /levels/ });
});

test('a template that nothing names is not kept', async (t) => {
	const bench = await managed(t);
	const content = { any: 'content' };
	await t.throwsAsync(bench.service().template(checksumOf(content), content), {
		instanceOf: Fault,
		message: /nothing that was ordered names/,
	});
});

test('an order that comes again after a later one changes nothing', async (t) => {
	const bench = await managed(t);
	const older = bench.hub.head(GATEWAY).order;
	const revision = await bench.revise(renamed('one', 'Main feed'));
	await bench.apply(revision);
	await bench.until('running');
	if (older === null) return t.fail('nothing was ordered');
	t.false(bench.service().order(older));
	await bench.connect();
	await bench.until('running');
	t.is(bench.service().state(false).revision, revision);
});
