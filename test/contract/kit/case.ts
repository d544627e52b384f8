import type { Role } from '../../../core/identity/role.ts';
import type { Operation, Tree } from './document.ts';
import type { Answer } from './http-client.ts';
import type { Person } from './people.ts';
import type { Stage } from './stage.ts';

/** A call of an operation before it is written down as HTTP. */
export interface ApiRequest {
	/** Values of the path's parameters. */
	readonly path?: Readonly<Record<string, string>>;
	readonly query?: Readonly<Record<string, string>>;
	/** Sent as JSON; none when absent. */
	readonly body?: unknown;
	/** Sent instead of a body, as it stands. */
	readonly rawBody?: string;
	readonly headers?: Readonly<Record<string, string>>;
}

/** One call and what has to come back. */
export interface Case {
	/** What is special, e.g. `body.email is missing`. */
	readonly name: string;
	readonly status: number;
	/** The `error_code` of a refusal. */
	readonly code?: string;
	/** Field that the refusal has to name, e.g. `['body', 'email']`. */
	readonly field?: readonly string[];
	/** The rule by which the answer departs from the document; then only the form of errors is checked. */
	readonly amendment?: string;
	/** Makes what the call needs, and calls. */
	readonly run: (stage: Stage, operation: Operation) => Promise<Answer>;
	/** What is wrong with the answer beyond its schema; empty: nothing. */
	readonly verify?: (answer: Answer, stage: Stage) => Promise<readonly string[]> | readonly string[];
}

/** How an operation is called, and what the documents say about it only in words. */
export interface Plan {
	/**
	 * A call that has to succeed, and everything it needs, made anew.
	 * @param who the caller; `null` where no token is needed
	 * @param example the documented body; `null`: any valid one
	 */
	readonly request: (stage: Stage, who: Person | null, example: Tree | null) => Promise<ApiRequest>;
	/** Who calls in place of the one of this level, where the call costs the caller something. */
	readonly caller?: (stage: Stage, who: Person) => Promise<Person>;
	/** What is wrong with a success beyond its schema. */
	readonly verify?: (answer: Answer, request: ApiRequest, who: Person | null) => readonly string[];
	/** What the documents say in words. */
	readonly cases?: readonly Case[];
	/** Who is let in where a rule overrides the roles of the document, with the rule. */
	readonly roles?: { readonly rule: string; readonly allowed: readonly Role[] };
}

/** The caller of this level; `null`: nobody in particular. */
export async function callerOf(stage: Stage, plan: Plan, role: Role | null): Promise<Person | null> {
	if (role === null) return null;
	const who = await stage.people.of(role);
	return plan.caller?.(stage, who) ?? who;
}

/** Calls with what the plan makes, changed. */
export const calling =
	(plan: Plan, change: (request: ApiRequest) => ApiRequest, role: Role | null = 'superadmin'): Case['run'] =>
	async (stage, operation) => {
		const who = await callerOf(stage, plan, role);
		return stage.send(operation, change(await plan.request(stage, who, null)), who?.accessToken ?? null);
	};
