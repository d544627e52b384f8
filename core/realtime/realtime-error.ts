import { FAULT_ANSWERS } from '../http/fault-answers.ts';
import { Fault } from '../kernel/fault.ts';

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
		? bodyOf(FAULT_ANSWERS[thrown.reason].code, thrown.message)
		: bodyOf('INTERNAL_ERROR', 'an unexpected error occurred');
