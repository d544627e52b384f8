import { randomUUID } from 'node:crypto';

import type { DeviceListener } from '../device/device-events.ts';
import type { DeviceService } from '../device/device-service.ts';
import type { Device } from '../device/device.ts';
import { maySee } from '../device/device-access.ts';
import { type Actor, isInTenantOf } from '../identity/role.ts';
import type { SetTimer } from '../journal/set-timer.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault, fieldFault, messageOf, notFound } from '../kernel/fault.ts';
import { createGate } from '../kernel/gate.ts';
import type { DeviceId } from '../kernel/id.ts';
import type { Logger } from '../kernel/log.ts';
import type { Window } from '../kernel/page.ts';
import type { RevisionCheck } from '../kernel/revision.ts';
import type { ReadingListener } from '../telemetry/telemetry-service.ts';
import { openAlertBook } from './alert-book.ts';
import { createAlertEngine } from './alert-engine.ts';
import type { AlertRepository } from './alert-repository.ts';
import type { AlertRuleRepository } from './alert-rule-repository.ts';
import {
	type AlertRule,
	type AlertRuleChange,
	appliesTo,
	asksTheSame,
	MAX_ALERT_RULES,
	type NewAlertRule,
} from './alert-rule.ts';
import { type Alert, alertSentence, isAcknowledged, type Signal } from './alert.ts';

export interface AlarmServiceDeps {
	readonly rules: AlertRuleRepository;
	readonly alerts: AlertRepository;
	readonly devices: Pick<DeviceService, 'find'>;
	/** Told of each new alert at once. Must not throw or wait. */
	readonly notify: (alert: Alert, rule: AlertRule, device: Device) => void;
	readonly clock: Clock;
	readonly setTimer: SetTimer;
	readonly log: Logger;
}

/** A record before and after a change. */
export interface Changed<T> {
	readonly before: T;
	readonly after: T;
}

/** Most changes of rules that may wait for the disk. */
const MAX_WAITING = 64;

