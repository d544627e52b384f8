import { Fault, type FaultReason } from '../kernel/fault.ts';

/** `error_code` of each reason (contract rule R2). */
const CODE: Readonly<Record<FaultReason, string>> = {
	'not-found': 'RESOURCE_NOT_FOUND',
	duplicate: 'DUPLICATE_ENTRY',
	'state-conflict': 'STATE_CONFLICT',
	'rule-violation': 'BUSINESS_RULE_VIOLATION',
	'not-authenticated': 'NOT_AUTHENTICATED',
	'token-expired': 'TOKEN_EXPIRED',
	'bad-credentials': 'INVALID_CREDENTIALS',
	forbidden: 'PERMISSION_DENIED',
	'rate-limited': 'RATE_LIMITED',
	unreachable: 'UPSTREAM_ERROR',
	unavailable: 'SERVICE_UNAVAILABLE',
	timeout: 'UPSTREAM_ERROR',
};

/** The error object of `/api/v1`, as acknowledgements and refused connections carry it. */
export interface RealtimeError {
	readonly success: false;
	readonly detail: string;
	readonly error_code: string;
	readonly error: { readonly code: string; readonly message: string };
}

const bodyOf = (code: string, detail: string): RealtimeError => ({
	success: false,
	detail,
	error_code: code,
	error: { code, message: detail },
});

/** A payload that breaks its schema. */
export const malformed = (detail: string): RealtimeError => bodyOf('VALIDATION_ERROR', detail);

/** What was thrown, as the client may see it: anything unexpected loses its details. */
export const toRealtimeError = (thrown: unknown): RealtimeError =>
	thrown instanceof Fault
		? bodyOf(CODE[thrown.reason], thrown.message)
		: bodyOf('INTERNAL_ERROR', 'an unexpected error occurred');
