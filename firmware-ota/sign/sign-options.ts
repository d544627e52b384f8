import { parseArgs } from 'node:util';

import { Fault, fieldFault, messageOf } from '../../core/kernel/fault.ts';

/** One option of a command. */
export interface OptionSpec {
	/** What follows it, for the help; `null`: nothing does. */
	readonly value: string | null;
	readonly help: string;
	readonly isMany?: boolean;
	readonly isDemanded?: boolean;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The options of one call, asked by name. */
export interface Options {
	/** @throws Fault when it is missing */
	text(name: string): string;
	textOr(name: string): string | null;
	list(name: string): readonly string[];
	/** A whole number from 1 on. */
	numberOr(name: string): number | null;
	has(name: string): boolean;
}

/** A command line that was not understood: exit code 64. */
export class UsageFault extends Fault {
	constructor(sentence: string) {
		super('malformed', sentence);
	}
}

function parse(specs: OptionSpecs, words: readonly string[]) {
	const options = Object.fromEntries(
		Object.entries(specs).map(([name, { value, isMany = false }]) => [
			name,
			{ type: value === null ? ('boolean' as const) : ('string' as const), multiple: isMany },
		]),
	);
	try {
		return parseArgs({ args: [...words], options, strict: true, allowPositionals: false }).values;
	} catch (error) {
		throw new UsageFault(messageOf(error));
	}
}

/** @throws UsageFault */
export function readOptions(specs: OptionSpecs, words: readonly string[]): Options {
	const values = parse(specs, words);
	const missing = Object.entries(specs).find(([name, { isDemanded }]) => isDemanded === true && !(name in values));
	if (missing !== undefined) throw new UsageFault(`--${missing[0]} ${missing[1].value ?? ''} is missing`);

	function textOr(name: string): string | null {
		const value = values[name];
		return typeof value === 'string' ? value : null;
	}

	function list(name: string): readonly string[] {
		const value = values[name];
		return Array.isArray(value) ? value.map(String) : [];
	}

	return {
		textOr,
		list,
		text(name) {
			const value = textOr(name);
			if (value === null) throw new UsageFault(`--${name} is missing`);
			return value;
		},
		numberOr(name) {
			const value = textOr(name);
			if (value === null) return null;
			if (!/^[1-9]\d{0,8}$/.test(value))
				throw fieldFault('malformed', name, `${value} is not a whole number from 1 on`);
			return Number(value);
		},
		has: (name) => values[name] === true,
	};
}

/** Lines of the help of one command. */
export function helpOf(command: string, help: string, specs: OptionSpecs): string {
	const lines = Object.entries(specs).map(([name, { value, help: words, isMany, isDemanded }]) => {
		const left = `--${name}${value === null ? '' : ` ${value}`}`;
		const marks = `${isDemanded === true ? '' : ' (optional)'}${isMany === true ? ' (may be repeated)' : ''}`;
		return `  ${left.padEnd(28)}${words}${marks}`;
	});
	return `usage: drawbridge-sign ${command} [options]\n\n${help}\n\n${lines.join('\n')}\n`;
}
