import type { Plugin } from '@hapi/hapi';
import Joi from 'joi';

import { anyUser } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import { bootsView, holeView, ledgerFields, lostView } from '../../core/ledger/completeness-schema.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';
import { countOf } from '../../core/ledger/range-set.ts';
import type { EpochRange } from './not-journalled.ts';

export interface UplinkLedgerOptions {
	readonly gatewayId: GatewayId;
	readonly ledger: Pick<Ledger, 'completeness' | 'spans' | 'around'>;
	/** What the journal holds and the hub has not acknowledged. */
	readonly owed: () => readonly EpochRange[];
}

/** Holes that one answer names. */
const MAX_HOLES = 1_000;

const ledgerAnswer = Joi.object({ gateway_id: Joi.string().guid().required(), ...ledgerFields })
	.unknown()
	.label('UplinkLedger');

/** The ledger of a gateway, seen from its own side: what the hub does not have, and why. */
export const uplinkLedgerRoutes: Plugin<UplinkLedgerOptions> = {
	name: 'uplink-ledger-routes',
	register(server, { gatewayId, ledger, owed }) {
		server.route({
			method: 'GET',
			path: '/uplink/ledger',
			options: {
				...described(anyUser, {
					operationId: 'getUplinkLedger',
					tag: 'Uplink',
					summary: 'What the hub does not have of this gateway, and why',
					answers: { 200: ledgerAnswer },
				}),
				handler: () => {
					const waiting = owed();
					const { declaredLostSamples, lostByReason, holes } = ledger.completeness(gatewayId);
					const onTheWay = waiting.slice(0, MAX_HOLES).map((range) => {
						const span = ledger.around({ origin: gatewayId, ...range });
						return holeView({ ...range, reason: 'in-transit', from: span?.from ?? null, to: span?.to ?? null });
					});
					const declared = holes.filter(({ reason }) => reason !== 'in-transit').map(holeView);
					return {
						gateway_id: gatewayId,
						missing_samples: countOf(waiting),
						declared_lost_samples: declaredLostSamples,
						lost_by_reason: lostView(lostByReason),
						holes: [...declared, ...onTheWay],
						boots: bootsView(ledger.spans(gatewayId)),
					};
				},
			},
		});
	},
};
