import type { Lifecycle, Plugin, Request, RequestRoute, ResponseObject, ResponseToolkit } from '@hapi/hapi';

import type { AuditEvent, AuditLog } from './audit.ts';
import { isAnswer, stepsOf } from '../http/steps.ts';
import { isUuid, tenantId, type TenantId } from '../kernel/id.ts';
import type { AuditCaller, AuditNote } from './audit-note.ts';

export interface AuditHttpOptions {
	readonly audit: AuditLog;
	/** The account of an address, for calls that say who they are by it; `undefined`: there is none. */
	readonly callerByEmail: (email: string) => AuditCaller | undefined;
}

const CHANGES: ReadonlySet<string> = new Set(['post', 'put', 'patch', 'delete']);
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 429]);

/** Longest address looked up. */
const MAX_EMAIL_LENGTH = 254;

/** What is refused before its route is looked for has only a path. */
const actionOf = ({ route, method, path }: Request): string =>
	route.settings.app?.api?.operationId ??
	`${method.toUpperCase()} ${route.settings.app === undefined ? path : route.path}`;

function emailOf(body: unknown): string | null {
	if (typeof body !== 'object' || body === null || !('email' in body)) return null;
	const { email } = body;
	return typeof email === 'string' && email.length <= MAX_EMAIL_LENGTH ? email : null;
}

/** Who the request is about: by its token, or by the address in the body. */
function callerOf(request: Request, callerByEmail: AuditHttpOptions['callerByEmail']): AuditCaller | null {
	const actor = request.auth.isAuthenticated ? request.auth.credentials.user?.actor : undefined;
	if (actor !== undefined) return actor;
	const email = request.route.settings.app?.audit === 'caller-by-email' ? emailOf(request.payload) : null;
	return email === null ? null : (callerByEmail(email) ?? null);
}

/** `error_code` and sentence of a refusal. */
function reasonOf(body: unknown, status: number): string {
	if (typeof body !== 'object' || body === null) return `HTTP ${status}`;
	const { error_code: code, detail }: { error_code?: unknown; detail?: unknown } = body;
	return typeof code === 'string' ? `${code}: ${typeof detail === 'string' ? detail : ''}` : `HTTP ${status}`;
}

/** The tenant of what was changed, which is not that of a superadmin who has changed it; else the caller's. */
function tenantOf(note: AuditNote | undefined, caller: AuditCaller | null): TenantId | null {
	const record = note?.after ?? note?.before ?? {};
	const changed: unknown = 'tenant_id' in record ? record.tenant_id : null;
	return typeof changed === 'string' && isUuid(changed) ? tenantId(changed) : (caller?.tenantId ?? null);
}

function eventOf(request: Request, caller: AuditCaller | null): Omit<AuditEvent, 'outcome' | 'reason'> {
	const { audit } = request.app;
	return {
		action: actionOf(request),
		actor: caller === null ? null : { userId: caller.userId, email: caller.email },
		tenantId: tenantOf(audit, caller),
		from: request.info.remoteAddress,
		target: audit?.target ?? null,
		before: audit?.before ?? null,
		after: audit?.after ?? null,
		requestId: request.app.requestId ?? null,
	};
}

type Handler = (request: Request, h: ResponseToolkit) => unknown;

const isChange = ({ method, path, settings }: RequestRoute): boolean =>
	CHANGES.has(method) && path.startsWith('/api/') && settings.app?.audit !== false;

/** What was refused, and what failed when it was under way where that is to be known. */
const isWritten = ({ route, app }: Request, status: number): boolean =>
	REFUSALS.has(status) || (status >= 400 && route.settings.app?.audit === 'attempts' && app.audit !== undefined);

/** False for a refusal that the handler answers itself. */
function isDone(response: ResponseObject): boolean {
	// Not set before the answer is on its way, unless the handler does it.
	const status: number | null = response.statusCode;
	return status === null || (status >= 200 && status < 300);
}

/**
 * Writes down every change below `/api` before its answer leaves, and every refusal. To be registered after `faultResponses`, whose
 * answers it reads. It works around the handler, so that nobody escapes it by hanging up, and within `idempotency`: an answer is kept for
 * repetition after its entry is on disk, so that a power cut leaves no change that is answered and not written down.
 */
export const auditHttp: Plugin<AuditHttpOptions> = {
	name: 'audit-http',
	register(server, { audit, callerByEmail }) {
		const recorded =
			(handler: Handler): Lifecycle.Method =>
			async (request, h) => {
				const result: unknown = await handler(request, h);
				// What ends a request without an answer.
				if (typeof result === 'symbol') return result;
				const response = h.response(result ?? undefined);
				if (isDone(response))
					await audit.record({ ...eventOf(request, callerOf(request, callerByEmail)), outcome: 'done', reason: null });
				return response;
			};

		function recordAll(): void {
			for (const route of server.table().filter(isChange)) {
				const { handler } = route.settings;
				if (typeof handler !== 'function') continue;
				// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the framework's type is a bare `Function`
				route.settings.handler = recorded(handler as Handler);
			}
		}

		server.ext({ type: 'onPreStart', method: recordAll, options: { before: 'idempotency' } });

		stepsOf(server).onPreResponse.push((response, request) => {
			if (!request.path.startsWith('/api/') || !isAnswer(response) || !isWritten(request, response.statusCode))
				return response;
			const event = eventOf(request, callerOf(request, callerByEmail));
			const target = event.target ?? request.path;
			audit.refused({ ...event, target, outcome: 'refused', reason: reasonOf(response.source, response.statusCode) });
			return response;
		});
	},
};
