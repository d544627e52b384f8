import type { JsonValue } from '../telemetry/reading.ts';
import { isEqualJson, isJsonObject } from './canonical-json.ts';
import { toPointer } from './json-pointer.ts';

export type Side = 'hub' | 'gateway';

/** A place that both sides have changed to different values; `null` also stands for "nothing there". */
export interface Conflict {
	readonly path: string;
	readonly base: JsonValue;
	readonly gateway: JsonValue;
	readonly hub: JsonValue;
	/** Whose value was taken; `null`: nobody has decided, and the gateway's stands. */
	readonly taken: Side | null;
}

export interface Merge {
	readonly document: JsonValue;
	/** In the order of the paths. */
	readonly conflicts: readonly Conflict[];
}

export interface MergeInput {
	/** What both sides started from. */
	readonly base: JsonValue;
	readonly gateway: JsonValue;
	readonly hub: JsonValue;
	/** Whose value counts at a place both have changed. */
	readonly decide: (pointer: string) => Side | null;
	/** Places whose value is one thing, although it is an object: half of one and half of another would be neither. */
	readonly isWhole?: (path: readonly string[], values: readonly (JsonValue | undefined)[]) => boolean;
}

type Maybe = JsonValue | undefined;

const memberOf = (value: Maybe, key: string): Maybe =>
	isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** Joins what two sides made of one base: what only one has changed is taken from it, what both have changed alike is no conflict. */
export function mergeThreeWay({ base, gateway, hub, decide, isWhole = () => false }: MergeInput): Merge {
	const conflicts: Conflict[] = [];

	function decided(was: Maybe, mine: Maybe, theirs: Maybe, path: readonly string[]): Maybe {
		const pointer = toPointer(path);
		const taken = decide(pointer);
		conflicts.push({ path: pointer, base: was ?? null, gateway: mine ?? null, hub: theirs ?? null, taken });
		return taken === 'hub' ? theirs : mine;
	}

	function merged(was: Maybe, mine: Maybe, theirs: Maybe, path: readonly string[]): Maybe {
		if (isEqualJson(mine, theirs) || isEqualJson(was, theirs)) return mine;
		if (isEqualJson(was, mine)) return theirs;
		const canMix = isJsonObject(mine) && isJsonObject(theirs) && (was === undefined || isJsonObject(was));
		if (!canMix || isWhole(path, [was, mine, theirs])) return decided(was, mine, theirs, path);
		const keys = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
		return Object.fromEntries(
			[...keys].toSorted().flatMap((key) => {
				const value = merged(memberOf(was, key), memberOf(mine, key), memberOf(theirs, key), [...path, key]);
				return value === undefined ? [] : [[key, value] as const];
			}),
		);
	}

	const document = merged(base, gateway, hub, []) ?? null;
	return { document, conflicts };
}
