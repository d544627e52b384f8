import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { parseTemplate } from '../../config/template/template-schema.ts';
import type { TemplateDocument, TemplatePoint } from '../../config/template/template.ts';
import type { SampleValue } from '../../core/telemetry/reading.ts';
import { createDeviceDecoder } from '../../gateway/driver/modbus/codec/register-decoder.ts';
import { tcpCost } from '../../gateway/driver/modbus/plan/line-cost.ts';
import { planReads } from '../../gateway/driver/modbus/plan/request-plan.ts';
import { discoverSunspec, type SunspecRead } from '../../gateway/sunspec/sunspec-discovery.ts';
import { createSunspecModelStore } from '../../gateway/sunspec/sunspec-model-store.ts';
import type { SunspecChain } from '../../gateway/sunspec/sunspec-model.ts';
import { sunspecTemplate } from '../../gateway/sunspec/sunspec-template.ts';
import { dataOf, soleRequest } from './device-image.ts';

/** "SunS" */
export const MARKER: readonly number[] = [0x5375, 0x6e53];

export const folderOf = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
/** The definitions that are shipped. */
export const modelStore = createSunspecModelStore(folderOf('config/sunspec/'));

/** Holding registers of a device by address; what is not there is refused. */
export type Registers = ReadonlyMap<number, number>;

export const registersFrom = (base: number, words: readonly number[]): Registers =>
	new Map(words.map((word, index) => [base + index, word]));

/** Reads these registers, at most `most` at once; `asked` has what was asked for, as `40000+2`. */
export function readerOf(registers: Registers, most = 125) {
	const asked: string[] = [];
	const read: SunspecRead = (address, count) => {
		asked.push(`${address}+${count}`);
		const words = Array.from({ length: count }, (_, index) => registers.get(address + index));
		const known = words.filter((word) => word !== undefined);
		return Promise.resolve(count > most || known.length < count ? null : dataOf(3, known));
	};
	return { asked, read };
}

export async function chainOf(registers: Registers, most?: number): Promise<SunspecChain> {
	const chain = await discoverSunspec(readerOf(registers, most).read);
	if (chain === null) throw new Error('no marker');
	return chain;
}

/** The template of a device as it is stored and read again. */
export async function templateOf(chain: SunspecChain): Promise<TemplateDocument> {
	const { key, document } = sunspecTemplate(chain, await modelStore.of(chain.places.map(({ id }) => id)));
	return parseTemplate(key, JSON.parse(JSON.stringify(document)));
}

const isAlone = ({ poll }: TemplatePoint): boolean => poll === 'on-demand';

/** Values of all points, by the planner and the decoder of the product. */
export function valuesOf(template: TemplateDocument, registers: Registers): ReadonlyMap<string, SampleValue> {
	const { decode } = createDeviceDecoder(template);
	const limits = { maxRegisters: template.maxRegistersPerRead, maxBits: 2000, holes: [] };
	const requests = [
		...planReads(
			template.points.filter((point) => !isAlone(point)),
			tcpCost(5),
			limits,
		),
		...template.points.filter(isAlone).map(soleRequest),
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

/** A value of a recording. */
export interface GoldenValue {
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

/** The recording of a whole SunSpec inverter. */
export const goldenInverter = async (): Promise<GoldenFile> =>
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of this repository
	JSON.parse(await readFile(folderOf('test/fixture/golden/sunspec-2023.json'), 'utf8')) as GoldenFile;

const bitsOf = (bits: readonly number[]): number => bits.reduce((sum, bit) => sum + 2 ** bit, 0);

/** Whether a value is what a recording or a made device says: bits as their list, numbers by their scale. */
export function isSameValue(expected: GoldenValue['value'], found: SampleValue | undefined): boolean {
	if (typeof expected === 'object' && expected !== null) return found === bitsOf(expected);
	if (typeof expected !== 'number' || typeof found !== 'number') return expected === found;
	return Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected));
}
