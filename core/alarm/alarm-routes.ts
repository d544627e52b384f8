import type { Plugin, Request, ResponseToolkit } from '@hapi/hapi';
import Joi from 'joi';

import { noteChange } from '../audit/audit-note.ts';
import { actorOf, permitted } from '../http/access.ts';
import { described, type RouteDescription } from '../http/describe.ts';
import { ifMatch, withEtag } from '../http/etag.ts';
import type { Window } from '../kernel/page.ts';
import {
	alarmListQuery,
	alertAnswer,
	alertListQuery,
	alertParams,
	type AlertRuleBody,
	alertRuleAnswer,
	alertRuleCreate,
	alertRuleParams,
	alertRulePatch,
	alertRuleView,
	alertView,
	type NewAlertRuleBody,
	toNewRule,
	toRuleChange,
} from './alarm-schema.ts';
import type { AlarmService } from './alarm-service.ts';
import type { AlertRule } from './alert-rule.ts';

type Wire<P = unknown> = Request<{ Params: { alert_id: string; rule_id: string }; Query: Window; Payload: P }>;

type AlertList = Request<{ Query: Window & { readonly acknowledged: boolean } }>;

/** Who may call, and what the API document says. */
const operation = (
	permission: 'alarms:write' | 'alarms:ack',
	operationId: string,
	summary: string,
	answers: RouteDescription['answers'],
	etag = false,
) => described(permitted(permission), { operationId, tag: 'Monitoring', summary, answers, etag });

/** As `operation`, on one rule under an ETag. */
const ofOneRule = (operationId: string, summary: string, answers: RouteDescription['answers']) =>
	operation('alarms:write', operationId, summary, answers, true);

const ruleAnswer = (rule: AlertRule, h: ResponseToolkit) => withEtag(h.response(alertRuleView(rule)), rule.revision);

/** Alerts and alert rules of reference 000; single rules are this product's own. Registered below the prefix of its family. */
export const alarmRoutes: Plugin<{ readonly alarms: AlarmService }> = {
	name: 'alarm-routes',
	register(server, { alarms }) {
		server.route({
			method: 'GET',
			path: '/monitoring/alerts',
			options: {
				...operation('alarms:write', 'listAlerts', 'Unacknowledged, or acknowledged, alerts, newest first', {
					200: Joi.array().items(alertAnswer),
				}),
				validate: { query: alertListQuery },
				handler(request: AlertList) {
					const list = request.query.acknowledged ? alarms.acknowledged : alarms.unacknowledged;
					return list(request.query, actorOf(request)).map(alertView);
				},
			},
		});
		server.route({
			method: 'POST',
			path: '/monitoring/alerts/{alert_id}/acknowledge',
			options: {
				...operation('alarms:ack', 'acknowledgeAlert', 'Acknowledge an alert', { 200: alertAnswer }),
				validate: { params: alertParams },
				handler: async (request: Wire) => {
					const { before, after } = await alarms.acknowledge(request.params.alert_id, actorOf(request));
					noteChange(request, { target: after.id, before: alertView(before), after: alertView(after) });
					return alertView(after);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/monitoring/alert-rules',
			options: {
				...operation('alarms:write', 'listAlertRules', 'Alert rules, newest first', {
					200: Joi.array().items(alertRuleAnswer),
				}),
				validate: { query: alarmListQuery },
				handler: (request: Wire) => alarms.rules(request.query, actorOf(request)).map(alertRuleView),
			},
		});
		server.route({
			method: 'POST',
			path: '/monitoring/alert-rules',
			options: {
				...ofOneRule('createAlertRule', 'Create an alert rule', { 201: alertRuleAnswer }),
				validate: { payload: alertRuleCreate },
				handler: async (request: Wire<NewAlertRuleBody>, h: ResponseToolkit) => {
					const rule = await alarms.addRule(toNewRule(request.payload), actorOf(request));
					noteChange(request, { target: rule.id, before: null, after: alertRuleView(rule) });
					return ruleAnswer(rule, h).code(201);
				},
			},
		});
		server.route({
			method: 'GET',
			path: '/monitoring/alert-rules/{rule_id}',
			options: {
				...ofOneRule('getAlertRule', 'One alert rule', { 200: alertRuleAnswer }),
				validate: { params: alertRuleParams },
				handler: (request: Wire, h: ResponseToolkit) =>
					ruleAnswer(alarms.rule(request.params.rule_id, actorOf(request)), h),
			},
		});
		server.route({
			method: 'PATCH',
			path: '/monitoring/alert-rules/{rule_id}',
			options: {
				...ofOneRule('updateAlertRule', 'Change an alert rule', { 200: alertRuleAnswer }),
				validate: { params: alertRuleParams, payload: alertRulePatch },
				handler: async (request: Wire<AlertRuleBody>, h: ResponseToolkit) => {
					const { params, payload } = request;
					const change = toRuleChange(payload);
					const { before, after } = await alarms.changeRule(params.rule_id, change, actorOf(request), ifMatch(request));
					noteChange(request, { target: after.id, before: alertRuleView(before), after: alertRuleView(after) });
					return ruleAnswer(after, h);
				},
			},
		});
		server.route({
			method: 'DELETE',
			path: '/monitoring/alert-rules/{rule_id}',
			options: {
				...ofOneRule('deleteAlertRule', 'Delete an alert rule', { 204: null }),
				validate: { params: alertRuleParams },
				handler: async (request: Wire, h: ResponseToolkit) => {
					const rule = await alarms.removeRule(request.params.rule_id, actorOf(request), ifMatch(request));
					noteChange(request, { target: rule.id, before: alertRuleView(rule), after: null });
					return h.response().code(204);
				},
			},
		});
	},
};
