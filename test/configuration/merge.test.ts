import test from 'ava';
import fc from 'fast-check';

import { isEqualJson, isJsonObject } from '../../core/configuration/canonical-json.ts';
import {
	type ConfigurationDocument,
	type ConfiguredDevice,
	mergeConfigurations,
	touchedDevices,
} from '../../core/configuration/configuration.ts';
import { stepsOf, toPointer } from '../../core/configuration/json-pointer.ts';
import { type Merge, mergeThreeWay, type Side } from '../../core/configuration/merge.ts';
import type { JsonValue } from '../../core/telemetry/reading.ts';
import { jsonObject } from './arbitrary.ts';

function at(document: JsonValue, pointer: string): JsonValue | undefined {
	let here: JsonValue | undefined = document;
	for (const step of stepsOf(pointer)) {
		if (!isJsonObject(here) || !Object.hasOwn(here, step)) return undefined;
		here = here[step];
	}
	return here;
}

const undecided = () => null;

/** The single values of a document by pointer; a list is one value. */
function leavesOf(value: JsonValue, steps: readonly string[] = []): ReadonlyMap<string, JsonValue> {
	if (!isJsonObject(value)) return new Map([[toPointer(steps), value]]);
	const leaves = new Map<string, JsonValue>();
	for (const [key, child] of Object.entries(value))
		for (const [pointer, leaf] of leavesOf(child, [...steps, key])) leaves.set(pointer, leaf);
	return leaves;
}

const isWithin = (pointer: string, place: string): boolean => pointer === place || pointer.startsWith(`${place}/`);

/** Places where a side says something else than the base. */
function changedLeaves(base: JsonValue, side: JsonValue): readonly string[] {
	const [was, is] = [leavesOf(base), leavesOf(side)];
	return [...new Set([...was.keys(), ...is.keys()])].filter(
		(pointer) => !isEqualJson(was.get(pointer), is.get(pointer)),
	);
}

/** Values of a side that it has changed, and that the merged document has in another way, although no conflict names them. */
function lostOf(base: JsonValue, side: JsonValue, { document, conflicts }: Merge): readonly string[] {
	const is = leavesOf(side);
	return changedLeaves(base, side).filter((pointer) => {
		if (conflicts.some(({ path }) => isWithin(pointer, path) || isWithin(path, pointer))) return false;
		// An object in the place of the single value that was taken away takes nothing away.
		return !is.has(pointer) ? leavesOf(document).has(pointer) : !isEqualJson(at(document, pointer), is.get(pointer));
	});
}

test('a side that has changed nothing takes what the other has made', (t) => {
	fc.assert(
		fc.property(jsonObject, jsonObject, (base, changed) => {
			const fromHub = mergeThreeWay({ base, gateway: base, hub: changed, decide: undecided });
			t.true(isEqualJson(fromHub.document, changed));
			t.deepEqual(fromHub.conflicts, []);
			const fromGateway = mergeThreeWay({ base, gateway: changed, hub: base, decide: undecided });
			t.true(isEqualJson(fromGateway.document, changed));
			t.deepEqual(fromGateway.conflicts, []);
		}),
	);
});

test('the same three documents always merge to the same', (t) => {
	fc.assert(
		fc.property(jsonObject, jsonObject, jsonObject, (base, gateway, hub) => {
			const input = { base, gateway, hub, decide: undecided };
			t.deepEqual(mergeThreeWay(input), mergeThreeWay(structuredClone({ base, gateway, hub }) && input));
		}),
	);
});

test('what both have made alike is no conflict', (t) => {
	fc.assert(
		fc.property(jsonObject, jsonObject, (base, both) => {
			const { document, conflicts } = mergeThreeWay({ base, gateway: both, hub: both, decide: undecided });
			t.true(isEqualJson(document, both));
			t.deepEqual(conflicts, []);
		}),
	);
});

test('nothing that either side has changed is lost: it is in the result, or named with both values', (t) => {
	fc.assert(
		fc.property(
			jsonObject,
			jsonObject,
			jsonObject,
			fc.constantFrom<Side | null>('hub', 'gateway', null),
			(base, gateway, hub, side) => {
				const merged = mergeThreeWay({ base, gateway, hub, decide: () => side });
				const { document, conflicts } = merged;
				t.deepEqual(lostOf(base, gateway, merged), []);
				t.deepEqual(lostOf(base, hub, merged), []);
				for (const { path, gateway: mine, hub: theirs, taken } of conflicts) {
					const kept = at(document, path) ?? null;
					t.true(isEqualJson(kept, taken === 'hub' ? theirs : mine), path);
					t.is(taken, side);
				}
			},
		),
	);
});

