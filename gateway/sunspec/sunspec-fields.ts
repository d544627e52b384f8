import {
	HEADER_REGISTERS,
	type SunspecGroup,
	type SunspecModel,
	type SunspecPlace,
	type SunspecPoint,
} from './sunspec-model.ts';

/** A point of a model where one device has it. */
export interface SunspecField {
	readonly point: SunspecPoint;
	/** Groups it is in below the model, each with its number from 1 where it repeats. */
	readonly path: readonly FieldGroup[];
	readonly address: number;
	/** The field with the scale factor; `null`: it needs none; `undefined`: it needs one that the device does not have. */
	readonly scaleFactor: SunspecField | null | undefined;
}

export interface FieldGroup {
	readonly name: string;
	readonly label: string;
	/** `null`: the group is there once. */
	readonly number: number | null;
}

/** More repeats than any device has. */
const MAX_REPEATS = 1000;
const NOT_IMPLEMENTED = 0xffff;

/** Fields by name, of the group at hand and those around it. */
interface Scope {
	readonly parent: Scope | null;
	readonly fields: Map<string, SunspecField>;
}

function lookUp(scope: Scope | null, name: string): SunspecField | undefined {
	for (let at = scope; at !== null; at = at.parent) {
		const field = at.fields.get(name);
		if (field !== undefined) return field;
	}
	return undefined;
}

/** Lays a model out over the registers of one device. */
function createLayout(place: SunspecPlace) {
	const fields: SunspecField[] = [];
	const end = place.address + HEADER_REGISTERS + place.length;
	let next = place.address;

	/** The number a field holds; `null`: it was not read, or has no value. */
	function numberAt({ address }: SunspecField): number | null {
		const word = place.words?.[address - place.address - HEADER_REGISTERS];
		return word === undefined || word === NOT_IMPLEMENTED ? null : word;
	}

	function layPoints(points: readonly SunspecPoint[], path: readonly FieldGroup[], scope: Scope): void {
		const placed = points.map((point) => {
			const address = next;
			next += point.size;
			return { point, address };
		});
		// Scale factors may stand behind the points that need them: they come first here.
		for (const isFactor of [true, false]) {
			for (const { point, address } of placed) {
				if ((point.type === 'sunssf') !== isFactor || address + point.size > end) continue;
				const scaleFactor = typeof point.sf === 'string' ? lookUp(scope, point.sf) : null;
				const field = { point, path, address, scaleFactor };
				scope.fields.set(point.name, field);
				fields.push(field);
			}
		}
	}

	/** How often a group is there by its definition; how often there is room for it is another matter. */
	function repeatsOf({ count }: SunspecGroup, scope: Scope): number {
		if (count === undefined) return 1;
		if (count === 0) return MAX_REPEATS;
		if (typeof count === 'number') return Math.min(count, MAX_REPEATS);
		const field = lookUp(scope, count);
		return Math.min(field === undefined ? 0 : (numberAt(field) ?? 0), MAX_REPEATS);
	}

	function layRepeats(group: SunspecGroup, path: readonly FieldGroup[], scope: Scope): void {
		const isSingle = group.count === undefined;
		const size = leastSize(group);
		const repeats = repeatsOf(group, scope);
		const isRoom = (): boolean => isSingle || next + size <= end;
		for (let number = 1; number <= repeats; number += 1) {
			if (!isRoom()) return;
			const step = { name: group.name, label: group.label ?? group.name, number: isSingle ? null : number };
			const before = next;
			layGroup(group, [...path, step], scope);
			// A group without registers could repeat for ever.
			if (next === before) return;
		}
	}

	function layGroup(group: SunspecGroup, path: readonly FieldGroup[], around: Scope | null): void {
		const scope: Scope = { parent: around, fields: new Map() };
		layPoints(group.points ?? [], path, scope);
		for (const inner of group.groups ?? []) layRepeats(inner, path, scope);
	}

	return { layGroup, fields };
}

/** Registers a group takes at least: its points and the groups in it that are always there. At least 1, so that repeats come to an end. */
function leastSize({ points = [], groups = [] }: SunspecGroup): number {
	const own = points.reduce((sum, { size }) => sum + size, 0);
	const inner = groups.filter(({ count }) => count === undefined).reduce((sum, group) => sum + leastSize(group), 0);
	return Math.max(1, own + inner);
}

/**
 * The points of a model at the addresses where a device has them: repeating groups as often as the device says or has room for, and no
 * point beyond the length the device gives. Pure.
 */
export function sunspecFields(model: SunspecModel, place: SunspecPlace): readonly SunspecField[] {
	const { layGroup, fields } = createLayout(place);
	layGroup(model.group, [], null);
	return fields.toSorted((left, right) => left.address - right.address);
}
