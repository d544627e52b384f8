import Joi from 'joi';

import { Fault } from '../../core/kernel/fault.ts';
import type { PublicKey } from '../trust/metadata-document.ts';
import { begun, demandsOf, keysOf, readDraft } from './draft-rules.ts';
import type { OpenKey } from './key-file.ts';
import type { RepositoryFolder } from './repository-folder.ts';
import { fileText, type RawFile, rawOf, type RawSignature } from './role-draft.ts';
import {
	checkAsked,
	type Demand,
	type DemandStatus,
	readRole,
	signedBy,
	statusOf,
	withSignature,
} from './signatures.ts';

/** A file that is carried from one signer to the next: what is to be signed, by whom, and the signatures so far. No secret is in it. */
export interface SigningRequest {
	readonly format: 'drawbridge-signing-request-1';
	readonly role: string;
	readonly demands: readonly Demand[];
	/** Public keys of those who are asked, by id. */
	readonly keys: Readonly<Record<string, PublicKey>>;
	/** Names of people by key id, also of those who only stand in the document: for reading, the ids are what counts. */
	readonly names: Readonly<Record<string, string>>;
	readonly document: RawFile;
}

const words = Joi.object().pattern(Joi.string().max(64), Joi.any()).required();

const schema = Joi.object<SigningRequest>({
	format: Joi.valid('drawbridge-signing-request-1').required(),
	role: Joi.string()
		.pattern(/^[a-z][a-z0-9._-]{0,63}$/)
		.required(),
	demands: Joi.array()
		.items(
			Joi.object({
				by: Joi.string().max(100).required(),
				keyids: Joi.array().items(Joi.string()).max(64).required(),
				threshold: Joi.number().integer().min(1).required(),
			}).unknown(true),
		)
		.min(1)
		.max(2)
		.required(),
	keys: words,
	names: Joi.object().pattern(Joi.string(), Joi.string().max(64)).required(),
	document: Joi.object({ signed: Joi.object().required(), signatures: Joi.array().required() }).required(),
});

/** @throws Fault `malformed` */
export function readRequest(text: string, what: string): SigningRequest {
	try {
		const raw: unknown = JSON.parse(text);
		const { value, error } = schema.validate(raw, { convert: false });
		if (error !== undefined) throw error;
		readRole(value.role, fileText(value.document));
		return value;
	} catch (error) {
		throw new Fault('malformed', `${what} is no signing request: ${String(error)}`, { cause: error });
	}
}

export const requestText = (request: SigningRequest): string => `${JSON.stringify(request, null, '\t')}\n`;

/** Adds a signature. @throws Fault `forbidden` for a key that is not asked */
export function signRequest(request: SigningRequest, key: OpenKey): SigningRequest {
	const { role, demands, document } = request;
	checkAsked(role, demands, key);
	return { ...request, document: rawOf(withSignature(role, fileText(document), key)) };
}

export const requestStatus = ({ role, demands, keys, document }: SigningRequest): readonly DemandStatus[] =>
	statusOf(demands, signedBy(role, fileText(document), keys));

/** @throws Fault `not-found` when nothing of this role is staged */
export async function exportRequest(repository: RepositoryFolder, role: string): Promise<SigningRequest> {
	const draft = await readDraft(repository);
	begun(draft);
	const text = draft.staged.get(role);
	if (text === undefined) throw new Fault('not-found', `role: nothing of ${role} is staged`);
	const demands = demandsOf(draft, role).map(({ by, keyids, threshold }) => ({ by, keyids, threshold }));
	const asked = new Set(demands.flatMap(({ keyids }) => keyids));
	const keys = Object.entries(keysOf(draft)).filter(([keyId]) => asked.has(keyId));
	return {
		format: 'drawbridge-signing-request-1',
		role,
		demands,
		keys: Object.fromEntries(keys),
		names: await repository.names(),
		document: rawOf(text),
	};
}

/**
 * Takes the signatures of a request that came back. Only signatures: what is signed, by whom and by how many is the repository's own word.
 *
 * @returns how far the role is signed now
 * @throws Fault `state-conflict` when something else is staged by now; `forbidden` for a signature that does not fit
 */
export async function importRequest(
	repository: RepositoryFolder,
	request: SigningRequest,
): Promise<readonly DemandStatus[]> {
	const own = await exportRequest(repository, request.role);
	if (JSON.stringify(own.document.signed) !== JSON.stringify(request.document.signed))
		throw new Fault('state-conflict', `${request.role}: what was signed is not what is staged here`);
	const merged: RawFile = {
		signed: own.document.signed,
		signatures: mergeSignatures(own.document.signatures, request.document.signatures),
	};
	const text = fileText(merged);
	const signers = signedBy(request.role, text, own.keys);
	const strange = merged.signatures.find(({ keyid }) => !signers.has(keyid));
	if (strange !== undefined)
		throw new Fault(
			'forbidden',
			`${request.role}: the signature of ${strange.keyid.slice(0, 12)} does not fit, or is of no key that is asked`,
		);
	await repository.stage(request.role, text);
	return statusOf(own.demands, signers);
}

function mergeSignatures(own: readonly RawSignature[], others: readonly RawSignature[]): readonly RawSignature[] {
	const byKey = new Map([...own, ...others].map((one) => [one.keyid, one]));
	return [...byKey.values()];
}
