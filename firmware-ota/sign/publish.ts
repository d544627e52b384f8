import { hash } from 'node:crypto';

import type { Clock, EpochMs } from '../../core/kernel/clock.ts';
import { readSnapshot, readTimestamp, type SnapshotDocument } from '../trust/metadata-document.ts';
import { checkSigned, checkSnapshot, checkTargets, checkTimestamp } from '../trust/metadata-rules.ts';
import { readDraft } from './draft-rules.ts';
import type { OpenKey } from './key-file.ts';
import { checkOwnClock } from './own-clock.ts';
import { planPublish, type PublishPlan } from './publish-plan.ts';
import type { Published, RepositoryFolder } from './repository-folder.ts';
import { headOf, LIFE_DAYS, type RawHead, unsigned } from './role-draft.ts';
import { withSignature } from './signatures.ts';

export interface PublishDeps {
	readonly repository: RepositoryFolder;
	readonly clock: Clock;
	readonly snapshotKeys: readonly OpenKey[];
	readonly timestampKeys: readonly OpenKey[];
	readonly snapshotDays?: number | undefined;
	readonly timestampDays?: number | undefined;
	/** A person has looked at the clock, though nothing was signed for months. */
	readonly isTimeRight?: boolean;
}

export interface PublishReport {
	/** Names of the files that are new, in the order in which they went out. */
	readonly files: readonly string[];
	/** What was not published, and why: it may still be signed. */
	readonly waiting: readonly string[];
}

/** A snapshot is made anew when so much of its life is left: clients are offline for days. */
const RENEW_AT = 1 / 3;

const metaOf = (version: number, text: string) => ({
	version,
	length: Buffer.byteLength(text),
	hashes: { sha256: hash('sha256', text, 'hex') },
});

function signWith(role: string, signed: RawHead, keys: readonly OpenKey[]): string {
	return keys.reduce((text, key) => withSignature(role, text, key), unsigned(signed));
}

function isFresh({ issuedAt, expiresAt }: SnapshotDocument, now: EpochMs): boolean {
	return expiresAt - now > (expiresAt - (issuedAt ?? now)) * RENEW_AT;
}

function holds(check: () => void): boolean {
	try {
		check();
		return true;
	} catch {
		return false;
	}
}

const isNamedBy = ({ root, targets, roles }: PublishPlan, snapshot: SnapshotDocument): boolean =>
	holds(() => {
		checkTargets(root, snapshot, 'targets', targets);
		for (const [name, document] of roles) checkTargets(targets, snapshot, name, document);
	});

function snapshotMeta({ targets, roles }: PublishPlan, before: SnapshotDocument | null) {
	const current = [['targets', targets] as const, ...roles].map(
		([name, document]) => [`${name}.json`, metaOf(document.version, document.text)] as const,
	);
	// A role that was taken back stays named: clients refuse a snapshot that has lost one (TUF 1.0.34, 5.5.5).
	const kept = Object.entries(before?.metadata.signed.meta ?? {}).map(
		([file, { version, length, hashes }]) => [file, { version, length, hashes }] as const,
	);
	return Object.fromEntries([...kept, ...current]);
}

function makeSnapshot(plan: PublishPlan, before: SnapshotDocument | null, deps: PublishDeps): SnapshotDocument {
	const now = deps.clock.now();
	const isGood =
		before !== null &&
		isNamedBy(plan, before) &&
		isFresh(before, now) &&
		holds(() => checkSigned(plan.root, 'snapshot', before));
	if (isGood) return before;
	const head = headOf('snapshot', (before?.version ?? 0) + 1, now, deps.snapshotDays);
	const signed = { ...head, meta: snapshotMeta(plan, before) };
	return readSnapshot('snapshot.json', signWith('snapshot', signed, deps.snapshotKeys));
}

/** In the order in which they may appear: what names others comes after them, and last what clients ask for by its name alone. */
function filesOf(plan: PublishPlan, snapshot: SnapshotDocument, timestampText: string, before: Published) {
	const { root, targets, roles } = plan;
	const files: readonly (readonly [name: string, text: string, before: string | undefined])[] = [
		...[...roles].map(
			([name, { version, text }]) => [`${version}.${name}.json`, text, before.roles.get(name)?.text] as const,
		),
		[`${targets.version}.targets.json`, targets.text, before.targets?.text],
		[`${snapshot.version}.snapshot.json`, snapshot.text, before.snapshot?.text],
		[`${root.version}.root.json`, root.text, before.root?.text],
		['timestamp.json', timestampText, before.timestamp?.text],
	];
	return files.filter(([, text, published]) => text !== published);
}

/**
 * Publishes what is signed: roots, targets and delegated roles that have their signatures, a snapshot where something changed or it grows old, and always a
 * new timestamp. What is not signed yet waits and stops nothing. Nothing is written that a client would refuse.
 *
 * @throws Fault `state-conflict` while the first root or targets lack signatures, `rule-violation` when the clock here cannot be right; TrustFault when the result would be refused
 */
export async function publish(deps: PublishDeps): Promise<PublishReport> {
	const { repository, clock, timestampKeys, timestampDays = LIFE_DAYS.timestamp } = deps;
	const draft = await readDraft(repository);
	const { published, staged } = draft;
	checkOwnClock(clock.now(), published, deps.isTimeRight ?? false);
	const plan = planPublish(draft);
	const snapshot = makeSnapshot(plan, published.snapshot, deps);
	const stamp = {
		...headOf('timestamp', (published.timestamp?.version ?? 0) + 1, clock.now(), timestampDays),
		meta: { 'snapshot.json': metaOf(snapshot.version, snapshot.text) },
	};
	const timestamp = readTimestamp('timestamp.json', signWith('timestamp', stamp, timestampKeys));
	checkTimestamp(plan.root, null, timestamp);
	checkSnapshot(plan.root, timestamp, null, snapshot);
	if (!isNamedBy(plan, snapshot)) throw new TypeError('the snapshot does not name what it was made from');

	const files = filesOf(plan, snapshot, timestamp.text, published);
	for (const [name, text] of files) await repository.publishFile(name, text);
	for (const [role, text] of staged) if (files.some((file) => file[1] === text)) await repository.unstage(role);
	return { files: files.map(([name]) => name), waiting: plan.waiting };
}
