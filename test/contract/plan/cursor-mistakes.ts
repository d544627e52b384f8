import { member } from '../../system/kit/rest.ts';
import type { Case } from '../kit/case.ts';
import type { Answer } from '../kit/http-client.ts';

const LINK = /^<(?<target>[^>]+)>; *rel="next"$/;

const textOf = (value: string | null): string => value ?? 'absent';

/** What is wrong with the headers of a part of a list that goes on (R3). */
function headerMistakes(answer: Answer, limit: number, target: URL | null): readonly string[] {
	const cursor = answer.header('x-next-cursor');
	return [
		...(cursor === null ? ['X-Next-Cursor is absent'] : []),
		...(target === null ? [`Link is ${textOf(answer.header('link'))}`] : []),
		...(answer.header('x-limit') === String(limit) ? [] : [`X-Limit is ${textOf(answer.header('x-limit'))}`]),
		...(target?.searchParams.get('cursor') === cursor ? [] : ['the link has another cursor than the header']),
	];
}

/**
 * What is wrong with the first part of a list that goes on (R3): its length, its headers, and where they lead.
 * @param get calls a path below `/api/v1`
 */
export async function cursorMistakes(
	answer: Answer,
	limit: number,
	get: (path: string) => Promise<Answer>,
): Promise<readonly string[]> {
	const link = LINK.exec(answer.header('link') ?? '')?.groups?.['target'];
	const target = link === undefined ? null : new URL(link, 'http://box');
	const mistakes = headerMistakes(answer, limit, target);
	if (target === null || mistakes.length > 0) return mistakes;
	if (!Array.isArray(answer.body) || answer.body.length !== limit) return [`not ${limit} entries`];
	const next = await get(`${target.pathname.replace(/^\/api\/v1/, '')}${target.search}`);
	const first = member(member(next.body, '0'), 'id');
	return first !== undefined && first !== member(answer.body[0], 'id')
		? []
		: ['the next part begins where the first did'];
}

/** A list of a device's is asked to go on where it never ended. */
export const unknownCursor: Case = {
	name: 'an unknown cursor',
	status: 422,
	code: 'VALIDATION_ERROR',
	async run(stage, operation) {
		const path = { device_id: await stage.newDevice(null) };
		return stage.sendAs('viewer', operation, { path, query: { cursor: 'abcd123' } });
	},
};
