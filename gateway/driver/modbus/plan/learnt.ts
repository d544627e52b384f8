import type { TemplateDocument } from '../../../../config/template/template.ts';
import type { AddressRange } from './request-plan.ts';

/** What a device turned out to allow, found by what it refused (exceptions 2 and 3). */
export interface Learnt {
	/** Most registers of one read; `null`: as many as the template says. */
	readonly maxRegisters: number | null;
	/** Most bits of one read; `null`: as many as the template says. */
	readonly maxBits: number | null;
	/** Addresses that no read may touch, inclusive. */
	readonly holes: readonly AddressRange[];
	/** Keys of points that this device does not have. */
	readonly refused: readonly string[];
}

export const NOTHING_LEARNT: Learnt = { maxRegisters: null, maxBits: null, holes: [], refused: [] };

/** The ranges in order, those that touch or overlap joined. */
function joined(ranges: readonly AddressRange[]): readonly AddressRange[] {
	const found: AddressRange[] = [];
	for (const range of ranges.toSorted((a, b) => a.functionCode - b.functionCode || a.first - b.first)) {
		const last = found.at(-1);
		if (last !== undefined && last.functionCode === range.functionCode && range.first <= last.last + 1) {
			found[found.length - 1] = { ...last, last: Math.max(last.last, range.last) };
		} else found.push(range);
	}
	return found;
}

/**
 * The template with what one device of the model has taught: smaller caps of one read and the holes. Points the device refuses stay,
 * with a sentence for the installer: a device of the same model with other options or firmware may have them. Pure.
 */
export function withLearnt(template: TemplateDocument, learnt: Learnt): TemplateDocument {
	const { maxRegisters, maxBits, refused } = learnt;
	const holes = joined([...(template.holes ?? []), ...learnt.holes]);
	const quirk = `One device of this model does not have ${refused.join(', ')}.`;
	return {
		...template,
		maxRegistersPerRead: Math.min(template.maxRegistersPerRead, maxRegisters ?? template.maxRegistersPerRead),
		...(maxBits === null ? {} : { maxBitsPerRead: Math.min(template.maxBitsPerRead ?? maxBits, maxBits) }),
		...(holes.length === 0 ? {} : { holes }),
		quirks: refused.length === 0 || template.quirks.includes(quirk) ? template.quirks : [...template.quirks, quirk],
	};
}
