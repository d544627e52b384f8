import { Fault } from '../kernel/fault.ts';
import type { JsonValue } from '../telemetry/reading.ts';
import { isEqualJson, isJsonObject } from './canonical-json.ts';
import { stepsOf, toPointer } from './json-pointer.ts';

/** One operation of a JSON patch (RFC 6902). */
export type PatchOperation =
	| { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: JsonValue }
	| { readonly op: 'remove'; readonly path: string }
	| { readonly op: 'move' | 'copy'; readonly path: string; readonly from: string };

export type Patch = readonly PatchOperation[];

/** Most operations of one patch. */
export const MAX_OPERATIONS = 10_000;

function differences(from: JsonValue, to: JsonValue, path: readonly string[], out: PatchOperation[]): void {
	if (isEqualJson(from, to)) return;
	if (!isJsonObject(from) || !isJsonObject(to)) {
		out.push({ op: 'replace', path: toPointer(path), value: to });
		return;
	}
	for (const key of [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted()) {
		const here = [...path, key];
		const before = Object.hasOwn(from, key) ? from[key] : undefined;
		const after = Object.hasOwn(to, key) ? to[key] : undefined;
		if (before === undefined && after !== undefined) out.push({ op: 'add', path: toPointer(here), value: after });
		else if (after === undefined) out.push({ op: 'remove', path: toPointer(here) });
		else if (before !== undefined) differences(before, after, here, out);
	}
}

/** What makes one value of another, in the order of the keys. Lists are replaced whole: the places of a list have no names that last. */
export function diff(from: JsonValue, to: JsonValue): Patch {
	const operations: PatchOperation[] = [];
	differences(from, to, [], operations);
	return operations;
}

/**
 * Work that one patch may cause, and most that its result can hold: for each value so much, and one for each character of texts and keys.
 * Several times what the largest configuration takes; copies of copies pass it soon.
 */
const MAX_WORK = 8_000_000;
const WORK_OF_VALUE = 16;
/** Deepest nesting of what a patch makes; a configuration has some twelve levels. */
const MAX_DEPTH = 64;

type Mutable = JsonValue[] | { [key: string]: JsonValue };

const missing = (op: string, pointer: string): Fault =>
	new Fault('rule-violation', `${op} ${pointer}: there is nothing at this place`);

const INDEX = /^(?:0|[1-9]\d{0,8})$/;

/** Also of a member named __proto__, which is one like any other. */
function define(object: { [key: string]: JsonValue }, key: string, value: JsonValue): void {
	if (key !== '__proto__') object[key] = value;
	else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function childOf(value: JsonValue, step: string): JsonValue | undefined {
	if (Array.isArray(value)) return INDEX.test(step) ? (value as readonly JsonValue[])[Number(step)] : undefined;
	return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

function valueAt(document: JsonValue, steps: readonly string[], op: string): JsonValue {
	let here: JsonValue = document;
	for (const step of steps) {
		const next: JsonValue | undefined = childOf(here, step);
		if (next === undefined) throw missing(op, toPointer(steps));
		here = next;
	}
	return here;
}

/** A copy of the document on which operations work in place. Everything that comes in is copied and counted. */
function createDraft(document: JsonValue) {
	let work = 0;

	function spend(amount: number): void {
		work += amount;
		if (work > MAX_WORK) throw new Fault('rule-violation', 'the patch makes more than a configuration can hold');
	}

	function copyOf(value: JsonValue, depth: number): JsonValue {
		if (depth > MAX_DEPTH) throw new Fault('rule-violation', `the patch makes more than ${MAX_DEPTH} levels`);
		spend(WORK_OF_VALUE + (typeof value === 'string' ? value.length : 0));
		if (Array.isArray(value)) return value.map((item: JsonValue) => copyOf(item, depth + 1));
		if (!isJsonObject(value)) return value;
		const copy: { [key: string]: JsonValue } = {};
		for (const key of Object.keys(value)) {
			spend(key.length);
			define(copy, key, copyOf(value[key] ?? null, depth + 1));
		}
		return copy;
	}

	let root = copyOf(document, 0);

	/** The list or object that has, or gets, the last of the steps. */
	function parentOf(steps: readonly string[], op: string): Mutable {
		const parent = valueAt(root, steps.slice(0, -1), op);
		if (typeof parent !== 'object' || parent === null) throw missing(op, toPointer(steps));
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of it was copied into this draft
		return parent as Mutable;
	}

	function indexIn(list: readonly JsonValue[], step: string, op: string, steps: readonly string[]): number {
		const index = op === 'add' && step === '-' ? list.length : INDEX.test(step) ? Number(step) : -1;
		const end = op === 'add' ? list.length : list.length - 1;
		if (index < 0 || index > end) throw missing(op, toPointer(steps));
		// What stands behind it is moved.
		spend(1 + Math.floor(list.length / 64));
		return index;
	}

	/** Puts a value that is already of this draft. */
	function put(op: 'add' | 'replace', steps: readonly string[], value: JsonValue): void {
		const step = steps.at(-1);
		if (step === undefined) {
			root = value;
			return;
		}
		const parent = parentOf(steps, op);
		if (Array.isArray(parent)) parent.splice(indexIn(parent, step, op, steps), op === 'add' ? 0 : 1, value);
		else if (op === 'replace' && !Object.hasOwn(parent, step)) throw missing(op, toPointer(steps));
		else define(parent, step, value);
	}

	function remove(op: string, steps: readonly string[]): void {
		const step = steps.at(-1);
		if (step === undefined) {
			root = null;
			return;
		}
		const parent = parentOf(steps, op);
		if (Array.isArray(parent)) parent.splice(indexIn(parent, step, op, steps), 1);
		else if (Object.hasOwn(parent, step)) delete parent[step];
		else throw missing(op, toPointer(steps));
	}

	function move(from: readonly string[], to: readonly string[]): void {
		const value = valueAt(root, from, 'move');
		if (to.length > from.length && from.every((step, index) => to[index] === step))
			throw new Fault('rule-violation', `move ${toPointer(from)}: a value cannot move into itself`);
		remove('move', from);
		// Moved again and again it could grow deeper than it is wide: it is counted like a copy.
		put('add', to, copyOf(value, to.length));
	}

	return {
		root: (): JsonValue => root,
		apply(operation: PatchOperation): void {
			const steps = stepsOf(operation.path);
			switch (operation.op) {
				case 'add':
				case 'replace':
					return put(operation.op, steps, copyOf(operation.value, steps.length));
				case 'remove':
					return remove('remove', steps);
				case 'copy':
					return put('add', steps, copyOf(valueAt(root, stepsOf(operation.from), 'copy'), steps.length));
				case 'move':
					return move(stepsOf(operation.from), steps);
				case 'test':
					if (!isEqualJson(valueAt(root, steps, 'test'), operation.value))
						throw new Fault('rule-violation', `test ${operation.path}: another value is there`);
			}
		},
	};
}

/**
 * Applies a patch whole or not at all; the document stays as it is.
 * @throws Fault `rule-violation` naming the operation that does not fit, or the bound that is passed; `malformed`
 */
export function applyPatch(document: JsonValue, patch: Patch): JsonValue {
	if (patch.length > MAX_OPERATIONS)
		throw new Fault('rule-violation', `a patch has at most ${MAX_OPERATIONS} operations; found ${patch.length}`);
	const draft = createDraft(document);
	for (const operation of patch) draft.apply(operation);
	return draft.root();
}
