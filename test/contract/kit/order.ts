import { member } from '../../system/kit/rest.ts';
import type { Answer } from './http-client.ts';

/** By what lists are ordered, newest first. */
const KEYS = ['recorded_at', 'created_at'];

/** Where the entries of a list do not stand newest first (the documents' rule for all lists). */
export function orderMistakes({ status, body }: Pick<Answer, 'status' | 'body'>): readonly string[] {
	const listed = Array.isArray(body) ? body : member(body, 'items');
	if (status !== 200 || !Array.isArray(listed)) return [];
	const entries: readonly unknown[] = listed;
	const key = KEYS.find((name) => member(entries[0], name) !== undefined);
	if (key === undefined) return [];
	const times = entries.map((entry) => String(member(entry, key)));
	return times.every((time, index) => index === 0 || time <= (times[index - 1] ?? ''))
		? []
		: [`${key} is not newest first`];
}
