import type { AddressRange } from './read-plan.ts';

interface Block {
	readonly functionCode: AddressRange['functionCode'];
	readonly address: number;
	readonly count: number;
}

/** The addresses of a block that none of the parts covers, as ranges. */
export function uncovered(block: Block, parts: readonly Block[]): readonly AddressRange[] {
	const found: AddressRange[] = [];
	const end = block.address + block.count;
	let first = block.address;
	for (const part of parts.toSorted((a, b) => a.address - b.address)) {
		if (part.address > first) found.push({ functionCode: block.functionCode, first, last: part.address - 1 });
		first = Math.max(first, part.address + part.count);
	}
	if (first < end) found.push({ functionCode: block.functionCode, first, last: end - 1 });
	return found;
}
