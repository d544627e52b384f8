import type { Plugin } from '@hapi/hapi';
import Joi from 'joi';

import { anyUser, ofBox } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import type { LineStats } from './driver.ts';
import { lineMembers, lineView } from './line-schema.ts';

const lineAnswer = Joi.object(lineMembers).options({ presence: 'required' }).label('Line');

/** The lines of this gateway with their counters: the first thing an installer looks at. */
export const lineRoutes: Plugin<{ readonly lines: () => readonly LineStats[] }> = {
	name: 'line-routes',
	register(server, { lines }) {
		server.route({
			method: 'GET',
			path: '/lines',
			options: {
				...described(ofBox(anyUser), {
					operationId: 'listLines',
					tag: 'Lines',
					summary: 'The lines of this gateway with their counters',
					answers: { 200: Joi.array().items(lineAnswer) },
				}),
				handler: () => lines().map(lineView),
			},
		});
	},
};
