import type { Request } from '@hapi/hapi';

import type { TenantId } from '../kernel/id.ts';

/** What a handler adds to the audit entry of its request. */
export interface AuditNote {
	readonly target: string;
	readonly before: object | null;
	readonly after: object | null;
}

/** Who the audit log names. */
export interface AuditCaller {
	readonly userId: string;
	readonly email: string;
	readonly tenantId: TenantId;
}

declare module '@hapi/hapi' {
	interface RequestApplicationState {
		audit?: AuditNote;
	}
	interface RouteOptionsApp {
		/**
		 * `false`: a call that succeeds is no entry, because it is data and no decision of a person (telemetry, renewing a token, evaluations).
		 * `attempts`: an entry also when it fails after `noteChange`, because what it does is done by then whatever comes of it, and whoever hangs
		 * up is not to escape it (it reaches other hosts).
		 * `caller-by-email`: who calls is the account of the `email` in the body, when there is one (login, registration, claim).
		 */
		readonly audit?: false | 'attempts' | 'caller-by-email';
	}
}

/** Tells the audit log what this request changed; to be called by the handler of every change, with views and never with secrets. */
export function noteChange(request: Pick<Request, 'app'>, note: AuditNote): void {
	request.app.audit = note;
}
