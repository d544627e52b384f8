import { parseArgs } from 'node:util';

/** Named values of a load program's command line, all of them required. @throws Error that names the missing one. */
export function requiredArguments<Name extends string>(names: readonly Name[]): Readonly<Record<Name, string>> {
	const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
	const { values } = parseArgs({ options });
	const pairs = names.map((name) => {
		const value = values[name];
		if (typeof value !== 'string') throw new Error(`--${name} is missing`);
		return [name, value] as const;
	});
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name has just got its value
	return Object.fromEntries(pairs) as Record<Name, string>;
}

/** Whole numbers separated by commas. */
export const numbersOf = (text: string): readonly number[] => text.split(',').filter(Boolean).map(Number);
