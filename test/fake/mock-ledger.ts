import type { Server } from '@hapi/hapi';

import { refusal } from './mock-answer.ts';

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

const HOUR_MS = 3_600_000;

/** A gateway that was started often, and lost a little. */
const boots = Array.from({ length: 30 }, (_, index) => ({
	epoch: index + 1,
	from: ago((30 - index) * 26 * HOUR_MS),
	to: ago((29 - index) * 26 * HOUR_MS + 60_000),
}));

const holes = [
	...Array.from({ length: 14 }, (_, index) => ({
		epoch: index + 4,
		first: 1_800_000,
		last: 1_800_000 + index * 3,
		reason: 'not-journalled',
		from: ago((26 - index) * 26 * HOUR_MS),
		to: ago((26 - index) * 26 * HOUR_MS - 900),
	})),
	{ epoch: 29, first: 40_001, last: 40_120, reason: 'journal-quota', from: ago(40 * HOUR_MS), to: ago(39 * HOUR_MS) },
	{ epoch: 30, first: 912_001, last: 915_600, reason: 'in-transit', from: null, to: null },
];

const summary = {
	missing_samples: 3_600,
	declared_lost_samples: 407,
	lost_by_reason: { 'journal-quota': 120, 'disk-full': 0, 'not-journalled': 287, refused: 0 },
	holes,
	boots,
};

/** Everything has come but what is on its way. */
const justNow = () => ({
	...summary,
	missing_samples: 12,
	declared_lost_samples: 0,
	lost_by_reason: {},
	holes: [{ epoch: 30, first: 912_001, last: 912_012, reason: 'in-transit', from: ago(5_000), to: ago(0) }],
});

const eras = [
	{ epoch: 29, first_seq: 1, clock_quality: 'unset', is_estimated: true, delta_ms: 8_211_400 },
	{ epoch: 30, first_seq: 1, clock_quality: 'unset', is_estimated: false, delta_ms: -311_204 },
	{ epoch: 30, first_seq: 4_411, clock_quality: 'hub', is_estimated: false, delta_ms: 0 },
];

/** Ledgers and clocks of a hub's gateways: the first is connected, the second is not. */
export function hubLedgerRoutes(server: Server, isConnected: (id: unknown) => boolean): void {
	server.route([
		{
			method: 'GET',
			path: '/api/v1/gateways/{id}/ledger',
			handler: (request) => ({
				received_samples: 18_204_113,
				received: [],
				...(isConnected(request.params['id']) ? summary : justNow()),
			}),
		},
		{
			method: 'GET',
			path: '/api/v1/gateways/{id}/clock',
			handler: (request) =>
				isConnected(request.params['id'])
					? { clock_quality: 'hub', offset_ms: -1_240, said_at: ago(72_000), sample_quality: null, eras }
					: { clock_quality: null, offset_ms: null, said_at: null, sample_quality: null, eras: [] },
		},
		{
			method: 'POST',
			path: '/api/v1/gateways/{id}/resend',
			handler: (request, h) =>
				isConnected(request.params['id'])
					? h.response({ asked_samples: 4_007 }).code(202)
					: refusal(h, 409, 'STATE_CONFLICT', 'the gateway is not connected; with its next connection it is asked'),
		},
		{
			method: 'GET',
			path: '/api/v1/gateways/{id}/configuration',
			handler: () => ({
				standing: 'unknown',
				online: false,
				last_revision: 0,
				order: null,
				reported: null,
				last: null,
			}),
		},
		{ method: 'GET', path: '/api/v1/gateways/{id}/configuration/revisions', handler: () => [] },
	]);
}

/** The same of a gateway itself, whose clock was not set when it started. */
export function ownLedgerRoutes(server: Server, isTimeKnown: () => boolean): void {
	server.route([
		{ method: 'GET', path: '/api/v1/uplink/ledger', handler: () => summary },
		{
			method: 'GET',
			path: '/api/v1/system/time',
			handler: () => ({
				now: ago(0),
				clock_quality: isTimeKnown() ? 'ntp' : 'unset',
				is_known: isTimeKnown(),
				is_trusted: isTimeKnown(),
				reason: isTimeKnown() ? null : 'The clock of the machine stands before 2024.',
				system_clock_offset_ms: isTimeKnown() ? 2 : -81_204_113_000,
				ntp_synchronized: isTimeKnown(),
				hub: isTimeKnown() ? { offset_ms: 412, error_ms: 31, asked_at: ago(200_000) } : null,
				jumps: 1,
				last_jump: { at: ago(5 * HOUR_MS), by_ms: 311_204 },
				boot_id: 'b1',
				eras: eras.toReversed(),
			}),
		},
	]);
}
