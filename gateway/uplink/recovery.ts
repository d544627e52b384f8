import type { Journal } from '../../core/journal/journal.ts';
import type { Logger } from '../../core/kernel/log.ts';
import { countOf, type EpochRanges } from '../../core/ledger/range-set.ts';
import type { LossReason, StreamRange } from '../../core/ledger/stream-range.ts';
import { parseResend, type ResendReason } from '../../core/link/lane-messages.ts';
import { goneRanges, type GoneRangesDeps } from './gone-ranges.ts';
import { type EpochRange, notJournalled } from './not-journalled.ts';
import { createSealedAgain, type SealedReadings } from './sealed-again.ts';
import type { UplinkStore } from './uplink-store.ts';

export interface RecoveryDeps {
	readonly store: Pick<UplinkStore, 'gatewayId' | 'addLoss' | 'undeclaredLosses'>;
	readonly journal: Pick<Journal, 'epoch'>;
	/** What the journal holds of this gateway. */
	readonly held: () => readonly StreamRange[];
	/** The parts of a range that the hub has not acknowledged. */
	readonly owed: GoneRangesDeps['owed'];
	/** Sends what the journal holds of these again. */
	readonly sendAgain: (ranges: readonly EpochRanges[], reason: ResendReason) => void;
	readonly findSealed: SealedReadings;
	/** Told of samples that will never reach the hub. */
	readonly declared: (range: StreamRange, reason: LossReason) => void;
	readonly log: Logger;
}

/**
 * What the hub lacks and does not get by itself: the journal sends it again, or the sealed history has it, or it is declared lost. A hole gets a
 * reason, or it would look as if it were on its way for ever.
 */
export function createRecovery(deps: RecoveryDeps) {
	const { store, journal, held, log } = deps;
	const sealed = createSealedAgain({ find: deps.findSealed, gone: declareLost });

	function declareLost({ epoch, first, last }: EpochRange, reason: LossReason): void {
		store.addLoss({ epoch, first, last, reason });
		deps.declared({ origin: store.gatewayId(), epoch, first, last }, reason);
	}

	return {
		sealed,
		declareLost,
		/** @param owed what the hub lacks of earlier boots */
		sessionBegins(owed: readonly EpochRanges[]): void {
			sealed.clear();
			const here = held();
			const declared = store.undeclaredLosses();
			// Read just before the power failed, and on no disk; unless the hub asks for what it has lost itself.
			sealed.ask(notJournalled(owed, [...here, ...declared]), 'not-journalled');
			sealed.ask(goneRanges({ held: here, owed: deps.owed, declared, running: journal.epoch }), 'not-kept');
		},
		/** The hub wants ranges again. Of the running boot, what is not on disk here is on its way anyway. @throws Fault `rule-violation` */
		hear(payload: Uint8Array): void {
			const { ranges, reason } = parseResend(payload);
			log.info('resend-asked', { reason, samples: countOf(ranges.flatMap(({ ranges: parts }) => parts)) });
			deps.sendAgain(ranges, reason);
			if (reason === 'damaged-in-transit' || reason === 'not-stored') return;
			const here = held();
			const highest = here.reduce((last, one) => (one.epoch === journal.epoch ? Math.max(last, one.last) : last), 0);
			const coming = { epoch: journal.epoch, first: highest + 1, last: Number.MAX_SAFE_INTEGER };
			sealed.ask(notJournalled(ranges, [...here, coming]), 'not-kept');
		},
	};
}
