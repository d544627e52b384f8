import type { PollClass } from '../connection/connection.ts';
import { factsOfType } from './register-types.ts';
import { type DeviceLayer, layeredTemplate } from './template-layers.ts';
import type { DeviceTemplate, RegisterType, TemplatePoint } from './template.ts';

/** Bits of the types that a counter rolls over in; floats have no such end. */
const COUNTER_BITS: Readonly<Partial<Record<RegisterType, number>>> = {
	int8h: 8,
	int8l: 8,
	uint8h: 8,
	uint8l: 8,
	int16: 16,
	uint16: 16,
	int32: 32,
	uint32: 32,
	int64: 64,
	uint64: 64,
};

/** Digits of the types that count in tens. */
const COUNTER_DIGITS: Readonly<Partial<Record<RegisterType, number>>> = { bcd16: 4, bcd32: 8, bcd64: 16 };

/** The values of a point, after scaling, from `bottom` to below `top`. */
export interface ValueRange {
	readonly bottom: number | bigint;
	readonly top: number | bigint;
}

interface RawRange {
	readonly bottom: bigint;
	readonly top: bigint;
}

function rawRange({ type, slice }: TemplatePoint): RawRange | null {
	const digits = COUNTER_DIGITS[type];
	if (digits !== undefined && slice === undefined) return { bottom: 0n, top: 10n ** BigInt(digits) };
	const bits = COUNTER_BITS[type];
	if (bits === undefined) return null;
	const width = BigInt(slice?.count ?? bits);
	const top = factsOfType(type).isSigned ? 2n ** (width - 1n) : 2n ** width;
	return { bottom: factsOfType(type).isSigned ? -top : 0n, top };
}

/**
 * Where a counter turns: at `turnsAt`, else at the end of its type. `null` where it is not known: for floats, and with a scale factor, whose
 * exponent is known only at the device.
 */
export function counterRange(point: TemplatePoint): ValueRange | null {
	const { scale, offset, turnsAt, scaleFactor } = point;
	if (turnsAt !== undefined) return { bottom: 0, top: turnsAt };
	const raw = scaleFactor === undefined ? rawRange(point) : null;
	if (raw === null) return null;
	if (scale === 1 && Number.isSafeInteger(offset))
		return { bottom: raw.bottom + BigInt(offset), top: raw.top + BigInt(offset) };
	return { bottom: Number(raw.bottom) * scale + offset, top: Number(raw.top) * scale + offset };
}

/** What there is to know of a point to show it and to sum it up. */
interface PointFacts {
	readonly unit: string;
	readonly isSetting: boolean;
	readonly poll?: PollClass;
	readonly counter: { readonly range: ValueRange | null } | null;
}

export function pointFacts(point: TemplatePoint): PointFacts {
	const { unit, kind, poll } = point;
	return {
		unit,
		isSetting: kind === 'setting',
		...(poll === undefined ? {} : { poll }),
		counter: kind === 'counter' ? { range: counterRange(point) } : null,
	};
}

/** A connection, as far as it decides what the points of its device are. */
interface TemplatedConnection extends DeviceLayer {
	readonly template: string;
}

interface KnownFacts {
	readonly template: DeviceTemplate;
	readonly facts: ReadonlyMap<string, PointFacts>;
}

/**
 * Facts of the points of a device, by its connection; `null` for a template or point that is not known. What a connection makes of its
 * template is worked out once.
 * @param templates changes with the configuration
 */
export function createPointFacts(
	templates: ReadonlyMap<string, DeviceTemplate>,
): (connection: TemplatedConnection, key: string) => PointFacts | null {
	const known = new WeakMap<TemplatedConnection, KnownFacts>();
	return (connection, key) => {
		const template = templates.get(connection.template);
		if (template === undefined) return null;
		let each = known.get(connection);
		if (each?.template !== template) {
			const { points } = layeredTemplate(template, connection);
			each = { template, facts: new Map(points.map((point) => [point.key, pointFacts(point)])) };
			known.set(connection, each);
		}
		return each.facts.get(key) ?? null;
	};
}
