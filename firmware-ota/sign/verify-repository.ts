import { createHash } from 'node:crypto';

import type { Clock } from '../../core/kernel/clock.ts';
import { Fault } from '../../core/kernel/fault.ts';
import { createDelegationWalk, type TrustedTarget } from '../trust/delegation-walk.ts';
import { createFolderMetadataSource, createFolderTargetSource } from '../trust/folder-source.ts';
import { readRoot } from '../trust/metadata-document.ts';
import { TARGET_PACE } from '../trust/metadata-source.ts';
import { targetFileName } from '../trust/target-download.ts';
import { TrustFault } from '../trust/trust-fault.ts';
import { TRUST_LIMITS } from '../trust/trust-limits.ts';
import { createRefresh } from '../trust/trust-refresh.ts';
import { firstState } from '../trust/trusted-state.ts';
import { updateTime } from '../trust/trusted-time.ts';
import type { RepositoryFolder } from './repository-folder.ts';

export interface VerifyReport {
	readonly rootVersion: number;
	readonly targets: readonly TrustedTarget[];
	/** What a client would not take, in sentences; empty: all is well. */
	readonly complaints: readonly string[];
}

const NEVER = new AbortController().signal;

/** Reads a target's file as a client would. */
async function complaintOf(repository: RepositoryFolder, target: TrustedTarget): Promise<string | null> {
	try {
		const name = targetFileName(target);
		const source = createFolderTargetSource(repository.targetsPath);
		const { chunks } = await source.open(name, {
			fromByte: 0,
			sha256: target.sha256,
			pace: TARGET_PACE,
			signal: NEVER,
		});
		const hash = createHash('sha256');
		let bytes = 0;
		for await (const chunk of chunks) {
			hash.update(chunk);
			bytes += chunk.length;
		}
		const isRight = bytes === target.length && hash.digest('hex') === target.sha256;
		return isRight ? null : `${target.path}: the file is not the one that is signed`;
	} catch (error) {
		if (error instanceof Fault) return error.message;
		throw error;
	}
}

/**
 * Looks a repository over with the client that boxes run, from a root that they were shipped with, and reads all files of targets.
 *
 * @param factoryRoot text of that root
 * @throws TrustFault when a client would take nothing at all
 */
export async function verifyRepository(
	repository: RepositoryFolder,
	factoryRoot: string,
	clock: Clock,
): Promise<VerifyReport> {
	const refresh = createRefresh(
		{
			source: createFolderMetadataSource(repository.metadataPath),
			clock,
			// Nothing is older than now: what has expired has, however far the clock is from anything that is signed.
			builtAt: clock.now(),
			limits: TRUST_LIMITS,
			signal: NEVER,
			mayBeExpired: false,
		},
		firstState(readRoot('factory root', factoryRoot)),
	);
	await refresh.run();
	const { root, set } = refresh.state();
	if (set === null) throw new TypeError('a refresh ended without a set');
	const targets = createDelegationWalk(set, updateTime(clock, [clock.now()])).list('');
	const refused = [...set.roles.values()].filter((role) => role instanceof TrustFault).map(({ message }) => message);
	const complaints = [...refused];
	for (const target of targets) {
		const complaint = await complaintOf(repository, target);
		if (complaint !== null) complaints.push(complaint);
	}
	return { rootVersion: root.version, targets, complaints };
}
