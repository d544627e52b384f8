import { member } from '../../system/kit/rest.ts';
import type { Case, Plan } from '../kit/case.ts';
import { expecting, repeats } from './expecting.ts';

/** Fields of the reference whose stores are no part of the product (R6). */
const ABSENT = ['mariadb', 'mongodb', 'redis'];

const health: Plan = {
	request: async () => ({}),
	verify: ({ body }) =>
		ABSENT.filter((name) => member(body, name) !== undefined).map((name) => `${name} does not run here`),
};

const manyAtOnce = (path: string): Case[] => [
	{
		name: 'limit and skip count',
		status: 200,
		async run(stage, operation) {
			await stage.newAlert();
			await stage.newAlert();
			return stage.sendAs('manager', operation, { query: { skip: '1', limit: '1' } });
		},
		verify: async ({ body }, stage) => {
			const all = await stage.callAs('manager', 'GET', `${path}?limit=200`);
			return member(member(body, '0'), 'id') === member(member(all.body, '1'), 'id') && member(body, '1') === undefined
				? []
				: ['not the second entry alone'];
		},
	},
];

const listAlerts: Plan = {
	async request(stage) {
		await stage.newAlert();
		return {};
	},
	verify: ({ body }) =>
		Array.isArray(body) && body.length > 0 && body.every((alert: unknown) => member(alert, 'is_acknowledged') === false)
			? []
			: ['not the alerts that nobody has acknowledged'],
	cases: manyAtOnce('/monitoring/alerts'),
};

const acknowledgeAlert: Plan = {
	roles: { rule: 'D1: an editor acknowledges alerts', allowed: ['editor', 'manager', 'admin', 'superadmin'] },
	request: async (stage) => ({ path: { alert_id: await stage.newAlert() } }),
	verify: (answer, _request, who) => expecting({ is_acknowledged: true, acknowledged_by: who?.id })(answer),
	cases: [
		{
			name: 'an alert that is acknowledged already',
			status: 409,
			code: 'STATE_CONFLICT',
			async run(stage, operation) {
				const { accessToken } = await stage.people.of('manager');
				const request = { path: { alert_id: await stage.newAlert() } };
				await stage.send(operation, request, accessToken);
				return stage.send(operation, request, accessToken);
			},
		},
	],
};

const rule = (name: string) => ({ name, metric: 'temperature', condition: 'gt', threshold: 40 });

const listAlertRules: Plan = {
	async request(stage) {
		await stage.callAs('manager', 'POST', '/monitoring/alert-rules', rule('Listed'));
		return {};
	},
	verify: ({ body }) => (Array.isArray(body) && body.length > 0 ? [] : ['no rule is listed']),
	cases: manyAtOnce('/monitoring/alert-rules'),
};

const createAlertRule: Plan = {
	request: async (stage, _who, example) => ({ body: example ?? rule(stage.unique('rule')) }),
	verify: repeats,
	cases: [
		{
			name: 'what is omitted: no description, a warning, all devices, active',
			status: 201,
			run: (stage, operation) => stage.sendAs('manager', operation, { body: rule('Short') }),
			verify: expecting({ description: '', severity: 'warning', device_group_id: null, is_active: true }),
		},
		...['gte', 'lt', 'lte', 'eq', 'ne'].map((condition): Case => ({
			name: `the condition ${condition}`,
			status: 201,
			run: (stage, operation) => stage.sendAs('manager', operation, { body: { ...rule(condition), condition } }),
			verify: expecting({ condition }),
		})),
	],
};

/** Health, alerts and their rules. */
export const monitoringPlans: Readonly<Record<string, Plan>> = {
	getMonitoringHealth: health,
	listAlerts,
	acknowledgeAlert,
	listAlertRules,
	createAlertRule,
};
