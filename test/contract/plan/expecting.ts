import { member } from '../../system/kit/rest.ts';
import { isTree } from '../kit/document.ts';
import type { Answer } from '../kit/http-client.ts';

/** Where the members of an answer differ from these. */
export const expecting =
	(wanted: Readonly<Record<string, unknown>>) =>
	({ body }: Pick<Answer, 'body'>): readonly string[] =>
		Object.entries(wanted).flatMap(([name, value]) =>
			JSON.stringify(member(body, name)) === JSON.stringify(value)
				? []
				: [`${name} is ${JSON.stringify(member(body, name))}, not ${JSON.stringify(value)}`],
		);

/** Where an answer does not repeat what was sent. */
export const repeats = (answer: Answer, { body }: { readonly body?: unknown }): readonly string[] =>
	expecting(isTree(body) ? body : {})(answer);

/** What is wrong with an answer to a list by page. */
export function pageMistakes({ body }: Answer, page: number, size: number): readonly string[] {
	const items = member(body, 'items');
	const total = Number(member(body, 'total'));
	return [
		...expecting({ page, size, pages: Math.ceil(total / size) })({ body }),
		...(Array.isArray(items) && items.length <= size ? [] : ['more items than the size']),
	];
}
