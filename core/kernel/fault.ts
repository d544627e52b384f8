/**
 * What can go wrong, in words that tell the caller what to do. Domain code throws a Fault;
 * only `core/http` knows which status and `error_code` each reason becomes.
 */
export type FaultReason =
	| 'not-found'
	| 'duplicate'
	| 'state-conflict'
	| 'rule-violation'
	| 'not-authenticated'
	| 'token-expired'
	| 'bad-credentials'
	| 'forbidden'
	| 'rate-limited'
	| 'unreachable'
	| 'unavailable'
	| 'timeout';

/** An expected failure. `message` is a sentence for a person: it names the field, the rule and the value, never a secret. */
export class Fault extends Error {
	override readonly name = 'Fault';
	readonly reason: FaultReason;

	constructor(reason: FaultReason, message: string, options?: ErrorOptions) {
		super(message, options);
		this.reason = reason;
	}
}

export const notFound = (what: string, id: string): Fault => new Fault('not-found', `${what} ${id} does not exist`);

export const duplicate = (what: string, id: string): Fault => new Fault('duplicate', `${what} ${id} already exists`);

/** The sentence of anything that was thrown, for logs and health reasons. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
