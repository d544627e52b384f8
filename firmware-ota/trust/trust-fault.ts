import { Fault, type FaultReason, messageOf } from '../../core/kernel/fault.ts';

/**
 * Why metadata or a target is not taken, by name:
 * `malformed` no document that this client understands · `threshold` too few valid signatures of the role's keys · `rollback` older than what is
 * trusted, or without what it had · `mix-and-match` not the file that the metadata above it names · `expired` past its time · `too-large` more
 * bytes than agreed · `too-slow` no progress in time · `too-many` more files than are followed at once · `missing` a file that is named is not
 * there · `unreachable` nobody answers · `wrong-content` length or hash of a target are not the signed ones · `no-trust` nothing to begin with.
 */
export const REFUSALS = {
	malformed: 'malformed',
	threshold: 'forbidden',
	rollback: 'rule-violation',
	'mix-and-match': 'rule-violation',
	expired: 'rule-violation',
	'too-large': 'rule-violation',
	'too-slow': 'timeout',
	'too-many': 'rule-violation',
	missing: 'not-found',
	unreachable: 'unreachable',
	'wrong-content': 'rule-violation',
	'no-trust': 'unavailable',
} as const satisfies Readonly<Record<string, FaultReason>>;
export type TrustRefusal = keyof typeof REFUSALS;

/** Something that is not trusted, and why. The sentence names the file and the rule, never a key's secret. */
export class TrustFault extends Fault {
	readonly refusal: TrustRefusal;

	constructor(refusal: TrustRefusal, sentence: string, options: ErrorOptions = {}) {
		super(REFUSALS[refusal], sentence, options);
		this.refusal = refusal;
	}
}

/** What a library or a parser threw, as a fault of the file it was about. */
export const refused = (refusal: TrustRefusal, name: string, error: unknown): TrustFault =>
	new TrustFault(refusal, `${name}: ${messageOf(error)}`, { cause: error });
