import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';

import test from 'ava';

import { type ProbeVerdict, probeVerdict } from '../../config/template/probe.ts';
import { readTemplates } from '../../config/template/template-schema.ts';
import type { DeviceTemplate, TemplateDocument, TemplatePoint } from '../../config/template/template.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';
import { createDeviceDecoder, createReadDecoder } from '../../gateway/driver/modbus/codec/register-decoder.ts';
import { tcpCost } from '../../gateway/driver/modbus/plan/line-cost.ts';
import { planReads, type ReadRequest } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { createPlausibility } from '../../gateway/driver/plausibility.ts';
import { type DeviceImage, dataOf, readDeviceImage, soleRequest } from '../fake/device-image.ts';

const folderOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const library = await readTemplates(folderOf('config/template/'));
/** Those that are read from registers. */
const templates = new Map([...library.templates].filter(([, { serial }]) => serial === undefined));

const images = new Map<string, DeviceImage>();
for (const key of templates.keys()) images.set(key, await readDeviceImage(key));

const imageOf = (key: string): DeviceImage => {
	const image = images.get(key);
	if (image === undefined) throw new Error(`no image of ${key}`);
	return image;
};

const isPolled = ({ access, poll }: TemplatePoint): boolean => access !== 'w' && poll !== 'on-demand';

/** All values of a device by key: planned and decoded by the product, refused reads point by point. */
function valuesOf(template: DeviceTemplate, image: DeviceImage): ReadonlyMap<string, SampleValue> {
	const { decode } = createDeviceDecoder(template);
	const values = new Map<string, SampleValue>();
	const ask = (request: ReadRequest): void => {
		const words = image.wordsOf(request.functionCode, request.address, request.count);
		if (words === null) {
			if (request.points.length > 1) for (const point of request.points) ask(soleRequest(point));
			return;
		}
		const decoded = decode(request, dataOf(request.functionCode, words));
		request.keys.forEach((key, index) => values.set(key, decoded.values[index] ?? null));
	};
	const limits = {
		maxRegisters: template.maxRegistersPerRead,
		maxBits: template.maxBitsPerRead ?? 2000,
		holes: template.holes ?? [],
	};
	const plan = planReads(template.points.filter(isPolled), tcpCost(5), limits);
	// Twice: a scale factor may come after the values that need it.
	for (const request of [...plan, ...plan]) ask(request);
	for (const point of template.points.filter(({ poll }) => poll === 'on-demand')) ask(soleRequest(point));
	return values;
}

