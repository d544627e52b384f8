import { Fault, messageOf } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { FindReadings } from '../../core/ledger/find-readings.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';
import { countOf, createRangeSet, type EpochRanges } from '../../core/ledger/range-set.ts';
import type { StreamRange } from '../../core/ledger/stream-range.ts';
import { type ResendReason, resendMessage } from '../../core/link/lane-messages.ts';
import { MAX_RANGES } from '../../core/link/link-messages.ts';
import type { HubSend } from '../../core/link/link-feature.ts';
import { lastSeq } from '../../core/telemetry/reading.ts';

/** Longest search for one range; what was not found by then is asked for. */
const FIND_WITHIN_MS = 60_000;

export type OwnRange = Omit<StreamRange, 'origin'>;

export interface ResendServiceDeps {
	readonly ledger: Pick<Ledger, 'forget' | 'reopen' | 'receivedFrom' | 'holes'>;
	readonly send: HubSend;
	readonly saveLedger: () => Promise<void>;
	readonly find: FindReadings;
	readonly log: Logger;
}

function byEpoch(ranges: readonly OwnRange[]): readonly EpochRanges[] {
	const epochs = new Map<number, { first: number; last: number }[]>();
	for (const { epoch, first, last } of ranges) {
		const list = epochs.get(epoch);
		if (list === undefined) epochs.set(epoch, [{ first, last }]);
		else list.push({ first, last });
	}
	return [...epochs].map(([epoch, list]) => ({ epoch, ranges: list }));
}

/** Asks gateways for samples again. */
export function createResendService({ ledger, send, saveLedger, find, log }: ResendServiceDeps) {
	/** The parts that are not stored here. */
	function lacking(gateway: GatewayId, ranges: readonly OwnRange[]): readonly OwnRange[] {
		const stored = new Map(
			ledger.receivedFrom(gateway, 0).map(({ epoch, ranges: held }) => [epoch, createRangeSet(held)]),
		);
		return ranges.flatMap(({ epoch, first, last }) =>
			(stored.get(epoch)?.missing(first, last) ?? [{ first, last }]).map((part) => ({
				epoch,
				first: part.first,
				last: part.last,
			})),
		);
	}

	/** The parts of a range that the history has not. */
	async function notStored(range: StreamRange): Promise<readonly StreamRange[]> {
		const { origin, epoch, first, last } = range;
		const rest = createRangeSet([{ first, last }]);
		try {
			for await (const readings of find(range, AbortSignal.timeout(FIND_WITHIN_MS)))
				for (const reading of readings) rest.remove(reading.firstSeq, lastSeq(reading));
		} catch (error) {
			log.warn('lost-samples-not-looked-for', { gateway: origin, reason: messageOf(error) });
		}
		return rest.ranges().map((part) => ({ origin, epoch, first: part.first, last: part.last }));
	}

	function ask(gateway: GatewayId, ranges: readonly OwnRange[], reason: ResendReason): boolean {
		return send(gateway, 'resend', resendMessage({ ranges: byEpoch(ranges.slice(0, MAX_RANGES)), reason }));
	}

	return {
		/** For the ingest: a block came in vain. What is not heard is owed all the same. */
		again: (gateway: GatewayId, range: OwnRange, reason: ResendReason): void =>
			void ask(gateway, [{ epoch: range.epoch, first: range.first, last: range.last }], reason),
		/**
		 * For a person. Without ranges: everything that is missing, declared lost or not. What is stored stays so, and counts, whatever comes of it.
		 * Answers how many samples were asked for.
		 * @throws Fault `state-conflict` when the gateway is not connected
		 */
		request(
			gateway: GatewayId,
			wanted: readonly OwnRange[] | null,
			{ evenIfStored }: { readonly evenIfStored: boolean },
		): number {
			const isAnyway = evenIfStored && wanted !== null;
			const ranges = wanted ?? ledger.holes(gateway);
			if (isAnyway) for (const range of ranges) ledger.reopen({ ...range, origin: gateway });
			const asked = (isAnyway ? ranges : lacking(gateway, ranges)).slice(0, MAX_RANGES);
			if (asked.length > 0 && !ask(gateway, asked, 'asked-for'))
				throw new Fault(
					'state-conflict',
					`gateway ${gateway} is not connected; with its next connection it is asked for what is missing`,
				);
			const samples = countOf(asked);
			log.info('resend-asked', { gateway, ranges: asked.length, samples });
			return samples;
		},
		/**
		 * The hub's journal may have lost samples: those that the history has not either are owed again, and asked for. A gateway that is away is
		 * asked when it comes. Does not reject.
		 */
		async lostHere(ranges: readonly StreamRange[]): Promise<void> {
			const missing: StreamRange[] = [];
			for (const range of ranges) missing.push(...(await notStored(range)));
			const lost = missing.filter((range) => ledger.forget(range) > 0);
			for (const gateway of new Set(lost.map(({ origin }) => origin))) {
				const theirs = lost.filter(({ origin }) => origin === gateway);
				log.error('samples-lost-at-hub', { gateway, samples: countOf(theirs) });
				ask(gateway, theirs, 'lost-at-hub');
			}
			if (lost.length > 0) saveLedger().catch(() => undefined);
		},
	};
}

export type ResendService = ReturnType<typeof createResendService>;
