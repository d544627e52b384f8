import type { FaultReason } from '../kernel/fault.ts';

/** How a failure is answered over HTTP, and by its code over Socket.IO. */
export interface FaultAnswer {
	readonly status: number;
	readonly code: string;
}

/** Status and `error_code` of each reason (contract rule R2). */
export const FAULT_ANSWERS: Readonly<Record<FaultReason, FaultAnswer>> = {
	'not-found': { status: 404, code: 'RESOURCE_NOT_FOUND' },
	duplicate: { status: 409, code: 'DUPLICATE_ENTRY' },
	'state-conflict': { status: 409, code: 'STATE_CONFLICT' },
	'rule-violation': { status: 422, code: 'BUSINESS_RULE_VIOLATION' },
	malformed: { status: 400, code: 'VALIDATION_ERROR' },
	'precondition-failed': { status: 412, code: 'PRECONDITION_FAILED' },
	'not-authenticated': { status: 401, code: 'NOT_AUTHENTICATED' },
	'token-expired': { status: 401, code: 'TOKEN_EXPIRED' },
	'bad-credentials': { status: 401, code: 'INVALID_CREDENTIALS' },
	forbidden: { status: 403, code: 'PERMISSION_DENIED' },
	'rate-limited': { status: 429, code: 'RATE_LIMITED' },
	unreachable: { status: 502, code: 'UPSTREAM_ERROR' },
	unavailable: { status: 503, code: 'SERVICE_UNAVAILABLE' },
	timeout: { status: 504, code: 'UPSTREAM_ERROR' },
};
