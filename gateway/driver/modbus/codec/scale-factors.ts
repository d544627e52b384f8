import type { TemplatePoint } from '../../../../config/template/template.ts';
import { type Integer, linearScale, scaledByTens } from './linear-scale.ts';
import { numberReader } from './raw-number.ts';

/** SunSpec: this pattern of a scale factor says that the values which depend on it are not implemented. */
const NOT_IMPLEMENTED = -32_768;
/** SunSpec information model specification: exponents of a `sunssf` point. */
const LARGEST_EXPONENT = 10;

/** The decimal exponents one device has told, by the key of their point. `null`: the device has none there; `undefined`: not read yet. */
export interface ScaleFactors {
	note(key: string, raw: Integer): void;
	of(key: string): number | null | undefined;
	/** The device was out of reach: what answers next may be another one, with other exponents. */
	forget(): void;
}

export function createScaleFactors(): ScaleFactors {
	const exponents = new Map<string, number | null>();
	return {
		note(key, raw) {
			const isExponent = typeof raw === 'number' && Math.abs(raw) <= LARGEST_EXPONENT && raw !== NOT_IMPLEMENTED;
			exponents.set(key, isExponent ? raw : null);
		},
		of: (key) => exponents.get(key),
		forget: () => exponents.clear(),
	};
}

/** Takes the exponent from an answer, before the values in the same answer are read with it. */
export function factorNote(point: TemplatePoint, at: number, factors: ScaleFactors): (data: Buffer) => void {
	const read = numberReader(point, at);
	return (data) => factors.note(point.key, read(data));
}

/** The scale of a point that has a factor, for each exponent; `null` while there is none. */
export function factorScale(
	{ scale, offset }: TemplatePoint,
	key: string,
	factors: ScaleFactors,
): () => ((raw: Integer) => Integer) | null {
	const scales = new Map<number, (raw: Integer) => Integer>();
	return () => {
		const exponent = factors.of(key) ?? null;
		if (exponent === null) return null;
		let scaled = scales.get(exponent);
		if (scaled === undefined) scales.set(exponent, (scaled = linearScale(scaledByTens(scale, exponent), offset)));
		return scaled;
	};
}