/** Alert rules, the alerts they raise, and who has seen them. */
export async function openAlarmService({
	rules: repository,
	alerts,
	devices,
	notify,
	clock,
	setTimer,
	log,
}: AlarmServiceDeps) {
	const rules = new Map((await repository.all()).map((rule) => [rule.id, rule]));
	const book = await openAlertBook({ alerts, clock, setTimer, log });
	const gate = createGate({ what: 'changes of alert rules', parallel: 1, waiting: MAX_WAITING });

	/** A `user` sees the alerts of the devices it owns; everybody else those of the tenant. */
	function isVisible(alert: Alert, actor: Actor): boolean {
		if (!isInTenantOf(actor, alert)) return false;
		if (actor.role !== 'user') return true;
		const device = devices.find(alert.deviceId);
		return device !== null && maySee(actor, device);
	}

	const isUnseen = (alert: Alert, actor?: Actor): boolean =>
		!isAcknowledged(alert) && (actor === undefined || isVisible(alert, actor));

	function raise({ rule, deviceId, value, at }: Signal): void {
		const device = devices.find(deviceId);
		if (device === null) return;
		const said = { severity: rule.severity, message: alertSentence(rule, device, value), value: String(value) };
		const open = book.openOf(rule.id, deviceId);
		if (open !== null) {
			// Nobody has seen the first yet: a value that comes and goes is one alert.
			book.put({ ...open, ...said, raisedAt: at, clearedAt: null, occurrences: open.occurrences + 1 }, 'soon');
			return;
		}
		const alert: Alert = {
			id: randomUUID(),
			ruleId: rule.id,
			deviceId,
			tenantId: rule.tenantId,
			...said,
			metric: rule.metric,
			createdAt: clock.now(),
			raisedAt: at,
			clearedAt: null,
			occurrences: 1,
			acknowledgedBy: null,
			acknowledgedAt: null,
		};
		book.put(alert, 'now');
		log.info('alert-raised', { alert: alert.id, rule: rule.id, device: deviceId, severity: rule.severity });
		notify(alert, rule, device);
	}

	function clear({ rule, deviceId, at }: Signal): void {
		const open = book.openOf(rule.id, deviceId);
		if (open !== null) book.put({ ...open, clearedAt: at }, 'soon');
	}

	const engine = createAlertEngine({
		applying(candidates, deviceId) {
			const device = devices.find(deviceId);
			return device === null ? null : candidates.filter((rule) => appliesTo(rule, device));
		},
		raisedSince(rule, deviceId) {
			const open = book.openOf(rule.id, deviceId);
			return open === null || open.clearedAt !== null ? null : open.raisedAt;
		},
		raised: raise,
		cleared: clear,
		now: () => clock.now(),
	});

	/** An alert whose rule no longer watches its device holds no longer. */
	function settle(open: readonly Alert[]): void {
		for (const alert of open) {
			if (alert.clearedAt !== null) continue;
			const rule = rules.get(alert.ruleId);
			const device = devices.find(alert.deviceId);
			if (rule !== undefined && device !== null && appliesTo(rule, device)) continue;
			book.put({ ...alert, clearedAt: clock.now() }, 'soon');
		}
	}

	function rulesChanged(): void {
		settle(book.open());
		engine.setRules([...rules.values()]);
	}

	function ruleOf(id: string, actor: Actor): AlertRule {
		const rule = rules.get(id);
		if (rule === undefined || !isInTenantOf(actor, rule)) throw notFound('alert rule', id);
		return rule;
	}

	function assertDeviceExists(id: DeviceId | null, rule: Pick<AlertRule, 'tenantId'>): void {
		if (id === null) return;
		const device = devices.find(id);
		if (device === null || device.tenantId !== rule.tenantId)
			throw fieldFault('rule-violation', 'device_id', `device ${id} does not exist`);
	}

	async function keep(rule: AlertRule): Promise<void> {
		await repository.save(rule);
		rules.set(rule.id, rule);
	}

	async function addRule(wanted: NewAlertRule, { tenantId }: Actor): Promise<AlertRule> {
		if (rules.size >= MAX_ALERT_RULES)
			throw new Fault('rule-violation', `this box takes ${MAX_ALERT_RULES} alert rules at most`);
		const rule: AlertRule = { id: randomUUID(), tenantId, ...wanted, revision: 1, createdAt: clock.now() };
		assertDeviceExists(rule.deviceId, rule);
		await keep(rule);
		rulesChanged();
		return rule;
	}

	async function changeRule(
		id: string,
		change: AlertRuleChange,
		actor: Actor,
		expected?: RevisionCheck,
	): Promise<Changed<AlertRule>> {
		const before = ruleOf(id, actor);
		expected?.(before.revision);
		const after: AlertRule = { ...before, ...change, revision: before.revision + 1 };
		if (after.deviceId !== before.deviceId) assertDeviceExists(after.deviceId, after);
		await keep(after);
		if (!asksTheSame(before, after))
			for (const alert of book.open())
				if (alert.ruleId === id && alert.clearedAt === null) book.put({ ...alert, clearedAt: clock.now() }, 'soon');
		rulesChanged();
		return { before, after };
	}

	async function removeRule(id: string, actor: Actor, expected?: RevisionCheck): Promise<AlertRule> {
		const rule = ruleOf(id, actor);
		expected?.(rule.revision);
		await repository.remove(id);
		rules.delete(id);
		rulesChanged();
		return rule;
	}

	function alertOf(id: string, actor: Actor): Alert {
		const alert = book.find(id);
		if (alert === null || !isVisible(alert, actor)) throw notFound('alert', id);
		return alert;
	}

	async function acknowledge(id: string, actor: Actor): Promise<Changed<Alert>> {
		const before = alertOf(id, actor);
		if (isAcknowledged(before)) throw new Fault('state-conflict', `alert ${id} is already acknowledged`);
		book.put({ ...before, acknowledgedBy: actor.userId, acknowledgedAt: clock.now() }, 'soon');
		try {
			await book.flush();
		} catch (error) {
			const now = book.find(id);
			if (now !== null) book.put({ ...now, acknowledgedBy: null, acknowledgedAt: null }, 'soon');
			throw new Fault('unavailable', `the acknowledgement cannot be stored: ${messageOf(error)}`, { cause: error });
		}
		return { before, after: book.find(id) ?? before };
	}

	const reading: ReadingListener = engine.reading;
	const device: DeviceListener = {
		changed({ id, deletedAt }) {
			settle(book.open(id));
			if (deletedAt === null) engine.deviceChanged(id);
			else engine.forget(id);
		},
	};
	rulesChanged();

	return {
		/** To be called for each reading, on its way. */
		reading,
		device,
		/** Alerts that nobody has acknowledged, newest first. */
		unacknowledged: ({ skip, limit }: Window, actor: Actor): readonly Alert[] =>
			book.newestFirst((alert) => isUnseen(alert, actor)).slice(skip, skip + limit),
		/** How many alerts nobody has acknowledged: of the box, or of those the actor may see. */
		activeAlerts: (actor?: Actor): number => book.newestFirst((alert) => isUnseen(alert, actor)).length,
		/** Durable when it resolves. @throws Fault `not-found`, `state-conflict`, `unavailable` */
		acknowledge,
		/** Newest first. */
		rules: ({ skip, limit }: Window, actor: Actor): readonly AlertRule[] =>
			[...rules.values()]
				.filter((rule) => isInTenantOf(actor, rule))
				.toSorted((one, other) => other.createdAt - one.createdAt || (one.id < other.id ? -1 : 1))
				.slice(skip, skip + limit),
		/** @throws Fault `not-found` */
		rule: ruleOf,
		/** Durable, and compared with each reading, when it resolves. @throws Fault `rule-violation` */
		addRule: (wanted: NewAlertRule, actor: Actor): Promise<AlertRule> => gate.run(() => addRule(wanted, actor)),
		/** One that asks something else clears its alerts and begins anew. @throws Fault `not-found`, `rule-violation` */
		changeRule: (
			id: string,
			change: AlertRuleChange,
			actor: Actor,
			expected?: RevisionCheck,
		): Promise<Changed<AlertRule>> => gate.run(() => changeRule(id, change, actor, expected)),
		/** Its alerts stay until they are acknowledged. @throws Fault `not-found` */
		removeRule: (id: string, actor: Actor, expected?: RevisionCheck): Promise<AlertRule> =>
			gate.run(() => removeRule(id, actor, expected)),
		stop: () => book.stop(),
	};
}

export type AlarmService = Awaited<ReturnType<typeof openAlarmService>>;
