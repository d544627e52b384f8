import { Fault } from '../kernel/fault.ts';
import type { JsonValue } from '../telemetry/reading.ts';
import { isEqualJson, isJsonObject, type JsonObject } from './canonical-json.ts';
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

const missing = (op: string, pointer: string): Fault =>
	new Fault('rule-violation', `${op} ${pointer}: there is nothing at this place`);

function valueAt(document: JsonValue, steps: readonly string[], op: string): JsonValue {
	let here: JsonValue = document;
	for (const step of steps) {
		const next: JsonValue | undefined = childOf(here, step);
		if (next === undefined) throw missing(op, toPointer(steps));
		here = next;
	}
	return here;
}

const INDEX = /^(?:0|[1-9]\d{0,8})$/;

function childOf(value: JsonValue, step: string): JsonValue | undefined {
	if (Array.isArray(value)) return INDEX.test(step) ? (value as readonly JsonValue[])[Number(step)] : undefined;
	return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}

/** What becomes of one member: `undefined` takes it away. */
interface Edit {
	readonly op: 'add' | 'replace' | 'remove';
	readonly value: JsonValue | undefined;
}

function editList(list: readonly JsonValue[], step: string, { op, value }: Edit, pointer: string): JsonValue {
	const index = op === 'add' && step === '-' ? list.length : INDEX.test(step) ? Number(step) : -1;
	const end = op === 'add' ? list.length : list.length - 1;
	if (index < 0 || index > end) throw missing(op, pointer);
	const given = value === undefined ? [] : [value];
	return list.toSpliced(index, op === 'add' ? 0 : 1, ...given);
}

function editObject(object: JsonObject, step: string, { op, value }: Edit, pointer: string): JsonValue {
	if (op !== 'add' && !Object.hasOwn(object, step)) throw missing(op, pointer);
	const rest = Object.entries(object).filter(([key]) => key !== step);
	// fromEntries defines members, so that even a key named __proto__ is one.
	return Object.fromEntries(value === undefined ? rest : [...rest, [step, value]]);
}

function edited(document: JsonValue, steps: readonly string[], edit: Edit, depth = 0): JsonValue {
	const step = steps[depth];
	if (step === undefined) return edit.value ?? null;
	const pointer = toPointer(steps);
	if (depth === steps.length - 1) {
		if (Array.isArray(document)) return editList(document as readonly JsonValue[], step, edit, pointer);
		if (isJsonObject(document)) return editObject(document, step, edit, pointer);
		throw missing(edit.op, pointer);
	}
	const child = childOf(document, step);
	if (child === undefined) throw missing(edit.op, pointer);
	const value = edited(child, steps, edit, depth + 1);
	if (Array.isArray(document)) return (document as readonly JsonValue[]).with(Number(step), value);
	return isJsonObject(document) ? editObject(document, step, { op: 'add', value }, pointer) : document;
}

function move(document: JsonValue, from: readonly string[], to: readonly string[]): JsonValue {
	const value = valueAt(document, from, 'move');
	if (to.length > from.length && from.every((step, index) => to[index] === step))
		throw new Fault('rule-violation', `move ${toPointer(from)}: a value cannot move into itself`);
	return edited(edited(document, from, { op: 'remove', value: undefined }), to, { op: 'add', value });
}

function applied(document: JsonValue, operation: PatchOperation): JsonValue {
	const steps = stepsOf(operation.path);
	switch (operation.op) {
		case 'add':
		case 'replace':
			return edited(document, steps, { op: operation.op, value: operation.value });
		case 'remove':
			return edited(document, steps, { op: 'remove', value: undefined });
		case 'copy':
			return edited(document, steps, { op: 'add', value: valueAt(document, stepsOf(operation.from), 'copy') });
		case 'move':
			return move(document, stepsOf(operation.from), steps);
		case 'test':
			if (!isEqualJson(valueAt(document, steps, 'test'), operation.value))
				throw new Fault('rule-violation', `test ${operation.path}: another value is there`);
			return document;
	}
}

/** Applies a patch whole or not at all. @throws Fault `rule-violation` naming the operation that does not fit, `malformed` */
export function applyPatch(document: JsonValue, patch: Patch): JsonValue {
	if (patch.length > MAX_OPERATIONS)
		throw new Fault('rule-violation', `a patch has at most ${MAX_OPERATIONS} operations; found ${patch.length}`);
	return patch.reduce(applied, document);
}
