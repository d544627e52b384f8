import type { Plugin, Request } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../../core/audit/audit-note.ts';
import { anyUser, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import type { JournalStats } from '../../core/journal/journal.ts';
import { type EpochMs, toIso } from '../../core/kernel/clock.ts';
import type { GatewayId } from '../../core/kernel/id.ts';
import type { UplinkStatus } from './uplink-deps.ts';
import { uplinkAnswer } from './uplink-schema.ts';

export interface UplinkRoutesOptions {
	readonly gatewayId: GatewayId;
	readonly status: () => UplinkStatus;
	readonly journal: () => JournalStats;
	readonly journalMaxBytes: number;
	/** Samples in the journal. */
	readonly storedSamples: () => number;
	readonly enrol: (hubUrl: string, code: string) => Promise<void>;
	readonly leave: () => Promise<void>;
}

interface EnrolBody {
	readonly hub_url: string;
	readonly code: string;
}

const enrolBody = Joi.object<EnrolBody>({
	hub_url: Joi.string()
		.uri({ scheme: ['http', 'https'] })
		.max(512)
		.required(),
	code: Joi.string().min(1).max(64).required(),
});

const iso = (at: EpochMs | null): string | null => (at === null ? null : toIso(at));

const TAG = 'Uplink';

/** The state of the link as an installer wants to see it: what is stored, how old, how far the hub has it. */
export const uplinkRoutes: Plugin<UplinkRoutesOptions> = {
	name: 'uplink-routes',
	register(server, { gatewayId, status, journal, journalMaxBytes, storedSamples, enrol, leave }) {
		function view() {
			const uplink = status();
			const stats = journal();
			return {
				gateway_id: gatewayId,
				enrolled: uplink.enrolled,
				hub_url: uplink.hubUrl,
				state: uplink.state,
				since: iso(uplink.since),
				last_error: uplink.lastError,
				stored_samples: storedSamples(),
				stored_bytes: stats.bytes,
				backlog_samples: uplink.backlogSamples,
				oldest_at: iso(uplink.oldestOwedAt),
				acknowledged_through_at: iso(uplink.acknowledgedThroughAt),
				declared_lost_samples: uplink.lostSamples,
				journal: {
					epoch: stats.epoch,
					segments: stats.segments,
					bytes: stats.bytes,
					max_bytes: journalMaxBytes,
					pending_samples: stats.pendingSamples,
					written_bytes: stats.writtenBytes,
					syncs: stats.syncs,
					write_error: stats.writeError,
					losses: stats.losses.map(({ reason, bytes, samples, at, detail }) => ({
						reason,
						bytes,
						samples,
						detail,
						at: toIso(at),
					})),
				},
			};
		}

		server.route({
			method: 'GET',
			path: '/uplink',
			options: {
				...described(anyUser, {
					operationId: 'getUplink',
					tag: TAG,
					summary: 'The link to the hub: what is stored, how old, how far the hub has it',
					answers: { 200: uplinkAnswer },
				}),
				handler: view,
			},
		});
		server.route({
			method: 'POST',
			path: '/uplink/enrol',
			options: {
				...described(ofBox(permitted('gateways:delete')), {
					operationId: 'enrolAtHub',
					tag: TAG,
					summary: 'Enrol this gateway at a hub',
					answers: { 200: uplinkAnswer },
				}),
				validate: { payload: enrolBody },
				handler: async (request: Request<{ Payload: EnrolBody }>) => {
					const before = status();
					await enrol(request.payload.hub_url, request.payload.code);
					noteChange(request, {
						target: gatewayId,
						before: { hub_url: before.hubUrl },
						after: { hub_url: request.payload.hub_url },
					});
					return view();
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/uplink',
			options: {
				...described(ofBox(permitted('gateways:delete')), {
					operationId: 'leaveHub',
					tag: TAG,
					summary: 'Forget the hub, the key and the certificate, so that this gateway can be enrolled anew',
					answers: { 204: null },
				}),
				handler: async (request, h) => {
					const before = { hub_url: status().hubUrl };
					await leave();
					noteChange(request, { target: gatewayId, before, after: null });
					return h.response().code(204);
				},
			},
		});
	},
};