function isSame(expected: number | string | boolean | null, found: SampleValue): boolean {
	if (typeof expected !== 'number' || (typeof found !== 'number' && typeof found !== 'bigint'))
		return expected === found;
	return Math.abs(Number(found) - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}

/** Points whose value is not the expected one, as lines to read. */
const wrongValues = (
	template: DeviceTemplate,
	values: ReadonlyMap<string, SampleValue>,
	expect: DeviceImage['expect'],
) =>
	template.points
		.filter(({ access }) => access !== 'w')
		.filter(({ key }) => !isSame(expect[key] ?? null, values.get(key) ?? null) || !(key in expect) || !values.has(key))
		.map(({ key }) => `${key}: expected ${String(expect[key])}, found ${inspect(values.get(key))}`);

for (const [key, template] of templates) {
	test(`${key}: every point has the value its registers mean`, (t) => {
		const { expect } = imageOf(key);
		t.deepEqual(wrongValues(template, valuesOf(template, imageOf(key)), expect), []);
		const known = new Set(template.points.map((point) => point.key));
		t.deepEqual(
			Object.keys(expect).filter((each) => !known.has(each)),
			[],
		);
	});
}

test('no image is left without its template', async (t) => {
	const files = await readdir(folderOf('test/fixture/device-image/'));
	t.deepEqual(files.toSorted(), [...templates.keys()].map((key) => `${key}.json`).toSorted());
	t.true(templates.size >= 25);
});

test('the values of a sound device are plausible', (t) => {
	for (const [key, template] of templates) {
		const { expect } = imageOf(key);
		const strange = template.points.filter(({ key: point, min, max }) => {
			const value = expect[point];
			return typeof value === 'number' && (value < (min ?? value) || value > (max ?? value));
		});
		t.deepEqual(
			strange.map((point) => point.key),
			[],
			key,
		);
	}
});

/** What a device answers to the probes of a template. */
function verdictOf(template: TemplateDocument, image: DeviceImage): ProbeVerdict {
	return probeVerdict(template, (point) => {
		const words = image.wordsOf(point.functionCode, point.address, point.count);
		if (words === null) return undefined;
		const [value] = createReadDecoder(soleRequest(point))(dataOf(point.functionCode, words)).values;
		return typeof value === 'object' ? null : value;
	});
}

/** Devices whose probes speak as well for another template: the same registers, or next to none that are known. */
const ambiguous: Readonly<Record<string, readonly string[]>> = {
	// An UMG 96 and an UMG 508 share their map; only the address setting of the UMG 96 tells them apart, if it is readable.
	'janitza-umg-508': ['janitza-umg-96'],
	// The meters of Schneider share one layout; the name of the maker, which an iEM3000 may have too, is all that a PM5000 has in addition.
	'schneider-iem3155': ['schneider-pm5xxx'],
};

/** Templates whose registers tell nothing about the model. */
const withoutProbe = new Set(['entes-epm-07', 'kmtronic-relay-8']);

for (const [key, template] of templates) {
	test(`${key}: its probes claim it, and those of no other template with more certainty`, (t) => {
		const own = verdictOf(template, imageOf(key));
		t.is(own.isKept, !withoutProbe.has(key));
		const others = [...templates]
			.filter(([other]) => other !== key && !(ambiguous[key] ?? []).includes(other))
			.map(([other, each]) => ({ other, verdict: verdictOf(each, imageOf(key)) }))
			.filter(({ verdict: { isKept, bits } }) => isKept && own.isKept && bits >= own.bits);
		t.deepEqual(others, []);
	});
}

const ENERGY = /^[kM]?(?:Wh|varh|VAh)$/;
/** Its low word turns over and adds to this one, which therefore leaps. */
const LEAPS = new Set(['deye-sg-lp1 import_energy_high']);

const countersOf = (template: TemplateDocument): readonly TemplatePoint[] =>
	template.points.filter(({ kind }) => kind === 'counter');

test('no energy is believed that nothing could have measured, and none is doubted for counting in coarse steps', (t) => {
	let seen = 0;
	for (const [key, { points }] of library.templates) {
		for (const { key: point, unit, kind, scale, maxStep } of points) {
			const isSum = kind === 'counter' || !point.endsWith('_today');
			if (!ENERGY.test(unit) || kind === 'setting' || !isSum || LEAPS.has(`${key} ${point}`)) continue;
			t.true((maxStep ?? 0) >= 2 * Math.abs(scale), `${key} ${point}: ${String(maxStep)} with steps of ${scale}`);
			seen += 1;
		}
	}
	t.true(seen > 300);
});

test('a counter of one day goes back to 0 by itself', (t) => {
	const ofOneDay = [...library.templates.values()].flatMap((template) =>
		countersOf(template).filter(({ key }) => key.endsWith('_today')),
	);
	t.true(ofOneDay.length > 40);
	t.deepEqual(
		ofOneDay.filter(({ resets }) => resets !== true).map(({ key }) => key),
		[],
	);
});

function pointOf(key: string, point: string): TemplatePoint {
	const found = library.templates.get(key)?.points.find((each) => each.key === point);
	if (found === undefined) throw new Error(`${key} has no ${point}`);
	return found;
}

test('a torn reading of an energy is kept out of its sums, and the counting of a day begins anew unquestioned', (t) => {
	const judged = (point: TemplatePoint, values: readonly number[]): readonly string[] => {
		const plausibility = createPlausibility([point], () => t.fail());
		const keys = [point.key];
		return values.map(
			(value, index) => plausibility.judge({ keys, values: [value], qualities: null }, 10_000 * index)?.[0] ?? 'good',
		);
	};
	// The high word was read before it changed, the low word after.
	t.deepEqual(judged(pointOf('growatt-sph', 'import_energy'), [6553.5, 0.1, 6553.7]), ['good', 'out_of_range', 'good']);
	t.deepEqual(judged(pointOf('deye-sg-lp3', 'import_energy'), [100, 6653.7, 100.1]), ['good', 'out_of_range', 'good']);
	t.deepEqual(judged(pointOf('deye-sg-lp3', 'import_energy_today'), [12.3, 12.4, 0, 0.1]), [
		'good',
		'good',
		'good',
		'good',
	]);
	t.deepEqual(judged(pointOf('sofar-hyd-es', 'import_energy'), [7, 7, 8, 8]), ['good', 'good', 'good', 'good']);
});
