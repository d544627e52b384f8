import type { Plugin, Request } from '@hapi/hapi';

import { type LineView, toLine } from '../../config/connection/connection-schema.ts';
import type { Line } from '../../config/connection/connection.ts';
import { noteChange } from '../../core/audit/audit-note.ts';
import { ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { hangUpOf } from '../../core/http/hang-up.ts';
import { fieldFault } from '../../core/kernel/fault.ts';
import { lineName } from '../driver/modbus/line-name.ts';
import { sunspecAnswer, type SunspecBody, sunspecBody, sunspecView } from './sunspec-schema.ts';
import type { SunspecService } from './sunspec-service.ts';

export interface SunspecRoutesOptions {
	readonly sunspec: SunspecService;
	/** The line of this name among those in use; `null` when there is none. */
	readonly named: (name: string) => Line | null;
}

/** A device that describes itself, before there is a template for it. */
export const sunspecRoutes: Plugin<SunspecRoutesOptions> = {
	name: 'sunspec-routes',
	register(server, { sunspec, named }) {
		/** @throws Fault of `line` when no device uses a line of this name */
		function lineOf(line: string | LineView): Line {
			const known = typeof line === 'string' ? named(line) : toLine(line);
			if (known !== null) return known;
			const rule = `must be the name of a line in use, or a line written out; found ${JSON.stringify(line)}`;
			throw fieldFault('rule-violation', 'line', rule);
		}

		const options = described(ofBox(permitted('devices:write')), {
			operationId: 'describeSunspecDevice',
			tag: 'Lines',
			summary: 'Ask a SunSpec device for its models and make a template of them; nothing is stored',
			answers: { 200: sunspecAnswer },
			refusals: [404, 409, 429, 502, 503, 504],
		});
		server.route({
			method: 'POST',
			path: '/lines/sunspec',
			options: {
				...options,
				app: { ...options.app, audit: 'attempts' },
				validate: { payload: sunspecBody },
				handler: async (request: Request<{ Payload: SunspecBody }>) => {
					const { payload } = request;
					const line = lineOf(payload.line);
					noteChange(request, { target: lineName(line), before: null, after: { ...payload } });
					const wanted = { line, unitId: payload.unit_id, timeoutMs: payload.timeout_ms };
					return sunspecView(await sunspec.describe(wanted, hangUpOf(request)));
				},
			},
		});
	},
};
