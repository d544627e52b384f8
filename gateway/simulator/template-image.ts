import { layeredTemplate } from '../../config/template/template-layers.ts';
import type { ReadFunction, TemplateDocument, TemplatePoint } from '../../config/template/template.ts';
import { toWireOrder } from '../driver/modbus/codec/byte-order.ts';
import { numberAt, textOf } from './point-value.ts';
import { isPart, rawBytes } from './raw-value.ts';
import { ILLEGAL_DATA_ADDRESS, ILLEGAL_DATA_VALUE, type RegisterImage } from './register-image.ts';

/** Registers between two points that a device answers with zeros; beyond that it has none. */
const FILLED_HOLE = 16;
/** Values of a point with a scale factor lie below this on the wire, so that 16 bits hold them. */
const MOST_RAW = 20_000;
const LEAST_EXPONENT = -2;

interface Span {
	readonly first: number;
	/** Behind the last. */
	end: number;
}

/** Addresses of one table, small holes filled. */
function spansOf(points: readonly TemplatePoint[]): readonly Span[] {
	const spans: Span[] = [];
	for (const { address, count } of points.toSorted((a, b) => a.address - b.address)) {
		const last = spans.at(-1);
		if (last !== undefined && address <= last.end + FILLED_HOLE) last.end = Math.max(last.end, address + count);
		else spans.push({ first: address, end: address + count });
	}
	return spans;
}

const touches = (point: TemplatePoint, address: number, count: number): boolean =>
	point.address < address + count && point.address + point.count > address;

/** Where a point is written; where it is read unless the template says otherwise. */
const writeAddress = ({ address, write }: TemplatePoint): number => write?.address ?? address;

/** Puts what a point holds into the registers from `base` on. */
function place(words: Uint16Array, point: TemplatePoint, base: number, bytes: Buffer): void {
	for (let index = 0; index < point.count; index += 1) {
		const at = point.address + index - base;
		if (at < 0 || at >= words.length) continue;
		const word = bytes.readUInt16BE(2 * index);
		words[at] = isPart(point) ? (words[at] ?? 0) | word : word;
	}
}

/** Parts come first and the longest last: a point that shows the whole register has the last word. */
const byReach = (a: TemplatePoint, b: TemplatePoint): number =>
	Number(isPart(b)) - Number(isPart(a)) || a.count - b.count;

/** Registers of both tables under one number. */
const placeOf = (functionCode: number, address: number): number => functionCode * 0x1_0000 + address;

export interface TemplateImageOptions {
	readonly template: TemplateDocument;
	/** Equal seeds give equal devices. */
	readonly seed: number;
}

/**
 * A device as its template describes it: measurements wander where such quantities live, counters grow, settings can be written.
 * Probes hold, so that the device is recognised. Points are those of a device that chose no options.
 */
export function createTemplateImage({ template, seed }: TemplateImageOptions): RegisterImage {
	const { points } = layeredTemplate(template, {});
	const probes = new Map(template.probe.map((probe) => [probe.key, probe]));
	const byFunction = new Map<ReadFunction, readonly TemplatePoint[]>(
		([1, 2, 3, 4] as const).map((functionCode) => [
			functionCode,
			points.filter((point) => point.functionCode === functionCode).toSorted(byReach),
		]),
	);
	const spans = new Map([...byFunction].map(([functionCode, list]) => [functionCode, spansOf(list)]));
	const writable = points.filter(({ access }) => access !== 'r');
	/** Registers by their place, and coils, as they were written. */
	const written = new Map<number, number>();
	const writtenBits = new Map<number, boolean>();
	const exponents = new Map<string, number>();

	const numberOf = (point: TemplatePoint, atMs: number): number => numberAt(point, probes.get(point.key), seed, atMs);

	for (const point of points) {
		const { scaleFactor } = point;
		if (scaleFactor === undefined) continue;
		const size = Math.abs(numberOf(point, Date.UTC(2026, 0, 1)) / point.scale);
		const needed = Math.ceil(Math.log10(Math.max(size, 1) / MOST_RAW));
		exponents.set(scaleFactor, Math.max(needed, exponents.get(scaleFactor) ?? LEAST_EXPONENT));
	}

	function bytesOf(point: TemplatePoint, atMs: number): Buffer {
		const own = exponents.get(point.key);
		const number = own ?? numberOf(point, atMs);
		const text = textOf(point, probes.get(point.key), seed);
		const exponent = point.scaleFactor === undefined ? 0 : (exponents.get(point.scaleFactor) ?? 0);
		const plain = own === undefined ? point : { ...point, scale: 1, offset: 0 };
		return toWireOrder(rawBytes(plain, { number, text, at: new Date(atMs) }, exponent), point.byteOrder);
	}

	function lacks(functionCode: ReadFunction, address: number, count: number): boolean {
		const isHole = (template.holes ?? []).some(
			({ functionCode: of, first, last }) => of === functionCode && first < address + count && last >= address,
		);
		const isThere = (spans.get(functionCode) ?? []).some(
			({ first, end }) => address >= first && address + count <= end,
		);
		return isHole || !isThere;
	}

	/** Where what is written there is read; `null`: nothing is written there. */
	function readPlaceOf(address: number): number | null {
		const point = writable.find(
			(each) => each.functionCode >= 3 && address >= writeAddress(each) && address < writeAddress(each) + each.count,
		);
		return point === undefined ? null : placeOf(point.functionCode, address - writeAddress(point) + point.address);
	}

	const isCoil = (address: number): boolean =>
		writable.some((point) => point.functionCode === 1 && touches(point, address, 1));

	return {
		identity: {
			vendor: template.manufacturer,
			productCode: template.model,
			revision: '1.0',
			productName: template.key,
		},
		read(functionCode, address, count, atMs) {
			if (count > template.maxRegistersPerRead) return ILLEGAL_DATA_VALUE;
			if (lacks(functionCode, address, count)) return ILLEGAL_DATA_ADDRESS;
			const words = new Uint16Array(count);
			const touched = (byFunction.get(functionCode) ?? []).filter((point) => touches(point, address, count));
			// Some devices show another thing in a register that is read alone, e.g. their model.
			const alone = touched.filter((point) => point.address === address && point.count === count && !isPart(point));
			for (const point of [...touched, ...alone]) place(words, point, address, bytesOf(point, atMs));
			return written.size === 0
				? words
				: words.map((word, offset) => written.get(placeOf(functionCode, address + offset)) ?? word);
		},
		write(address, words) {
			const targets = words.map((_, offset) => readPlaceOf(address + offset));
			if (targets.includes(null)) return ILLEGAL_DATA_ADDRESS;
			for (const [index, target] of targets.entries()) if (target !== null) written.set(target, words[index] ?? 0);
			return null;
		},
		readBits(functionCode, address, count, atMs) {
			if (count > (template.maxBitsPerRead ?? 2000)) return ILLEGAL_DATA_VALUE;
			if (lacks(functionCode, address, count)) return ILLEGAL_DATA_ADDRESS;
			const list = byFunction.get(functionCode) ?? [];
			return Array.from({ length: count }, (_, offset) => {
				const set = functionCode === 1 ? writtenBits.get(address + offset) : undefined;
				const point = list.find((each) => touches(each, address + offset, 1));
				return set ?? (point !== undefined && numberOf(point, atMs) >= 0.5);
			});
		},
		writeBits(address, bits) {
			if (!bits.every((_, offset) => isCoil(address + offset))) return ILLEGAL_DATA_ADDRESS;
			for (const [offset, bit] of bits.entries()) writtenBits.set(address + offset, bit);
			return null;
		},
	};
}
