import type { ReadFunction, TemplatePoint } from '../../../config/template/template.ts';
import type { Line } from '../../../core/device/device.ts';
import type { Quality, SampleValue } from '../../../core/telemetry/reading.ts';

/** One read of a device and the points it brings. */
export interface ReadRequest {
	readonly functionCode: ReadFunction;
	readonly address: number;
	readonly count: number;
	readonly points: readonly TemplatePoint[];
	/** Keys of the points: the same array for the life of the plan. */
	readonly keys: readonly string[];
}

/** Addresses, both inclusive. */
export interface AddressRange {
	readonly functionCode: ReadFunction;
	readonly first: number;
	readonly last: number;
}

export interface PlanLimits {
	readonly maxRegisters: number;
	readonly maxBits: number;
	/** No request may touch these unless a point is there. */
	readonly holes: readonly AddressRange[];
}

/** Packs points into the reads that cost this line the least. */
export type PlanReads = (points: readonly TemplatePoint[], line: Line, limits: PlanLimits) => readonly ReadRequest[];

/** What the data bytes of an answer mean: one value for each point of the request. */
export type DecodeRead = (
	request: ReadRequest,
	data: Buffer,
) => { readonly values: readonly SampleValue[]; readonly qualities: readonly Quality[] | null };
