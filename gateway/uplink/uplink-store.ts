import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { messageOf } from '../../core/kernel/fault.ts';
import { gatewayId, type GatewayId, isUuid, newGatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { createRangeSet, type Range, type RangeSet } from '../../core/ledger/range-set.ts';
import type { DeclaredLoss, LossReason } from '../../core/ledger/stream-range.ts';
import type { EpochRanges } from '../../core/ledger/range-set.ts';
import type { Credential } from '../../core/pki/certificate.ts';
import { writeFileDurably } from '../../core/storage/json-file.ts';
import { openSettingsStore } from '../../core/storage/settings-store.ts';

/** What enrolment left behind. The private keys never leave this box. */
export interface Enrolment {
	readonly hubUrl: string;
	readonly linkHost: string;
	readonly linkPort: number;
	readonly caPem: string;
	/** What this gateway proves itself with. */
	readonly own: Credential;
	/** Its next certificate, until it has been used once; the hub then lets in this one only. */
	readonly next: Credential | null;
}

/** A loss without its origin, which is this gateway. */
export type OwnLoss = Omit<DeclaredLoss, 'origin'>;

interface Saved {
	readonly gatewayId: GatewayId | null;
	readonly enrolment: Enrolment | null;
	/** What the hub had acknowledged when this was written. */
	readonly acked: readonly EpochRanges[];
	/** The oldest boot of which this hub was sent something; `null`: it was never heard. */
	readonly sharedFrom: number | null;
	/** Of boots before this one the hub has, or knows the loss of, everything. */
	readonly settledBelow: number;
	/** Samples whose loss the hub has written down, since the identity was made. */
	readonly toldLostSamples: number;
	readonly losses: readonly {
		readonly epoch: number;
		readonly reason: LossReason;
		readonly ranges: readonly Range[];
	}[];
}

interface LossStream {
	readonly epoch: number;
	readonly reason: LossReason;
	readonly ranges: RangeSet;
}

/** A disk that was full is tried again after so long. */
const SAVE_AGAIN_MS = 5_000;

/** Pieces that losses may fall into while no hub hears of them: what its ledger takes. A hub that asks for what never was makes one each time. */
const MOST_LOSS_PIECES = 50_000;

/** What an older version of the product has left has no certificate, and is no enrolment. */
const isWhole = (enrolment: object): boolean => 'own' in enrolment && 'next' in enrolment;

async function readId(path: string): Promise<GatewayId | null> {
	const text = (await readFile(path, 'utf8').catch(() => '')).trim();
	return isUuid(text) ? gatewayId(text) : null;
}

/**
 * The gateway's identity, its enrolment, and the losses it still has to declare: `uplink.json` in the data folder (mode 0600). The identity
 * stands in `gateway-id` too, because devices and history carry it: when `uplink.json` is damaged, the same gateway is enrolled again.
 */
export async function openUplinkStore({ path, log }: { readonly path: string; readonly log: Logger }) {
	const settings = await openSettingsStore<Saved>({
		path,
		defaults: {
			gatewayId: null,
			enrolment: null,
			acked: [],
			sharedFrom: null,
			settledBelow: 0,
			toldLostSamples: 0,
			losses: [],
		},
		log,
	});
	const saved = settings.get().enrolment;
	if (saved !== null && !isWhole(saved)) {
		log.warn('enrolment-without-certificate', { path });
		await settings.update((current) => ({ ...current, enrolment: null, acked: [], settledBelow: 0 }));
	}
	const idPath = join(dirname(path), 'gateway-id');
	const savedId = await readId(idPath);
	const id = settings.get().gatewayId ?? savedId ?? newGatewayId();
	if (savedId !== id) await writeFileDurably(idPath, `${id}\n`);
	if (settings.get().gatewayId === null) await settings.update((current) => ({ ...current, gatewayId: id }));

	const streams = new Map<string, LossStream>();
	for (const { epoch, reason, ranges } of settings.get().losses) {
		streams.set(`${epoch} ${reason}`, { epoch, reason, ranges: createRangeSet(ranges) });
	}
	let pieces = [...streams.values()].reduce((sum, { ranges }) => sum + ranges.pieces(), 0);
	let toldLostSamples = settings.get().toldLostSamples;
	let writing: Promise<void> | null = null;
	let isDirty = false;
	let saveAgainTimer: NodeJS.Timeout | null = null;

	async function writeLosses(): Promise<void> {
		while (isDirty) {
			isDirty = false;
			const losses = [...streams.values()].map(({ epoch, reason, ranges }) => ({
				epoch,
				reason,
				ranges: ranges.ranges(),
			}));
			const told = toldLostSamples;
			await settings.update((current) => ({ ...current, losses, toldLostSamples: told }));
		}
	}

	function saveLosses(): void {
		isDirty = true;
		if (saveAgainTimer !== null) clearTimeout(saveAgainTimer);
		saveAgainTimer = null;
		writing ??= writeLosses()
			.catch((error: unknown) => {
				// A full disk may be what loses samples: they stay in memory until it takes them.
				isDirty = true;
				saveAgainTimer ??= setTimeout(saveLosses, SAVE_AGAIN_MS);
				log.warn('losses-not-saved', { path, reason: messageOf(error) });
			})
			.finally(() => (writing = null));
	}

	return {
		gatewayId: (): GatewayId => id,
		enrolment: (): Enrolment | null => settings.get().enrolment,
		async setEnrolment(enrolment: Enrolment | null): Promise<void> {
			// Another hub holds nothing of ours yet.
			await settings.update((current) => ({ ...current, enrolment, acked: [], sharedFrom: null, settledBelow: 0 }));
		},
		/** Notes the next certificate, or that it has taken the place of the present one, or that it is void. Durable when it resolves. */
		async changeCertificates(change: (current: Enrolment) => Pick<Enrolment, 'own' | 'next'>): Promise<void> {
			await settings.update((current) =>
				current.enrolment === null
					? current
					: { ...current, enrolment: { ...current.enrolment, ...change(current.enrolment) } },
			);
		},
		acked: (): readonly EpochRanges[] => settings.get().acked,
		sharedFrom: (): number | null => settings.get().sharedFrom,
		/** The hub has welcomed this gateway, whose journal begins with this boot. Only the first time counts. */
		shares(epoch: number): void {
			if (settings.get().sharedFrom !== null) return;
			settings
				.update((current) => ({ ...current, sharedFrom: current.sharedFrom ?? epoch }))
				.catch((error: unknown) => log.debug('shared-boots-not-saved', { path, reason: messageOf(error) }));
		},
		settledBelow: (): number => settings.get().settledBelow,
		/** @param settledBelow `null`: as it was, because the hub has not said */
		async saveAcked(acked: readonly EpochRanges[], settledBelow: number | null): Promise<void> {
			const before = settings.get();
			const below = settledBelow ?? before.settledBelow;
			if (below === before.settledBelow && JSON.stringify(acked) === JSON.stringify(before.acked)) return;
			await settings.update((current) => ({ ...current, acked, settledBelow: below }));
		},
		/** Notes samples that will never reach the hub, until the hub has written that down. */
		addLoss({ epoch, reason, first, last }: OwnLoss): void {
			const key = `${epoch} ${reason}`;
			if (pieces >= MOST_LOSS_PIECES) {
				log.debug('loss-not-noted', { epoch, first, last, reason });
				return;
			}
			const stream = streams.get(key) ?? { epoch, reason, ranges: createRangeSet() };
			streams.set(key, stream);
			const before = stream.ranges.pieces();
			const added = stream.ranges.add(first, last);
			pieces += stream.ranges.pieces() - before;
			if (added > 0) saveLosses();
		},
		/** The hub has written a loss down. */
		settleLoss(epoch: number, first: number, last: number): void {
			let settled = 0;
			for (const [key, stream] of streams) {
				if (stream.epoch !== epoch) continue;
				const before = stream.ranges.pieces();
				settled += stream.ranges.remove(first, last);
				pieces += stream.ranges.pieces() - before;
				if (stream.ranges.size() === 0) streams.delete(key);
			}
			toldLostSamples += settled;
			if (settled > 0) saveLosses();
		},
		undeclaredLosses: (): readonly OwnLoss[] =>
			[...streams.values()].flatMap(({ epoch, reason, ranges }) =>
				ranges.ranges().map(({ first, last }) => ({ epoch, reason, first, last })),
			),
		/** Samples that will never reach the hub, whether it knows already or not. */
		lostSamples: (): number => [...streams.values()].reduce((sum, { ranges }) => sum + ranges.size(), toldLostSamples),
		async stop(): Promise<void> {
			await writing;
			if (isDirty) saveLosses();
			await writing;
			if (saveAgainTimer !== null) clearTimeout(saveAgainTimer);
		},
	};
}

export type UplinkStore = Awaited<ReturnType<typeof openUplinkStore>>;
