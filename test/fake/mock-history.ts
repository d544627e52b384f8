import type { Request, ResponseToolkit, Server } from '@hapi/hapi';

import { refusal } from './mock-answer.ts';
import type { FakeDevice } from './mock-fleet.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const iso = (ms: number): string => new Date(ms).toISOString();

interface Gap {
	readonly fromMs: number;
	readonly toMs: number;
	readonly reason: string;
	readonly samples: number | null;
}

/** A day with one gap of each kind, and one that is still open; before it a device that fails again and again. */
const gapsUntil = (nowMs: number): readonly Gap[] => [
	...Array.from({ length: 80 }, (_, index) => ({
		fromMs: nowMs - 6 * DAY_MS + index * 25 * MINUTE_MS,
		toMs: nowMs - 6 * DAY_MS + index * 25 * MINUTE_MS + 9_500,
		reason: 'bus-fault',
		samples: null,
	})),
	{ fromMs: nowMs - 20 * HOUR_MS, toMs: nowMs - 18.4 * HOUR_MS, reason: 'gateway-off', samples: null },
	{ fromMs: nowMs - 18.4 * HOUR_MS, toMs: nowMs - 18.3 * HOUR_MS, reason: 'not-journalled', samples: 1_204 },
	{ fromMs: nowMs - 12 * HOUR_MS, toMs: nowMs - 11.9 * HOUR_MS, reason: 'bus-fault', samples: null },
	{ fromMs: nowMs - 9 * HOUR_MS, toMs: nowMs - 7 * HOUR_MS, reason: 'journal-quota', samples: 411_882 },
	{ fromMs: nowMs - 4 * HOUR_MS, toMs: nowMs - 3.8 * HOUR_MS, reason: 'device-silent', samples: null },
	{ fromMs: nowMs - 2 * HOUR_MS, toMs: nowMs - 1.9 * HOUR_MS, reason: 'a-reason-of-next-year', samples: 7 },
	{ fromMs: nowMs - 12 * MINUTE_MS, toMs: nowMs, reason: 'in-transit', samples: 21_600 },
];

function spanOf({ query }: Request): { readonly fromMs: number; readonly toMs: number } {
	const [from, to] = [query['from'], query['to']].map((text: unknown) => Date.parse(String(text)));
	return { fromMs: from ?? 0, toMs: to ?? 0 };
}

/** Gaps only of the device that is offline; the first ones are complete. */
function completenessOf(device: FakeDevice, request: Request) {
	const { fromMs, toMs } = spanOf(request);
	const gaps = device.silent ? gapsUntil(toMs) : [];
	return {
		device_id: device.view.id,
		device_uid: device.view.device_uid,
		from: iso(fromMs),
		to: iso(toMs),
		is_complete: gaps.length === 0,
		gaps: gaps
			.filter((gap) => gap.toMs > fromMs)
			.map((gap) => ({
				from: iso(Math.max(gap.fromMs, fromMs)),
				to: iso(gap.toMs),
				reason: gap.reason,
				samples: gap.samples,
			})),
	};
}

const BUCKET_MS: Readonly<Record<string, number>> = { '1h': HOUR_MS, '1d': DAY_MS, '1M': 30.4 * DAY_MS };

/** A household: little at night, nothing before two hours were missed, nothing yet of what is to come. */
function aggregateOf(device: FakeDevice, request: Request) {
	const { fromMs, toMs } = spanOf(request);
	const stepMs = BUCKET_MS[String(request.query['bucket'])] ?? HOUR_MS;
	const starts: number[] = [];
	for (let atMs = fromMs; atMs < toMs - stepMs / 2; atMs += stepMs) starts.push(atMs);
	const hours = stepMs / HOUR_MS;
	const increase = starts.map((atMs, index) =>
		atMs > Date.now() || index === 2 ? null : hours * (1.2 + Math.sin((index / starts.length) * Math.PI) * 3.1),
	);
	return {
		device_id: device.view.id,
		device_uid: device.view.device_uid,
		from: iso(fromMs),
		to: iso(toMs),
		bucket: request.query['bucket'],
		tz: request.query['tz'],
		exact: true,
		starts: starts.map(iso),
		points: {
			[String(request.query['points'])]: { increase, resets: increase.map((_, index) => Number(index === 5)) },
		},
	};
}

/** What is stored of devices over time, for pages. */
export function historyRoutes(server: Server, find: (id: unknown) => FakeDevice | undefined): void {
	const route = (name: string, answer: (device: FakeDevice, request: Request) => object): void =>
		server.route({
			method: 'GET',
			path: `/api/v1/devices/{id}/${name}`,
			handler(request: Request, h: ResponseToolkit) {
				const device = find(request.params['id']);
				if (device === undefined) return refusal(h, 404, 'RESOURCE_NOT_FOUND', 'there is no such device');
				const { fromMs, toMs } = spanOf(request);
				return fromMs < toMs
					? answer(device, request)
					: refusal(h, 422, 'VALIDATION_ERROR', 'to must be later than from');
			},
		});
	route('completeness', completenessOf);
	route('aggregate', aggregateOf);
}