test('deciding for the hub at every conflict gives the hub all it has changed', (t) => {
	fc.assert(
		fc.property(jsonObject, jsonObject, jsonObject, (base, gateway, hub) => {
			const { document } = mergeThreeWay({ base, gateway, hub, decide: () => 'hub' });
			t.deepEqual(lostOf(base, hub, { document, conflicts: [] }), []);
		}),
	);
});

const serial = (path: string, more: { unitId?: number; baud?: number } = {}): ConfiguredDevice => ({
	name: 'Meter',
	device_type: 'meter',
	metadata: {},
	connection: {
		driver: 'modbus',
		line: {
			transport: 'rtu',
			path,
			baud_rate: more.baud ?? 9_600,
			parity: 'none',
			data_bits: 8,
			stop_bits: 1,
		},
		unit_id: more.unitId ?? 1,
		template: 'eastron-sdm630',
		period_ms: 1_000,
		timeout_ms: 500,
	},
});

const overTcp = (host: string, template = 'eastron-sdm630'): ConfiguredDevice => ({
	...serial('/dev/none'),
	connection: {
		driver: 'modbus',
		line: { transport: 'tcp', host, port: 502 },
		unit_id: 1,
		template,
		period_ms: 1_000,
		timeout_ms: 500,
	},
});

const documentWith = (devices: ConfigurationDocument['devices'], templates = {}): ConfigurationDocument => ({
	format: 1,
	site: { name: '' },
	journal: { flush_interval_ms: 1_000, min_flush_gap_ms: 20, max_bytes: 1_000_000_000 },
	history: { retention_days: 365, rollup_days: 3_650, max_bytes: 2_000_000_000 },
	uplink: { link_host: '', link_port: 0, backfill_bytes_per_second: 1_000_000 },
	devices,
	templates,
});

test('a line is one thing: two changes of it are a conflict, and never a mixture', (t) => {
	const { document, conflicts } = mergeConfigurations({
		base: documentWith({ meter: serial('/dev/a') }),
		gateway: documentWith({ meter: serial('/dev/a', { baud: 19_200 }) }),
		hub: documentWith({ meter: serial('/dev/b') }),
		decide: () => 'hub',
	});
	t.deepEqual(document.devices['meter'], serial('/dev/b'));
	t.deepEqual(
		conflicts.map(({ path }) => path),
		['/devices/meter/connection/line'],
	);
});

test('a connection whose driver one side has changed is one thing', (t) => {
	const mqtt: ConfiguredDevice = { ...serial(''), connection: { driver: 'mqtt' } };
	const { document, conflicts } = mergeConfigurations({
		base: documentWith({ meter: serial('/dev/a') }),
		gateway: documentWith({ meter: serial('/dev/a', { unitId: 7 }) }),
		hub: documentWith({ meter: mqtt }),
		decide: () => null,
	});
	t.deepEqual(document.devices['meter'], serial('/dev/a', { unitId: 7 }));
	t.deepEqual(
		conflicts.map(({ path }) => path),
		['/devices/meter/connection'],
	);
});

test('changes of different fields of one device live together', (t) => {
	const { document, conflicts } = mergeConfigurations({
		base: documentWith({ meter: serial('/dev/a') }),
		gateway: documentWith({ meter: { ...serial('/dev/a', { unitId: 7 }) }, added: overTcp('10.0.0.9') }),
		hub: documentWith({ meter: { ...serial('/dev/a'), name: 'Main feed' } }),
		decide: () => null,
	});
	t.deepEqual(conflicts, []);
	t.deepEqual(document.devices, {
		added: overTcp('10.0.0.9'),
		meter: { ...serial('/dev/a', { unitId: 7 }), name: 'Main feed' },
	});
});

test('a device that one side deletes and the other changes is a conflict of the whole device', (t) => {
	const { conflicts } = mergeConfigurations({
		base: documentWith({ meter: serial('/dev/a') }),
		gateway: documentWith({}),
		hub: documentWith({ meter: serial('/dev/a', { unitId: 2 }) }),
		decide: () => null,
	});
	t.deepEqual(
		conflicts.map(({ path, gateway }) => ({ path, gateway })),
		[{ path: '/devices/meter', gateway: null }],
	);
});

test('what may be disturbed is what changes, what shares its line, and what has another template', (t) => {
	const before = documentWith({ one: overTcp('a'), two: overTcp('a'), three: overTcp('b'), four: overTcp('c', 'own') });
	const after = documentWith(
		{
			one: { ...overTcp('a'), name: 'One' },
			two: overTcp('a'),
			three: overTcp('b'),
			four: overTcp('c', 'own'),
			new: overTcp('d'),
		},
		{ own: { sha256: 'f'.repeat(64) } },
	);
	t.deepEqual([...touchedDevices(before, after)].toSorted(), ['four', 'new', 'one', 'two']);
});
