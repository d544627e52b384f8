import type { Journal } from '../../core/journal/journal.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { countOf, type EpochRanges } from '../../core/ledger/range-set.ts';
import type { LossReason, StreamRange } from '../../core/ledger/stream-range.ts';
import { parseResend, type ResendReason } from '../../core/link/lane-messages.ts';
import { goneRanges, type GoneRangesDeps } from './gone-ranges.ts';
import { type EpochRange, notJournalled, within, without } from './not-journalled.ts';
import { createSealedAgain, type SealedReadings } from './sealed-again.ts';
import type { UplinkStore } from './uplink-store.ts';

export interface RecoveryDeps {
	readonly store: Pick<UplinkStore, 'gatewayId' | 'addLoss' | 'undeclaredLosses'>;
	readonly journal: Pick<Journal, 'epoch'>;
	/** What the journal holds of this gateway. */
	readonly held: () => readonly StreamRange[];
	/** What was ever on disk here and may be owed: the numbers of each boot up to its highest, oldest boot first. */
	readonly known: () => readonly EpochRange[];
	/** The parts of a range that the hub has not acknowledged. */
	readonly owed: GoneRangesDeps['owed'];
	/** Sends what the journal holds of these again. */
	readonly sendAgain: (ranges: readonly EpochRanges[], reason: ResendReason) => void;
	readonly findSealed: SealedReadings;
	/** Told of samples that will never reach the hub. */
	readonly declared: (range: StreamRange, reason: LossReason) => void;
	readonly log: Logger;
}

/** Ranges whose damage is remembered as the reason why they are gone. */
const MOST_DAMAGED = 1_000;

/**
 * What the hub lacks and does not get by itself: the journal sends it again, or the sealed history has it, or it is declared lost. A hole gets a
 * reason, or it would look as if it were on its way for ever.
 */
export function createRecovery(deps: RecoveryDeps) {
	const { store, journal, held, log } = deps;
	const sealed = createSealedAgain({ find: deps.findSealed, gone: declareLost });

	/** What the journal has found damaged since the start. */
	let damaged: readonly EpochRange[] = [];

	/** The first reason stays. */
	function declareLost(range: EpochRange, reason: LossReason): void {
		for (const { epoch, first, last } of without([range], store.undeclaredLosses())) {
			store.addLoss({ epoch, first, last, reason });
			deps.declared({ origin: store.gatewayId(), epoch, first, last }, reason);
		}
	}

	/** What the hub lacks and the journal does not hold: it is looked for in the sealed history. */
	function askAtStart(owed: readonly EpochRanges[]): void {
		const here = held();
		const known = deps.known();
		const declared = store.undeclaredLosses();
		// Later values of that boot went to the hub live.
		const asked = notJournalled(owed, [...here, ...declared]);
		const onDisk = within(asked, known);
		// Read just before the power failed, and on no disk; unless the hub asks for what it has lost itself.
		sealed.ask(without(asked, onDisk), 'not-journalled');
		const gone = goneRanges({ held: here, known, owed: deps.owed, declared, running: journal.epoch });
		const lacking = [...without(onDisk, gone), ...gone];
		sealed.ask(within(lacking, damaged), 'journal-damaged');
		sealed.ask(without(lacking, damaged), 'not-kept');
	}

	return {
		sealed,
		declareLost,
		/** @param owed what the hub lacks of earlier boots */
		sessionBegins(owed: readonly EpochRanges[]): void {
			sealed.clear();
			askAtStart(owed);
		},
		/** The journal has no more what the sealed history may have. @param otherwise why samples are gone that are not there either */
		moved(ranges: readonly EpochRange[], otherwise: 'journal-quota' | 'journal-damaged'): void {
			if (otherwise === 'journal-damaged') damaged = [...damaged, ...ranges].slice(-MOST_DAMAGED);
			sealed.ask(
				ranges.flatMap(({ epoch, first, last }) =>
					deps.owed(epoch, first, last).map((part) => ({ epoch, first: part.first, last: part.last })),
				),
				otherwise,
			);
		},
		/** The hub wants ranges again. Of the running boot, what is not on disk here is on its way anyway. @throws Fault `rule-violation` */
		hear(payload: Uint8Array): void {
			const { ranges, reason } = parseResend(payload);
			log.info('resend-asked', { reason, samples: countOf(ranges.flatMap(({ ranges: parts }) => parts)) });
			deps.sendAgain(ranges, reason);
			const here = held();
			if (reason === 'damaged-in-transit' || reason === 'not-stored') {
				// It may have been of the sealed history.
				sealed.ask(within(notJournalled(ranges, here), deps.known()), 'not-kept');
				return;
			}
			const highest = here.reduce((last, one) => (one.epoch === journal.epoch ? Math.max(last, one.last) : last), 0);
			const coming = { epoch: journal.epoch, first: highest + 1, last: Number.MAX_SAFE_INTEGER };
			sealed.ask(notJournalled(ranges, [...here, coming]), 'not-kept');
		},
	};
}
