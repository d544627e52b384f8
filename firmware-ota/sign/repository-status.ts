import type { EpochMs } from '../../core/kernel/clock.ts';
import type { MetadataDocument } from '../trust/metadata-document.ts';
import { demandsOf, type Draft, keysOf, readDraft } from './draft-rules.ts';
import type { RepositoryFolder } from './repository-folder.ts';
import { dayOf, daysLeft } from './role-draft.ts';
import { type DemandStatus, readRole, signedBy, statusOf } from './signatures.ts';

/** Fewer days than this, and the status says so. */
const SOON_DAYS: Readonly<Record<string, number>> = { root: 90, targets: 60, snapshot: 7, timestamp: 4 };
const SOON_DELEGATED = 60;

function lineOf(role: string, { version, expiresAt }: MetadataDocument, now: EpochMs): string {
	const left = daysLeft(expiresAt, now);
	const warning = left < 0 ? '  EXPIRED' : left < (SOON_DAYS[role] ?? SOON_DELEGATED) ? '  renew soon' : '';
	return `${role.padEnd(20)} ${String(version).padStart(6)}   until ${dayOf(expiresAt)} (${left} days)${warning}`;
}

/** e.g. `root 2: 1 of 2, bob or carol can sign`. */
export function demandLine({ by, have, need, missing }: DemandStatus, names: Readonly<Record<string, string>>): string {
	const who = missing.map((keyId) => names[keyId] ?? keyId.slice(0, 12)).join(' or ');
	return `${by}: ${have} of ${need}${have < need ? `, ${who} can sign` : ''}`;
}

function stagedLines(draft: Draft, names: Readonly<Record<string, string>>): readonly string[] {
	return [...draft.staged].flatMap(([role, text]) => {
		const { version } = readRole(role, text);
		const statuses = statusOf(demandsOf(draft, role), signedBy(role, text, keysOf(draft)));
		const lines = statuses.map((status) => `    ${demandLine(status, names)}`);
		return [`${role} ${version}`].concat(lines);
	});
}

/** A repository in lines: what is published and until when, what is staged and who is missing. */
export async function repositoryStatus(repository: RepositoryFolder, now: EpochMs): Promise<readonly string[]> {
	const [draft, names] = await Promise.all([readDraft(repository), repository.names()]);
	const { root, targets, snapshot, timestamp, roles } = draft.published;
	const documents = [
		['root', root],
		['targets', targets],
		...roles,
		['snapshot', snapshot],
		['timestamp', timestamp],
	] as const;
	const published = documents.flatMap(([role, document]) => (document === null ? [] : [lineOf(role, document, now)]));
	const staged = draft.root === null ? [] : stagedLines(draft, names);
	return [
		'published',
		...(published.length === 0 ? ['  nothing'] : published.map((line) => `  ${line}`)),
		'staged',
		...(staged.length === 0 ? ['  nothing'] : staged.map((line) => `  ${line}`)),
	];
}
