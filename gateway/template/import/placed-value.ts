import type { Place } from './imported.ts';

/** A value of a structured file with its place. */
export type PlacedValue = PlacedScalar | PlacedList | PlacedMap;

export interface PlacedScalar {
	readonly kind: 'scalar';
	readonly place: Place;
	readonly value: string | number | boolean | null;
}

export interface PlacedList {
	readonly kind: 'list';
	readonly place: Place;
	readonly items: readonly PlacedValue[];
}

export interface PlacedMap {
	readonly kind: 'map';
	readonly place: Place;
	readonly entries: ReadonlyMap<string, PlacedValue>;
}

/** Most values of one file, containers included. */
export const MAX_VALUES = 200_000;
/** Deepest nesting of a file. */
export const MAX_DEPTH = 64;

/** The member of a map; `undefined`: it has none, or this is no map. */
export const memberOf = (value: PlacedValue | undefined, name: string): PlacedValue | undefined =>
	value?.kind === 'map' ? value.entries.get(name) : undefined;

/** Where a member stands; where the map does, when it has none. */
export const placeAt = (map: PlacedMap, name: string): Place => map.entries.get(name)?.place ?? map.place;

export const itemsOf = (value: PlacedValue | undefined): readonly PlacedValue[] =>
	value?.kind === 'list' ? value.items : [];

export const mapsOf = (value: PlacedValue | undefined): readonly PlacedMap[] =>
	itemsOf(value).filter((item) => item.kind === 'map');

/** A text, or a number as text; `null`: neither. */
export function textAt(map: PlacedValue | undefined, name: string): string | null {
	const found = memberOf(map, name);
	if (found?.kind !== 'scalar' || found.value === null || typeof found.value === 'boolean') return null;
	return String(found.value);
}

/** A number, also one that was written as text; `null`: none. */
export function numberAt(map: PlacedValue | undefined, name: string): number | null {
	const text = textAt(map, name)?.trim() ?? '';
	const number = text === '' ? Number.NaN : Number(text);
	return Number.isFinite(number) ? number : null;
}

/** The value without its places, as JSON.parse would have given it. */
export function plainOf(value: PlacedValue): unknown {
	switch (value.kind) {
		case 'scalar':
			return value.value;
		case 'list':
			return value.items.map(plainOf);
		case 'map':
			return Object.fromEntries(Array.from(value.entries, ([name, each]) => [name, plainOf(each)]));
	}
}
