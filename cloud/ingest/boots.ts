import type { GatewayId } from '../../core/kernel/id.ts';
import type { Logger } from '../../core/kernel/log.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';
import { MAX_EPOCH } from '../../core/ledger/stream-range.ts';

interface Said {
	readonly epoch: number;
	/** It has said a higher one before: this boot uses numbers again that stand for other samples. */
	readonly isBehind: boolean;
}

/**
 * In which boot each gateway is, and what it can therefore have read. Boots only count up: a gateway that names a lower one than before was
 * restored from an old image or lies; what it reads now would be taken for what it has read then.
 */
export function createBoots({
	ledger,
	isOnline,
	log,
}: {
	readonly ledger: Pick<Ledger, 'boot'>;
	readonly isOnline: (gateway: GatewayId) => boolean;
	readonly log: Logger;
}) {
	const said = new Map<GatewayId, Said>();
	return {
		/** A gateway says in which boot it is. */
		hello(gateway: GatewayId, epoch: number): void {
			if (epoch > MAX_EPOCH) {
				log.error('gateway-epoch-impossible', { gateway, epoch, highestPossible: MAX_EPOCH });
				said.set(gateway, { epoch, isBehind: true });
				return;
			}
			const before = ledger.boot(gateway, epoch);
			if (epoch < before) log.error('gateway-epoch-behind', { gateway, epoch, saidBefore: before });
			said.set(gateway, { epoch, isBehind: epoch < before });
		},
		/** Whether the gateway can have read something in this boot, as far as it is not stored already. */
		isPossible(gateway: GatewayId, epoch: number): boolean {
			if (epoch < 1 || epoch > MAX_EPOCH) return false;
			const now = said.get(gateway);
			if (now === undefined) return true;
			if (epoch === now.epoch) return !now.isBehind;
			// One that is away may have started again, and what it has read since is carried here.
			return epoch < now.epoch || !isOnline(gateway);
		},
	};
}

export type Boots = ReturnType<typeof createBoots>;
