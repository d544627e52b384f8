import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

import Joi from 'joi';

import { messageOf } from '../../core/kernel/fault.ts';
import { type GatewayId, newGatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createRangeSet, type RangeSet } from '../../core/ledger/range-set.ts';
import type { DeclaredLoss, LossReason } from '../../core/ledger/stream-range.ts';
import { writeFileDurably } from '../../core/storage/json-file.ts';

/** What enrolment left behind. The secret never leaves this box. */
export interface Enrolment {
	readonly hubUrl: string;
	readonly linkHost: string;
	readonly linkPort: number;
	readonly caPem: string;
	readonly secret: string;
}

interface Identity {
	readonly gatewayId: GatewayId;
	readonly enrolment: Enrolment | null;
}

interface SavedLosses {
	readonly losses: readonly { readonly epoch: number; readonly reason: LossReason; readonly ranges: readonly { first: number; last: number }[] }[];
}

const identitySchema = Joi.object({
	gatewayId: Joi.string().guid().required(),
	enrolment: Joi.object({
		hubUrl: Joi.string().required(),
		linkHost: Joi.string().required(),
		linkPort: Joi.number().port().required(),
		caPem: Joi.string().required(),
		secret: Joi.string().required(),
	})
		.allow(null)
		.required(),
});

async function readJson(path: string, log: Logger): Promise<unknown> {
	let text: string;
	try {
		text = await readFile(path, 'utf8');
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
		throw error;
	}
	try {
		return JSON.parse(text) as unknown;
	} catch (error) {
		log.error('file-damaged', { path, reason: messageOf(error) });
		await rename(path, `${path}.damaged`);
		return null;
	}
}

/**
 * The gateway's identity, its enrolment and the losses it still has to declare, in the data folder (mode 0600). A damaged file is put
 * aside and said; without an identity the gateway is a new one and is enrolled again.
 */
export async function openUplinkStore({ folder, log }: { readonly folder: string; readonly log: Logger }) {
	const identityPath = join(folder, 'gateway.json');
	const lossesPath = join(folder, 'losses.json');
	let identity = await readIdentity();
	const undeclared = new Map<string, { readonly epoch: number; readonly reason: LossReason; readonly ranges: RangeSet }>();
	await readLosses();
	let writing: Promise<void> = Promise.resolve();

	async function readIdentity(): Promise<Identity> {
		const { value, error } = identitySchema.validate(await readJson(identityPath, log));
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just validated
		if (error === undefined && value !== null) return value as Identity;
		if (value !== null) log.error('identity-damaged', { path: identityPath, reason: error?.message });
		const fresh: Identity = { gatewayId: newGatewayId(), enrolment: null };
		await writeFileDurably(identityPath, JSON.stringify(fresh));
		return fresh;
	}

	async function readLosses(): Promise<void> {
		const saved = await readJson(lossesPath, log);
		if (typeof saved !== 'object' || saved === null || !('losses' in saved) || !Array.isArray(saved.losses)) return;
		// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file, its one list checked
		for (const { epoch, reason, ranges } of (saved as SavedLosses).losses) {
			undeclared.set(`${epoch} ${reason}`, { epoch, reason, ranges: createRangeSet(ranges) });
		}
	}

	async function writeLosses(): Promise<void> {
		const losses = [...undeclared.values()].map(({ epoch, reason, ranges }) => ({ epoch, reason, ranges: ranges.ranges() }));
		await writeFileDurably(lossesPath, JSON.stringify({ losses } satisfies SavedLosses));
	}

	function saveLosses(): void {
		// The disk may be what fails; the losses stay in memory and are written with the next change.
		writing = writing.then(writeLosses).catch((error: unknown) => {
			log.warn('losses-not-saved', { path: lossesPath, reason: messageOf(error) });
		});
	}

	return {
		gatewayId: () => identity.gatewayId,
		enrolment: () => identity.enrolment,
		async setEnrolment(enrolment: Enrolment | null): Promise<void> {
			const next: Identity = { ...identity, enrolment };
			await writeFileDurably(identityPath, JSON.stringify(next));
			identity = next;
		},
		/** Notes samples that will never reach the hub, until the hub has written that down. */
		addLoss({ epoch, reason, first, last }: Omit<DeclaredLoss, 'origin'>): void {
			const key = `${epoch} ${reason}`;
			let entry = undeclared.get(key);
			if (entry === undefined) undeclared.set(key, (entry = { epoch, reason, ranges: createRangeSet() }));
			if (entry.ranges.add(first, last) > 0) saveLosses();
		},
		settleLoss(epoch: number, first: number, last: number): void {
			let settled = 0;
			for (const [key, entry] of undeclared) {
				if (entry.epoch !== epoch) continue;
				settled += entry.ranges.remove(first, last);
				if (entry.ranges.size() === 0) undeclared.delete(key);
			}
			if (settled > 0) saveLosses();
		},
		undeclaredLosses: (): readonly Omit<DeclaredLoss, 'origin'>[] =>
			[...undeclared.values()].flatMap(({ epoch, reason, ranges }) =>
				ranges.ranges().map(({ first, last }) => ({ epoch, reason, first, last })),
			),
		stop: () => writing,
	};
}

export type UplinkStore = Awaited<ReturnType<typeof openUplinkStore>>;
