/** A mapping of YAML, an object of JSON. */
export type Tree = Record<string, unknown>;

export const isTree = (value: unknown): value is Tree =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** The program's form of a written name: `period_ms` is `periodMs`. */
export const camelCase = (name: string): string =>
	name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The form of a name in REST and in files: `periodMs` is `period_ms`. A digit stays where it is. */
export const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The same object with its own members named anew; what is in them keeps its names. */
export const membersRenamed = (value: object, nameOf: (name: string) => string): object =>
	Object.fromEntries(Object.entries(value).map(([name, each]: [string, unknown]) => [nameOf(name), each]));

/** The same value with the members of every object in it named anew, those in lists too. */
export function treeRenamed(value: unknown, nameOf: (name: string) => string): unknown {
	if (Array.isArray(value)) return value.map((each) => treeRenamed(each, nameOf));
	if (!isTree(value)) return value;
	return Object.fromEntries(Object.entries(value).map(([name, each]) => [nameOf(name), treeRenamed(each, nameOf)]));
}
