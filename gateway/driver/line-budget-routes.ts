import type { Plugin, Request } from '@hapi/hapi';
import Joi from 'joi';

import { connectionSchema, type ConnectionView, toConnection } from '../../config/connection/connection-schema.ts';
import { seesAllDevices } from '../../core/device/device-access.ts';
import { actorOf, anyUser, ofBox, permitted } from '../../core/http/access.ts';
import { described } from '../../core/http/describe.ts';
import { fieldFault } from '../../core/kernel/fault.ts';
import { deviceId } from '../../core/kernel/id.ts';
import type { DeviceBudget, LineBudget } from './modbus/plan/bus-budget.ts';
import type { PolledDraft } from './modbus/plan/draft-need.ts';

export interface LineBudgetOptions {
	readonly budgets: () => readonly LineBudget[];
	/** The budget of a line with this device in place of the saved one or in addition. */
	readonly budgetWith: (draft: PolledDraft) => LineBudget;
}

interface DraftBody {
	readonly device_id: string | null;
	readonly name: string;
	readonly connection: ConnectionView;
}

const draftBody = Joi.object({
	device_id: Joi.string().guid().allow(null).default(null),
	name: Joi.string().min(1).max(255).default('this device'),
	connection: connectionSchema.required(),
}).label('LineBudgetDraft');

/** Thousandths are more than the cost model knows. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

const deviceBudgetView = ({ device, name, needShare, requestsPerSecond }: DeviceBudget) => ({
	device_id: device,
	name,
	need_share: rounded(needShare),
	requests_per_second: rounded(requestsPerSecond),
});

/** @param isNamed whether devices may be named */
const budgetView = ({ line, needShare, devices, sentence }: LineBudget, isNamed: boolean) => ({
	line,
	need_share: rounded(needShare),
	devices: isNamed ? devices.map(deviceBudgetView) : [],
	sentence: isNamed ? sentence : null,
});

const budgetAnswer = Joi.object({
	line: Joi.string(),
	need_share: Joi.number().min(0),
	devices: Joi.array().items(
		Joi.object({
			device_id: Joi.string().allow(null),
			name: Joi.string(),
			need_share: Joi.number().min(0),
			requests_per_second: Joi.number().min(0),
		}).options({ presence: 'required' }),
	),
	sentence: Joi.string().allow(null),
})
	.options({ presence: 'required' })
	.label('LineBudget');

function toDraft({ device_id: device, name, connection: view }: DraftBody): PolledDraft {
	const connection = toConnection(view);
	if (connection?.driver !== 'modbus') {
		throw fieldFault('rule-violation', 'connection.driver', 'only Modbus lines have a budget');
	}
	return { device: device === null ? null : deviceId(device), name, connection };
}

/** How much of its time each line needs for what is configured, and would need for a change that is not saved yet. */
export const lineBudgetRoutes: Plugin<LineBudgetOptions> = {
	name: 'line-budget-routes',
	register(server, { budgets, budgetWith }) {
		server.route({
			method: 'GET',
			path: '/lines/budget',
			options: {
				...described(ofBox(anyUser), {
					operationId: 'listLineBudgets',
					tag: 'Lines',
					summary: 'The time that each line needs in each second, by device; above 1 periods are skipped',
					answers: { 200: Joi.array().items(budgetAnswer) },
				}),
				handler: (request) => budgets().map((budget) => budgetView(budget, seesAllDevices(actorOf(request)))),
			},
		});
		server.route({
			method: 'POST',
			path: '/lines/budget',
			options: {
				...described(ofBox(permitted('devices:write')), {
					operationId: 'previewLineBudget',
					tag: 'Lines',
					summary: 'The same for one line, with a device that is not saved yet; nothing is changed',
					answers: { 200: budgetAnswer },
				}),
				validate: { payload: draftBody },
				handler: (request: Request<{ Payload: DraftBody }>) =>
					budgetView(budgetWith(toDraft(request.payload)), seesAllDevices(actorOf(request))),
			},
		});
	},
};
