/** Most numbers that a range may stand for. */
const MOST = 256;

/** Numbers of a text like `9600, 19200`; `null`: it is something else. Empty for an empty text. */
export function numbersOf(text: string): readonly number[] | null {
	const parts = text.split(/[\s,;]+/).filter((part) => part !== '');
	return parts.every((part) => /^\d{1,9}$/.test(part)) ? [...new Set(parts.map(Number))] : null;
}

function rangeOf(part: string): readonly number[] | null {
	const [, first = '', last = first] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part) ?? [];
	const [from, to] = [Number(first), Number(last)];
	if (first === '' || to < from || to - from >= MOST) return null;
	return Array.from({ length: to - from + 1 }, (_, k) => from + k);
}

/** Unit ids of a text like `1-32, 100`; `null`: it is something else, or one is above 255. Empty for an empty text. */
export function unitsOf(text: string): readonly number[] | null {
	const parts = text
		.replaceAll(/\s*-\s*/g, '-')
		.split(/[\s,;]+/)
		.filter((part) => part !== '');
	const units = new Set<number>();
	for (const part of parts) {
		const range = rangeOf(part);
		if (range === null || range.some((unit) => unit > 255)) return null;
		for (const unit of range) units.add(unit);
	}
	return [...units];
}
