import { ROLES, type Role } from '../../../core/identity/role.ts';
import { type ApiRequest, callerOf, calling, type Case, type Plan } from './case.ts';
import { isTree, nameOf, type Operation, statusesOf, successOf, type Tree } from './document.ts';
import type { Person } from './people.ts';
import type { Answer } from './http-client.ts';
import { malformedCases, missingCases, violationCases } from './schema-cases.ts';
import type { Stage } from './stage.ts';
import { requiredOf } from './violations.ts';

/** Calls until a limit answers; far more than the setting of the limit lets through. */
const MOST_CALLS_TO_A_LIMIT = 3_000;
const AT_ONCE = 20;

/** Who may call, by the document or by the rule that overrides it. */
function rolesOf({ access }: Operation, { roles }: Plan): readonly Role[] {
	if (roles !== undefined) return roles.allowed;
	return typeof access === 'string' ? ROLES : access;
}

/** The successes: the example of each document, and every role that is let in. */
function successes(operation: Operation, plan: Plan): readonly Case[] {
	const success = (name: string, role: Role | null, example: Tree | null): Case => {
		let sent: ApiRequest = {};
		let caller: Person | null = null;
		return {
			name,
			status: successOf(operation),
			async run(stage) {
				caller = await callerOf(stage, plan, role);
				sent = await plan.request(stage, caller, example);
				return stage.send(operation, sent, caller?.accessToken ?? null);
			},
			verify: (answer) => plan.verify?.(answer, sent, caller) ?? [],
		};
	};
	const isPublic = operation.access === 'public';
	return [
		...operation.sources.map(({ example, reference }) =>
			success(`the call of reference ${reference}`, isPublic ? null : 'superadmin', example),
		),
		...(isPublic ? [] : rolesOf(operation, plan).map((role) => success(`a call as ${role}`, role, null))),
	];
}

/** Successes of bodies that say more, or nothing: unknown fields are ignored, and every field of a change is optional. */
function looseBodies(operation: Operation, plan: Plan, role: Role | null): readonly Case[] {
	const bodies = operation.sources.flatMap(({ document, body }) => (body === null ? [] : [requiredOf(document, body)]));
	if (bodies.length === 0) return [];
	const success = (name: string, change: (body: Tree) => Tree): Case => ({
		name,
		status: successOf(operation),
		run: calling(plan, (request) => ({ ...request, body: change(isTree(request.body) ? request.body : {}) }), role),
	});
	const isChange = operation.method === 'PATCH' && bodies.every((required) => required.length === 0);
	return [
		success('an unknown field of the body is ignored', (body) => ({
			...body,
			surprise: { of: ['a', 'later', 'client'] },
		})),
		...(isChange ? [success('a change of nothing', () => ({}))] : []),
	];
}

/** 401: no token, one that is none, one that has expired. */
function notAuthenticated(plan: Plan): readonly Case[] {
	const refused = (name: string, code: string, tokenOf: (stage: Stage) => string | null): Case => ({
		name,
		status: 401,
		code,
		run: async (stage, operation) =>
			stage.send(operation, await plan.request(stage, await stage.people.of('superadmin'), null), tokenOf(stage)),
	});
	return [
		refused('no token', 'NOT_AUTHENTICATED', () => null),
		refused('a token that is none', 'INVALID_CREDENTIALS', () => 'garbage'),
		refused('a token that has expired', 'TOKEN_EXPIRED', ({ expired }) => expired.accessToken),
	];
}

/** 403: every role that is not let in. */
const forbidden = (operation: Operation, plan: Plan): readonly Case[] =>
	ROLES.filter((role) => !rolesOf(operation, plan).includes(role)).map((role) => ({
		name: `a call as ${role}`,
		status: 403,
		code: 'PERMISSION_DENIED',
		run: async (stage) =>
			stage.sendAs(role, operation, await plan.request(stage, await stage.people.of('superadmin'), null)),
	}));

/** 429: calls from one address until it is too much. The limit of addresses comes before tokens are looked at. */
const tooMany = (plan: Plan, role: Role | null): Case => ({
	name: 'too many calls from one address',
	status: 429,
	code: 'RATE_LIMITED',
	async run(stage, operation) {
		const request = await plan.request(stage, await callerOf(stage, plan, role), null);
		let answer: Answer | undefined;
		const letPass = stage.box.holdTime();
		for (let calls = 0; calls < MOST_CALLS_TO_A_LIMIT; calls += AT_ONCE) {
			const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => stage.hurry(operation, request)));
			answer = answers.find(({ status }) => status === 429) ?? answers.at(-1);
			if (answer?.status === 429) break;
		}
		letPass();
		if (answer === undefined) throw new RangeError('nothing was called');
		return answer;
	},
});

/** Cases of the same name are one: both documents imply them. */
const distinct = (cases: readonly Case[]): readonly Case[] => [
	...new Map(cases.map((one) => [`${one.status} ${one.name}`, one])).values(),
];

/** Every case of the operation: those that its documents imply by their schemas, and those of the plan. */
export function casesOf(operation: Operation, plan: Plan): readonly Case[] {
	const statuses = statusesOf(operation);
	const role: Role | null = operation.access === 'public' ? null : 'superadmin';
	const implied = operation.sources.map((source) => ({ source, plan, role }));
	return distinct([
		...successes(operation, plan),
		...looseBodies(operation, plan, role),
		...(statuses.includes(401) && role !== null ? notAuthenticated(plan) : []),
		...(statuses.includes(403) ? forbidden(operation, plan) : []),
		...(statuses.includes(400) ? implied.flatMap(malformedCases) : []),
		...(statuses.includes(404) ? implied.flatMap(missingCases) : []),
		...(statuses.includes(422) ? implied.flatMap(violationCases) : []),
		...(plan.cases ?? []),
		...(statuses.includes(429) ? [tooMany(plan, role)] : []),
	]);
}

/** Statuses that no honest call provokes, with the reason. */
export const NOT_PROVOKED: Readonly<Record<number, string>> = {
	500: 'n/a: it would be a defect; a case that meets one fails',
};

/** Documented statuses of the operation that no case provokes. */
export const uncovered = (operation: Operation, cases: readonly Case[]): readonly string[] =>
	statusesOf(operation)
		.filter((status) => NOT_PROVOKED[status] === undefined && !cases.some((one) => one.status === status))
		.map((status) => `${nameOf(operation)} has no case for ${status}`);
