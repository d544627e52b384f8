import { Fault } from '../kernel/fault.ts';

/** Longest pointer that is looked at, characters; the longest of a configuration has some 200. */
export const MAX_POINTER_LENGTH = 1_024;

/** A JSON pointer (RFC 6901) from its steps; none is the whole document. */
export const toPointer = (steps: readonly string[]): string =>
	steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** @throws Fault `malformed` for what is no pointer */
export function stepsOf(pointer: string): readonly string[] {
	if (pointer === '') return [];
	if (!pointer.startsWith('/') || pointer.length > MAX_POINTER_LENGTH || /~(?![01])/.test(pointer))
		throw new Fault('malformed', `${pointer.slice(0, 80)} is no JSON pointer (RFC 6901)`);
	return pointer
		.slice(1)
		.split('/')
		.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
