import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import test from 'ava';
import fc from 'fast-check';

import { parseTemplate } from '../../config/template/template-schema.ts';
import type { TemplateDocument, TemplatePoint } from '../../config/template/template.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';
import { createDeviceDecoder } from '../../gateway/driver/modbus/codec/register-decoder.ts';
import { tcpCost } from '../../gateway/driver/modbus/plan/line-cost.ts';
import { planReads, type ReadRequest } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { discoverSunspec, identifySunspec, type SunspecRead } from '../../gateway/sunspec/sunspec-discovery.ts';
import { createSunspecModelStore } from '../../gateway/sunspec/sunspec-model-store.ts';
import type { SunspecChain, SunspecGroup, SunspecModel, SunspecPoint } from '../../gateway/sunspec/sunspec-model.ts';
import { sunspecTemplate } from '../../gateway/sunspec/sunspec-template.ts';
import { dataOf } from '../fake/device-image.ts';

const folderOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const store = createSunspecModelStore(folderOf('config/sunspec/'));

/** Holding registers of a device by address; what is not there is refused. */
type Registers = ReadonlyMap<number, number>;

const registersFrom = (base: number, words: readonly number[]): Registers =>
	new Map(words.map((word, index) => [base + index, word]));

function readerOf(registers: Registers, most = 125) {
	const asked: string[] = [];
	const read: SunspecRead = (address, count) => {
		asked.push(`${address}+${count}`);
		const words = Array.from({ length: count }, (_, index) => registers.get(address + index));
		const known = words.filter((word) => word !== undefined);
		return Promise.resolve(count > most || known.length < count ? null : dataOf(3, known));
	};
	return { asked, read };
}

async function chainOf(registers: Registers, most?: number): Promise<SunspecChain> {
	const chain = await discoverSunspec(readerOf(registers, most).read);
	if (chain === null) throw new Error('no marker');
	return chain;
}

async function templateOf(chain: SunspecChain): Promise<TemplateDocument> {
	const { key, document } = sunspecTemplate(chain, await store.of(chain.places.map(({ id }) => id)));
	// As it is stored and read again.
	return parseTemplate(key, JSON.parse(JSON.stringify(document)));
}

/** Values of all points, by the planner and the decoder of the product. */
function valuesOf(template: TemplateDocument, registers: Registers): ReadonlyMap<string, SampleValue> {
	const { decode } = createDeviceDecoder(template);
	const limits = { maxRegisters: template.maxRegistersPerRead, maxBits: 2000, holes: [] };
	const sole = (point: TemplatePoint): ReadRequest => ({ ...point, points: [point], keys: [point.key] });
	const isAlone = ({ poll }: TemplatePoint): boolean => poll === 'on-demand';
	const requests = [
		...planReads(
			template.points.filter((point) => !isAlone(point)),
			tcpCost(5),
			limits,
		),
		...template.points.filter(isAlone).map(sole),
	];
	const values = new Map<string, SampleValue>();
	for (const request of [...requests, ...requests]) {
		const { functionCode, address, count } = request;
		const words = Array.from({ length: count }, (_, index) => registers.get(address + index) ?? 0);
		const decoded = decode(request, dataOf(functionCode, words));
		request.keys.forEach((key, index) => values.set(key, decoded.values[index] ?? null));
	}
	return values;
}

interface GoldenValue {
	readonly key: string;
	readonly address: number;
	readonly count: number;
	readonly type: string;
	readonly value: number | string | null | readonly number[];
	readonly label?: string | null;
}

interface GoldenFile {
	readonly sunspec_base: number;
	readonly models: readonly { readonly id: number; readonly header_address: number; readonly length: number }[];
	readonly vectors: readonly {
		readonly first_address: number;
		readonly words: readonly string[];
		readonly expect: readonly GoldenValue[];
	}[];
}

const golden = async (): Promise<GoldenFile> =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of this repository
	JSON.parse(await readFile(folderOf('test/fixture/golden/sunspec-2023.json'), 'utf8')) as GoldenFile;

const bitsOf = (bits: readonly number[]): number => bits.reduce((sum, bit) => sum + 2 ** bit, 0);

function isSame(expected: GoldenValue['value'], found: SampleValue | undefined): boolean {
	if (typeof expected === 'object' && expected !== null) return found === bitsOf(expected);
	if (typeof expected !== 'number' || typeof found !== 'number') return expected === found;
	return Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}

test('a recorded inverter is found, its chain walked, and every value of the recording decoded', async (t) => {
	const file = await golden();
	const [vector] = file.vectors;
	t.truthy(vector);
	if (vector === undefined) return;
	const registers = registersFrom(
		vector.first_address,
		vector.words.map((word) => Number.parseInt(word, 16)),
	);
	const chain = await chainOf(registers);
	t.is(chain.base, file.sunspec_base);
	t.is(chain.cut, null);
	t.deepEqual(
		chain.places.map(({ id, address, length }) => ({ id, header_address: address, length })),
		file.models.filter(({ id }) => id !== 0xffff),
	);
	const template = await templateOf(chain);
	t.is(template.manufacturer, 'SMA');
	t.is(template.model, 'SB3.6-1AV-41');
	t.regex(template.key, /^sunspec-sma-sb3-6-1av-41-[0-9a-f]{8}$/);
	const values = valuesOf(template, registers);
	const wrong: string[] = [];
	let compared = 0;
	for (const { key, address, count, value, label } of vector.expect) {
		const point = template.points.find((each) => each.address === address && each.count === count);
		const isPad = /\.Pad\d*$/i.test(key) || /_pad\d*$/i.test(key) || key.startsWith('End');
		if (point === undefined) {
			if (!isPad) wrong.push(`${key}: no point`);
			continue;
		}
		compared += 1;
		const found = values.get(point.key);
		if (!isSame(value, found)) wrong.push(`${key}: expected ${String(value)}, found ${String(found)}`);
		if (typeof label === 'string' && point.enum?.[String(value)]?.toLowerCase() !== label.toLowerCase())
			wrong.push(`${key}: label ${label}, found ${String(point.enum?.[String(value)])}`);
	}
	t.deepEqual(wrong, []);
	t.true(compared > 580, String(compared));
});
