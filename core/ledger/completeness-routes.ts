import type { Plugin, Request } from '@hapi/hapi';

import type { DeviceService } from '../device/device-service.ts';
import { actorOf, anyUser } from '../http/access.ts';
import { described } from '../http/describe.ts';
import { type Clock, epochMs, toIso } from '../kernel/clock.ts';
import { fieldFault } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import { telemetryParams } from '../telemetry/telemetry-schema.ts';
import {
	completenessAnswer,
	type CompletenessQuery,
	completenessQuery,
	gapView,
	MAX_COMPLETENESS_MS,
} from './completeness-schema.ts';
import type { CompletenessService } from './completeness-service.ts';
import type { Span } from './time-marks.ts';

export interface CompletenessRoutesOptions {
	readonly devices: Pick<DeviceService, 'get'>;
	readonly completeness: CompletenessService;
	readonly clock: Pick<Clock, 'now'>;
}

const DAY_MS = 86_400_000;
/** Questions that read history at once, and that wait. */
const AT_ONCE = 2;
const WAITING = 32;

/** @throws Fault `rule-violation` */
function periodOf({ from, to }: CompletenessQuery, now: number): Span {
	const end = to ?? epochMs(now);
	const start = from ?? epochMs(end - DAY_MS);
	if (start >= end) throw fieldFault('rule-violation', 'to', `must be later than from (${toIso(start)})`);
	if (end - start > MAX_COMPLETENESS_MS) throw fieldFault('rule-violation', 'from', 'is more than 31 days before to');
	return { from: start, to: end };
}

/** What is missing of a device in a period, and why. */
export const completenessRoutes: Plugin<CompletenessRoutesOptions> = {
	name: 'completeness-routes',
	register(server, { devices, completeness, clock }) {
		const gate = createGate({ what: 'questions of completeness', parallel: AT_ONCE, waiting: WAITING });
		server.route({
			method: 'GET',
			path: '/devices/{device_id}/completeness',
			options: {
				...described(anyUser, {
					operationId: 'getCompleteness',
					tag: 'Telemetry',
					summary: 'What is missing of a device in a period, and why; by default the last day',
					answers: { 200: completenessAnswer },
				}),
				validate: { params: telemetryParams, query: completenessQuery },
				handler: async (request: Request<{ Params: { device_id: string }; Query: CompletenessQuery }>) => {
					const device = devices.get(request.params.device_id, actorOf(request));
					const period = periodOf(request.query, clock.now());
					const gaps = await gate.run(() => completeness.gaps(device, period, () => request.active()));
					return {
						device_id: device.id,
						device_uid: device.uid,
						from: toIso(period.from),
						to: toIso(period.to),
						is_complete: gaps.length === 0,
						gaps: gaps.map(gapView),
					};
				},
			},
		});
	},
};
