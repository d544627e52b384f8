import { Readable } from 'node:stream';

import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { readReceipt } from '../../core/bundle/bundle-receipt.ts';
import { ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { Fault } from '../../core/kernel/fault.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { Ack } from '../../core/link/link-messages.ts';

const MIB = 1024 * 1024;
const DEFAULT_MIB = 64;
/** As much as the hub takes. */
const MOST_MIB = 1_024;
/** Longest time of a download: a phone on the box's own network. */
const EXPORT_TIMEOUT_MS = 600_000;
const MOST_RECEIPT_CHARACTERS = 700_000;

export interface BundleRoutesOptions {
	readonly gatewayId: GatewayId;
	/** @throws Fault `state-conflict` */
	readonly bundle: (mostBytes: number) => AsyncGenerator<Buffer>;
	/** Certificate of the hub's link authority; `null` without a hub. */
	readonly caPem: () => string | null;
	/** @throws Fault `state-conflict` when no receipt of this bundle counts any more */
	readonly takeReceipt: (bundle: string) => Promise<void>;
	readonly acknowledge: (ack: Ack) => void;
}

interface ExportQuery {
	readonly max_mib: number;
}

const TAG = 'Uplink';

const acknowledgedAnswer = Joi.object({ acknowledged_samples: Joi.number().min(0).required() }).label('ReceiptTaken');

const samplesOf = ({ received }: Ack): number =>
	received.reduce((sum, { ranges }) => sum + ranges.reduce((part, { first, last }) => part + last - first + 1, 0), 0);

/** The backlog on a stick or a phone, for a site without a network. To be mounted below `/api/v1`. */
export const bundleRoutes: Plugin<BundleRoutesOptions> = {
	name: 'bundle-routes',
	register(server, { gatewayId, bundle, caPem, takeReceipt, acknowledge }) {
		let isExporting = false;

		server.route({
			method: 'GET',
			path: '/uplink/bundle',
			options: {
				...described(ofBox(permitted('gateways:configure')), {
					operationId: 'exportBundle',
					tag: TAG,
					summary: 'What the hub lacks as one file, which only this hub can open; the oldest first',
					answers: { 200: null },
					refusals: [409],
				}),
				validate: {
					query: Joi.object<ExportQuery>({ max_mib: Joi.number().integer().min(1).max(MOST_MIB).default(DEFAULT_MIB) }),
				},
				handler(request: Request<{ Query: ExportQuery }>, h: ResponseToolkit) {
					if (isExporting) throw new Fault('unavailable', 'a bundle is being exported; try again when it has ended');
					const stream = Readable.from(bundle(request.query.max_mib * MIB), { objectMode: false });
					isExporting = true;
					const timer = setTimeout(() => stream.destroy(), EXPORT_TIMEOUT_MS);
					stream.once('close', () => {
						clearTimeout(timer);
						isExporting = false;
					});
					return h
						.response(stream)
						.type('application/octet-stream')
						.header('content-disposition', `attachment; filename="${gatewayId}.bundle"`);
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/uplink/receipts',
			options: {
				...described(ofBox(permitted('gateways:configure')), {
					operationId: 'takeReceipt',
					tag: TAG,
					summary: 'The receipt of the hub for a bundle: what it names may be let go',
					answers: { 200: acknowledgedAnswer },
					refusals: [409],
				}),
				validate: {
					payload: Joi.object({ receipt: Joi.string().max(MOST_RECEIPT_CHARACTERS).required() }),
				},
				async handler(request: Request<{ Payload: { receipt: string } }>) {
					const authority = caPem();
					if (authority === null) throw new Fault('state-conflict', 'this gateway has no hub');
					const receipt = readReceipt(request.payload.receipt, authority, gatewayId);
					await takeReceipt(receipt.bundle_id);
					acknowledge(receipt);
					const answer = { acknowledged_samples: samplesOf(receipt) };
					noteChange(request, { target: gatewayId, before: null, after: answer });
					return answer;
				},
			},
		});
	},
};
