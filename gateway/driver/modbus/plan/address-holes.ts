import type { AddressRange } from './request-plan.ts';

export interface Block {
	readonly functionCode: AddressRange['functionCode'];
	readonly address: number;
	readonly count: number;
}

/** The range as a block. */
export const blockOf = ({ functionCode, first, last }: AddressRange): Block => ({
	functionCode,
	address: first,
	count: last - first + 1,
});

/** The addresses of a block that none of the parts covers, as ranges. */
export function uncovered(block: Block, parts: readonly Block[]): readonly AddressRange[] {
	const found: AddressRange[] = [];
	const end = block.address + block.count;
	let first = block.address;
	const inside = parts.filter(
		(part) =>
			part.functionCode === block.functionCode && part.address < end && part.address + part.count > block.address,
	);
	for (const part of inside.toSorted((a, b) => a.address - b.address)) {
		if (part.address > first) found.push({ functionCode: block.functionCode, first, last: part.address - 1 });
		first = Math.max(first, part.address + part.count);
	}
	if (first < end) found.push({ functionCode: block.functionCode, first, last: end - 1 });
	return found;
}
