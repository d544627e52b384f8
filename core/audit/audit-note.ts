import type { Request } from '@hapi/hapi';

/** What a handler adds to the audit entry of its request. */
export interface AuditNote {
	readonly target: string;
	readonly before: object | null;
	readonly after: object | null;
}

declare module '@hapi/hapi' {
	interface RequestApplicationState {
		audit?: AuditNote;
	}
}

/** Tells the audit log what this request changed; to be called by the handler of every change, with views and never with secrets. */
export function noteChange(request: Pick<Request, 'app'>, note: AuditNote): void {
	request.app.audit = note;
}
