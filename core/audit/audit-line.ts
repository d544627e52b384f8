import { createHash } from 'node:crypto';

import type { AuditEntry } from './audit.ts';

/** The newest line of the chain: its number, and the SHA-256 of its text (base64url). */
export interface ChainHead {
	readonly seq: number;
	readonly hash: string;
}

/** What the first line of all follows. */
export const CHAIN_START: ChainHead = { seq: 0, hash: '' };

/** An entry as it stands in its file. */
export interface AuditLine extends AuditEntry {
	/** Counts lines from 1, without holes. */
	readonly seq: number;
	/** Hash of the line before; '' in the first line. */
	readonly prev: string;
}

/** Hash of a line without its end. */
export const lineHash = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** The text of the next line, without its end, and the head after it. */
export function encodeLine(entry: AuditEntry, head: ChainHead): { readonly text: string; readonly head: ChainHead } {
	const seq = head.seq + 1;
	const text = JSON.stringify({ seq, prev: head.hash, ...entry });
	return { text, head: { seq, hash: lineHash(text) } };
}

/** The entry of a line; `null` for a text that is none. */
export function decodeLine(text: string): AuditLine | null {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return null;
	}
	if (typeof value !== 'object' || value === null) return null;
	const { seq, prev, at, action }: { seq?: unknown; prev?: unknown; at?: unknown; action?: unknown } = value;
	if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(at)) return null;
	if (typeof prev !== 'string' || typeof action !== 'string') return null;
	// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a line of the store's own file, its key fields checked
	return value as AuditLine;
}
