/**
 * What can go wrong, in words that tell the caller what to do. Domain code throws a Fault;
 * only `core/http` knows which status and `error_code` each reason becomes.
 */
export type FaultReason =
	| 'not-found'
	| 'duplicate'
	| 'state-conflict'
	| 'rule-violation'
	| 'malformed'
	| 'precondition-failed'
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
	/** Path of the field of the request that is at fault, in its wire name, e.g. `connection.template`; null when it is none. */
	readonly field: string | null;

	constructor(reason: FaultReason, message: string, options: ErrorOptions & { readonly field?: string } = {}) {
		super(message, options);
		this.reason = reason;
		this.field = options.field ?? null;
	}
}

/** One place that is at fault. */
export interface FieldMistake {
	/** Dotted, e.g. `points[3].address`. */
	readonly path: string;
	readonly message: string;
}

/** Many fields of a request at fault at once, e.g. those of a document that was uploaded. */
export class FieldsFault extends Fault {
	readonly mistakes: readonly FieldMistake[];

	constructor(mistakes: readonly FieldMistake[]) {
		super('rule-violation', mistakes.map(({ path, message }) => `${path}: ${message}`).join('\n'));
		this.mistakes = mistakes;
	}
}

export const notFound = (what: string, id: string): Fault => new Fault('not-found', `${what} ${id} does not exist`);

/** @param field whose value is taken */
export const duplicate = (field: string, id: string): Fault =>
	new Fault('duplicate', `${field} ${id} already exists`, { field });

/** A fault of one field of the request, which begins its sentence. */
export const fieldFault = (reason: FaultReason, field: string, sentence: string, options: ErrorOptions = {}): Fault =>
	new Fault(reason, `${field}: ${sentence}`, { ...options, field });

/** The sentence of anything that was thrown, for logs and health reasons. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
