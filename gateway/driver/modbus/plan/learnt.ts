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

const rangeName = ({ functionCode, first, last }: AddressRange): string =>
	`function ${functionCode}, addresses ${first}${first === last ? '' : ` to ${last}`}`;

/** One sentence for each thing that a template has no member for. */
function sentences({ holes, refused, maxBits }: Learnt): readonly string[] {
	const found: string[] = [];
	if (maxBits !== null) found.push(`Reads at most ${maxBits} bits at once.`);
	if (holes.length > 0) found.push(`Refuses reads that touch ${holes.map(rangeName).join('; ')}.`);
	if (refused.length > 0) found.push(`One device of this model does not have ${refused.join(', ')}.`);
	return found;
}

/**
 * The template with what one device of the model has taught: the smaller cap of one read, and the rest as sentences for the
 * installer. Points are never removed: a device of the same model with other firmware may have them. Pure.
 */
export function withLearnt(template: TemplateDocument, learnt: Learnt): TemplateDocument {
	const known = new Set(template.quirks);
	return {
		...template,
		maxRegistersPerRead: Math.min(template.maxRegistersPerRead, learnt.maxRegisters ?? template.maxRegistersPerRead),
		quirks: [...template.quirks, ...sentences(learnt).filter((sentence) => !known.has(sentence))],
	};
}
